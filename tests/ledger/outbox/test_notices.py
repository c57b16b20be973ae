"""Members hear of an expiry 60, 30 and 7 days ahead, once each, whatever the clock does."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kernel.clock import to_micros
from ledger.contract import MergeCards
from ledger.outbox.notices import NOTICE_DAYS
from tests.ledger.book import Books

NEW_YEAR = datetime(2026, 12, 31, 16, tzinfo=UTC)
"""The first instant of 2027 in Shanghai."""


async def earn(books: Books, order: str, card: str = "m1", points: int = 100) -> None:
    await books.order(order, "A", card, earned=points, expires_in=NEW_YEAR - books.now)


async def notices(books: Books) -> list[tuple]:
    """Card, days ahead and points, in the order they were recorded."""
    return await books.rows(
        "SELECT stream, payload FROM outbox WHERE topic = 'points.expiring' ORDER BY id"
    )


async def told(books: Books) -> list[tuple[str, int, int, str]]:
    found = [(card, json.loads(payload)["data"]) for card, payload in await notices(books)]
    return [(card, data["daysAhead"], data["points"], data["lastDay"]) for card, data in found]


async def at(books: Books, day: date, hour: int = 0, minute: int = 0) -> int:
    """Looks for notices at a local time of a day; how many were recorded."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
    books.clock.set(local - timedelta(hours=8))
    return await books.subgraph.announce()


async def test_each_notice_comes_on_its_day_and_only_once(books: Books) -> None:
    await earn(books, "o1")

    counts = [
        await at(books, day, hour, minute)
        for day, hour, minute in [
            (date(2026, 10, 31), 23, 59),
            (date(2026, 11, 1), 0, 0),
            (date(2026, 11, 2), 0, 0),
            (date(2026, 11, 30), 23, 59),
            (date(2026, 12, 1), 0, 0),
            (date(2026, 12, 23), 23, 59),
            (date(2026, 12, 24), 0, 0),
            (date(2026, 12, 31), 23, 59),
            (date(2027, 1, 1), 0, 0),
        ]
    ]

    assert counts == [0, 1, 0, 0, 1, 0, 1, 0, 0]
    assert await told(books) == [("m1", days, 100, "2026-12-31") for days in (60, 30, 7)]


async def test_a_notice_is_due_when_expiring_within_so_many_days_shows_the_points(
    books: Books,
) -> None:
    await earn(books, "o1")
    shown = """query ($days: Int!) {
      _entities(representations: [{__typename: "Card", id: "m1"}]) {
        ... on Card { points { expiring(withinDays: $days) { on points } } }
      }
    }"""
    for days in NOTICE_DAYS[::-1]:
        first = date(2026, 12, 31) - timedelta(days=days)
        for day, expected in ((first - timedelta(days=1), 0), (first, 1)):
            recorded = await at(books, day)
            answer = await books.ask(shown, days=days)
            [card] = answer.data["_entities"]
            assert recorded == expected
            assert card["points"]["expiring"] == [{"on": "2026-12-31", "points": 100}] * expected


async def test_after_weeks_in_which_nobody_looked_only_the_nearest_is_told(books: Books) -> None:
    await earn(books, "o1")

    assert await at(books, date(2026, 12, 26)) == 1
    assert [days for _, days, _, _ in await told(books)] == [7]


async def test_a_clock_that_jumps_back_and_forth_repeats_nothing(books: Books) -> None:
    await earn(books, "o1")
    chance = random.Random(3)
    for _ in range(60):
        await at(books, date(2026, 3, 11) + timedelta(days=chance.randrange(0, 400)))

    days = [each[1] for each in await told(books)]
    assert len(days) == len(set(days))
    assert days == sorted(days, reverse=True)


async def test_a_restart_repeats_nothing_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    books = await Books.open(path)
    for number in range(250):
        await earn(books, f"o{number}", f"m{number:03}")
    assert await at(books, date(2026, 11, 1)) == 250
    before = await notices(books)
    await books.close()

    again = await Books.open(path)
    assert await at(again, date(2026, 11, 1)) == 0
    assert await notices(again) == before
    assert len({card for card, _ in before}) == 250
    await again.close()


async def test_a_notice_tells_the_points_that_are_free_and_none_when_none_are(
    books: Books,
) -> None:
    await earn(books, "o1", "m1")
    await earn(books, "o2", "m1", 50)
    await earn(books, "o3", "m2")
    await books.order("o4", "B", "m1", spent=20)
    await books.hold("x", "m2", 100)
    await at(books, date(2026, 11, 1))
    assert await told(books) == [("m1", 60, 130, "2026-12-31")]

    await books.release("x", "m2")
    await at(books, date(2026, 11, 2))

    assert (await told(books))[1:] == [("m2", 60, 100, "2026-12-31")]


async def test_points_of_the_last_ninety_days_are_announced_a_year_later(books: Books) -> None:
    """Their lot carries the later expiry; docs/rules/checkout.md, rule 9."""
    books.clock.set(datetime(2026, 10, 20, tzinfo=UTC))
    a_year_later = datetime(2027, 12, 31, 16, tzinfo=UTC)
    await books.order("o1", "A", "m1", earned=9, expires_in=a_year_later - books.now)

    assert await at(books, date(2026, 12, 30)) == 0
    assert await at(books, date(2027, 11, 1)) == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("survivor_has", [0, 30])
async def test_points_that_a_merge_moves_behind_their_notice_are_not_announced_again(
    books: Books, survivor_has: int
) -> None:
    await earn(books, "o1", "m2")
    if survivor_has:
        await earn(books, "o2", "m1", survivor_has)
    await at(books, date(2026, 11, 1))
    await books.ledger.merge_cards(MergeCards("mrg", "m1", "m2", books.now))

    assert await at(books, date(2026, 11, 2)) == 0
    assert await at(books, date(2026, 12, 1)) == 1

    answer = await books.ask("""{
      _entities(representations: [{__typename: "Card", id: "m1"}]) {
        ... on Card { expiryNotices { nodes { daysAhead points } } }
      }
    }""")
    [card] = answer.data["_entities"]
    points = 100 + survivor_has
    assert card["expiryNotices"]["nodes"] == [
        {"daysAhead": days, "points": points} for days in (30, 60)
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_any_cards_at_any_days_are_told_each_thing_at_most_once(
    books: Books, seed: int
) -> None:
    chance = random.Random(seed)
    start = books.now
    for step in range(80):
        books.clock.set(start + timedelta(days=step * 2, hours=chance.randrange(24)))
        ends = start + timedelta(days=30 * chance.randrange(step // 15 + 1, 9))
        if ends > books.now:
            card = f"m{chance.randrange(4)}"
            await books.order(f"o{step}", "A", card, earned=5, expires_in=ends - books.now)
        await books.subgraph.announce()

    rows = await books.rows("SELECT card_id, expires_at, days, recorded_at FROM expiry_notice")
    assert len(rows) == len(await notices(books)) > 0
    day = to_micros(start + timedelta(days=1)) - to_micros(start)
    for _, expires_at, days, recorded_at in rows:
        assert recorded_at < expires_at <= recorded_at + (days + 1) * day
