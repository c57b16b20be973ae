"""Expired points leave the card, their funding is shared out, and nobody is disturbed."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kernel.refusals import Refusal
from kernel.units import Ratio
from ledger.booking.entering import Moment
from ledger.booking.expiry import sweep, sweep_chunk
from ledger.rules.periods import period_id
from ledger.rules.state import RuleTerms
from tests.ledger.book import MARCH, Books

DAY = timedelta(days=1)
HISTORY = """
query ($cards: [_Any!]!) {
  _entities(representations: $cards) {
    ... on Card {
      points { expiring(withinDays: 30) { on points } }
      entries(first: 100) { nodes { at kind points coins { amountMinor } balanceAfter { points } } }
    }
  }
}
"""
CLOSE = """
mutation ($input: ClosePeriodInput!) {
  closePeriod(input: $input) { __typename ... on PeriodClosed { period { id state zeroSum } } }
}
"""


async def shown(books: Books, card: str) -> dict:
    answer = await books.ask(HISTORY, cards=[{"__typename": "Card", "id": card}])
    assert answer.errors is None, answer.errors
    return answer.data["_entities"][0]


async def chunk(books: Books, *, limit: int) -> int:
    moment = Moment(books.now, books.settings)
    return await books.subgraph.context_for(None, "", "").database.transaction(
        lambda connection: sweep_chunk(connection, moment, until=moment.micros, limit=limit)
    )


async def sound(books: Books) -> bool:
    positions = await books.positions()
    assert sum(positions.values()) == 0
    assert positions.get("POOL", 0) == await books.pool_backing()
    return (await books.verify()).is_sound


async def test_points_that_were_announced_as_expiring_are_those_that_expire(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=70, expires_in=5 * DAY)
    await books.order("o2", "A", "m1", earned=40, expires_in=90 * DAY)
    announced = (await shown(books, "m1"))["points"]["expiring"]
    expired_at = books.now + 5 * DAY
    books.clock.set(expired_at)

    before = await books.standing("m1")
    assert await books.sweep() == 1

    assert announced == [{"on": "2026-03-15", "points": 70}]
    assert await books.standing("m1") == before
    after = await shown(books, "m1")
    assert after["points"]["expiring"] == []
    assert after["entries"]["nodes"][0] == {
        "at": "2026-03-15T04:00:00Z",
        "kind": "EXPIRY",
        "points": -70,
        "coins": {"amountMinor": 0},
        "balanceAfter": {"points": 40},
    }
    assert await sound(books)


async def test_a_lot_expires_with_its_instant_and_not_before(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=70, expires_in=5 * DAY)

    books.clock.set(books.now + 5 * DAY - timedelta(microseconds=1))
    assert await books.sweep() == 0
    books.clock.set(books.now + timedelta(microseconds=1))
    assert await books.sweep() == 1
    assert await books.sweep() == 0


@pytest.mark.parametrize(
    ("issuer_bps", "issuer", "alliance"),
    [(0, 0, 101), (5_000, 51, 50), (3_333, 34, 67), (10_000, 101, 0)],
)
async def test_the_odd_minor_unit_of_breakage_is_the_issuers(
    tmp_path: Path, issuer_bps: int, issuer: int, alliance: int
) -> None:
    rule = RuleTerms(Ratio(1, 1), Ratio(1, 1), 0, 0, issuer_bps)
    books = await Books.open(tmp_path / "ledger.sqlite", rule)
    try:
        await books.order("o1", "A", "m1", earned=101, expires_in=DAY)
        books.clock.set(books.now + DAY)
        await books.sweep()

        assert (await books.positions()).get("A", 0) == issuer - 101
        assert (await books.positions()).get("ALLIANCE", 0) == alliance
    finally:
        await books.close()


async def test_what_is_held_is_skipped_and_expires_with_its_release(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=DAY)
    await books.hold("t1", "m1", 60)
    books.clock.set(books.now + DAY)

    assert await books.sweep() == 1
    assert (await books.standing("m1")).held == 60
    await books.release("t1", "m1")

    kinds = [(e["kind"], e["points"]) for e in (await shown(books, "m1"))["entries"]["nodes"]]
    assert kinds == [("EXPIRY", -60), ("EXPIRY", -40), ("EARN", 100)]
    assert await books.sweep() == 0
    assert await books.pool_backing() == 0
    assert await sound(books)


async def test_a_capture_takes_what_it_held_and_the_rest_of_it_expires(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=DAY)
    await books.hold("t1", "m1", 60, merchant="B")
    books.clock.set(books.now + DAY)

    receipt = await books.order("o2", "B", "m1", spent=45, attempt="t1")

    assert receipt.points_burned == 45
    kinds = [(e["kind"], e["points"]) for e in (await shown(books, "m1"))["entries"]["nodes"]]
    assert kinds == [("EXPIRY", -15), ("BURN", -45), ("EARN", 100)]
    assert await books.sweep() == 1
    assert await books.pool_backing() == 0
    assert await sound(books)


async def test_coins_expire_when_they_were_given_an_expiry(books: Books) -> None:
    await books.grant("g1", "m1", 301, funder="A", expires_in=DAY)
    await books.grant("g2", "m1", 40)
    books.clock.set(books.now + DAY)

    await books.sweep()

    assert (await books.standing("m1")).coins_available == 40
    newest = (await shown(books, "m1"))["entries"]["nodes"][0]
    assert (newest["kind"], newest["coins"]["amountMinor"]) == ("EXPIRY", -301)
    assert (await books.positions())["A"] == -301 - 15 + 151
    assert await sound(books)


async def test_points_returned_after_the_sweep_get_a_grace_lot_as_before_it(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=DAY)
    await books.order("o2", "B", "m1", spent=60)
    books.clock.set(books.now + DAY)
    await books.sweep()

    await books.refund("o2", "r1", kept=0, points=60)

    assert (await books.standing("m1")).available == 60
    books.clock.set(books.now + 30 * DAY)
    assert await books.sweep() == 1
    assert await sound(books)


async def test_a_period_closes_with_everything_that_expired_in_it(books: Books) -> None:
    end_of_march = datetime(2026, 3, 31, 16, tzinfo=UTC)
    await books.order(
        "o1", "A", "m1", earned=100, expires_in=end_of_march - timedelta(seconds=1) - MARCH
    )
    await books.order("o2", "A", "m1", earned=30, expires_in=end_of_march - MARCH)
    books.clock.set(datetime(2026, 4, 3, tzinfo=UTC))

    request = {"requestId": "close", "periodId": period_id(2026 * 12 + 2)}
    answer = await books.ask(CLOSE, input=request)

    assert answer.data["closePeriod"]["period"]["state"] == "CLOSED"
    assert answer.data["closePeriod"]["period"]["zeroSum"]
    expired = "SELECT month, points FROM position WHERE kind = 'EXPIRY' AND account = 'A'"
    assert await books.rows(expired) == [(2026 * 12 + 2, 100)]
    assert await books.sweep() == 1
    assert await books.rows(expired) == [(2026 * 12 + 2, 100), (2026 * 12 + 3, 30)]
    assert await sound(books)


async def test_what_expired_in_a_closed_period_is_posted_in_the_open_one(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    books.clock.set(datetime(2026, 4, 3, tzinfo=UTC))
    request = {"requestId": "close", "periodId": period_id(2026 * 12 + 2)}
    await books.ask(CLOSE, input=request)
    await books.order("late", "B", "m2", earned=9, at=MARCH, expires_in=DAY)

    await books.sweep()

    assert await books.rows("SELECT month, origin_month FROM ledger_tx WHERE kind = 'EXPIRY'") == [
        (2026 * 12 + 3, 2026 * 12 + 2)
    ]
    assert await sound(books)


async def test_a_sweep_that_was_cut_off_is_finished_by_the_next(tmp_path: Path) -> None:
    books = await Books.open(tmp_path / "ledger.sqlite")
    for count in range(7):
        await books.order(f"o{count}", "A", f"m{count % 3}", earned=10 + count, expires_in=DAY)
    books.clock.set(books.now + DAY)
    assert await chunk(books, limit=2) == 2
    await books.close()

    books = await Books.open(tmp_path / "ledger.sqlite")
    try:
        books.clock.set(books.now + DAY)
        assert await books.sweep() == 5
        assert await books.rows("SELECT sum(remaining) FROM lot") == [(0,)]
        assert await books.rows("SELECT sum(points) FROM card_entry WHERE kind = 'EXPIRY'") == [
            (-sum(range(10, 17)),)
        ]
        assert await sound(books)
    finally:
        await books.close()


async def test_two_sweeps_at_once_and_spends_between_them_do_no_harm(books: Books) -> None:
    for count in range(150):
        await books.order(f"o{count}", "A", f"m{count % 10}", earned=10, expires_in=DAY)
        if count % 3 == 0:
            await books.order(f"p{count}", "B", f"m{count % 10}", earned=10)
    books.clock.set(books.now + DAY)
    moment = Moment(books.now, books.settings)
    database = books.subgraph.context_for(None, "", "").database

    async def spend(count: int) -> int:
        try:
            await books.hold(f"t{count}", f"m{count % 10}", 5)
        except Refusal:
            return 0
        receipt = await books.order(
            f"s{count}", "C", f"m{count % 10}", spent=5, attempt=f"t{count}"
        )
        return receipt.points_burned

    first, second, *burned = await asyncio.gather(
        sweep(database, moment, until=moment.micros),
        sweep(database, moment, until=moment.micros),
        *(spend(count) for count in range(60)),
    )

    assert first + second == 150
    assert sum(burned) == 300
    left = sum([(await books.standing(f"m{card}")).available for card in range(10)])
    assert left == 50 * 10 - 300
    assert await books.rows("SELECT sum(points) FROM card_entry WHERE kind = 'EXPIRY'") == [
        (-1_500,)
    ]
    assert await sound(books)


async def test_the_sweeper_runs_in_the_background_until_it_is_stopped(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=DAY)
    books.clock.set(books.now + DAY)

    books.subgraph.expiry.start()
    for _ in range(2_000):
        if await books.pool_backing() == 0:
            break
        await asyncio.sleep(0.01)
    await books.subgraph.expiry.stop()

    assert await books.pool_backing() == 0

    assert await sound(books)
