from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from kernel.clock import to_micros
from ledger.contract import (
    CardsMerged,
    CardStanding,
    DebtPolicy,
    MergeCards,
    MergeSpent,
    UnmergeCards,
)
from ledger.reads import CardEntryRow, read_card_entries
from ledger.reports.as_of import AsOf, read_card_as_of
from ledger.rules.state import RuleTerms
from ledger.stores.lanes import lane_of
from tests.ledger.book import Books
from tests.ledger.test_histories import History, terms

pytestmark = pytest.mark.both_databases

LOTS = (
    "SELECT asset, issuer_id, residual, remaining, active_at, expires_at, order_id FROM lot"
    " WHERE remaining > 0 ORDER BY asset, issuer_id, expires_at, order_id"
)


@pytest.fixture(params=(1, 3, 5), ids=("one lane", "three lanes", "a lane for each card"))
def lanes(request: pytest.FixtureRequest) -> int:
    return request.param


def merge_of(books: Books, merge_id: str = "mrg") -> MergeCards:
    """m2 becomes another name of m1."""
    return MergeCards(merge_id, "m1", "m2", books.now)


async def merge(books: Books) -> CardsMerged:
    return await books.ledger.merge_cards(merge_of(books))


async def unmerge(books: Books) -> None:
    await books.ledger.unmerge_cards(UnmergeCards("mrg", "m1", "m2", books.now))


async def both(books: Books) -> list[CardStanding]:
    return await books.ledger.balances(["m1", "m2"], now=books.now)


async def test_lots_move_as_they_are(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m2", earned=50, expires_in=timedelta(days=9))
    await books.grant("g1", "m2", 30, funder="A")
    before = await books.rows(LOTS)
    positions = await books.positions()

    merged = await merge(books)

    assert merged == CardsMerged("mrg", points_after=150, debt_after=0)
    assert await books.rows(LOTS) == before
    after = await books.positions()
    assert after.pop("LANES", 0) == 0
    assert after == positions
    standing = await books.standing("m1")
    assert (standing.available, standing.coins_available) == (150, 30)
    assert (await books.verify()).is_sound


async def test_a_merge_repeated_changes_nothing(books: Books) -> None:
    await books.order("o2", "B", "m2", earned=50)
    first = await merge(books)
    books.clock.set(books.now + timedelta(days=1))

    assert await merge(books) == replace(first, replayed=True)
    assert (await books.standing("m1")).available == 50


async def test_debts_move_and_are_offset(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m2", earned=80)
    await books.order("o3", "C", "m2", spent=80)
    await books.refund("o2", "r1", kept=0)
    assert (await books.standing("m2")).debt == 80

    preview = await books.ledger.preview_merge(merge_of(books))
    merged = await merge(books)

    assert preview == merged == CardsMerged("mrg", points_after=20, debt_after=0)
    assert (await books.verify()).is_sound


async def test_a_debt_that_moved_is_counted_once_by_a_later_refund(books: Books) -> None:
    await books.order("o1", "A", "m2", earned=10)
    await books.order("o2", "B", "m2", spent=10)
    await books.refund("o1", "r1", kept=7)
    await merge(books)
    moved = (await books.standing("m1")).debt

    await books.refund("o1", "r2", kept=0)
    owed = (await books.standing("m1")).debt
    await books.order("o3", "C", "m1", earned=50)

    assert (moved, owed) == (3, 10)
    assert (await books.standing("m1")).available == 40
    assert (await books.verify()).is_sound


async def test_an_open_checkout_of_the_merged_card_finishes(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=10)
    await books.order("o2", "A", "m2", earned=50)
    await books.hold("att", "m2", 40)
    await books.hold("att2", "m2", 10)

    merged = await merge(books)
    receipt = await books.order("o3", "B", "m2", spent=40, attempt="att")
    await books.release("att2", "m2")

    assert merged.points_after == 10
    assert (receipt.points_burned, receipt.points_absorbed) == (40, 0)
    assert (await books.standing("m1")).available == 20
    assert (await books.verify()).is_sound


async def test_refunds_of_the_merged_cards_orders_are_the_survivors(books: Books) -> None:
    await books.order("o1", "A", "m2", earned=50)
    await books.order("o2", "B", "m2", spent=50)
    await merge(books)

    returned = await books.refund("o2", "r1", kept=0, points=50)
    assert returned.points_returned == 50
    assert (await books.standing("m1")).available == 50
    taken = await books.refund("o1", "r2", kept=20)

    assert taken.points_clawed_back == 30
    assert (await books.standing("m1")).available == 20
    assert (await books.verify()).is_sound


@pytest.mark.parametrize("active_in", [timedelta(0), timedelta(days=7)])
async def test_a_refund_after_the_merge_takes_the_orders_own_points_first(
    books: Books, active_in: timedelta
) -> None:
    await books.order("o1", "C", "m1", earned=25, expires_in=timedelta(days=9))
    await books.order("o2", "A", "m2", earned=50, active_in=active_in)
    await merge(books)

    await books.refund("o2", "r1", kept=20)

    left = "SELECT issuer_id, sum(remaining) FROM lot GROUP BY issuer_id ORDER BY issuer_id"
    assert await books.rows(left) == [("A", 20), ("C", 25)]
    assert (await books.verify()).is_sound


async def test_an_order_heard_of_again_after_the_merge_is_a_repeat(books: Books) -> None:
    first = await books.order("o1", "A", "m2", earned=50)
    await merge(books)

    again = await books.order("o1", "A", "m1", earned=50)

    assert again == replace(first, replayed=True)


async def test_a_late_capture_takes_from_the_survivor_what_the_hold_lacks(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "A", "m2", earned=50)
    await books.hold("att", "m2", 40)
    await merge(books)

    receipt = await books.order("o3", "B", "m2", spent=90, earned=7, attempt="att")

    assert (receipt.points_burned, receipt.points_absorbed) == (90, 0)
    assert (await books.standing("m1")).available == 67
    assert (await books.verify()).is_sound


async def test_an_order_of_the_merge_heard_of_again_after_its_undoing_is_a_repeat(
    books: Books,
) -> None:
    await merge(books)
    first = await books.order("o1", "A", "m2", earned=50)
    await unmerge(books)

    again = await books.order("o1", "A", "m2", earned=50)

    assert again == replace(first, replayed=True)
    assert [each.available for each in await both(books)] == [50, 0]


async def test_the_survivors_history_and_past_hold_both_cards(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m2", earned=50)
    await merge(books)

    def read(connection: Connection) -> tuple[list[CardEntryRow], int]:
        behind = (2**62, 2**62, 2**62, 0)
        rows = read_card_entries(connection, "m1", before=behind, limit=3)
        last = rows[-1]
        before = (last.recorded_at, last.lane, last.seq, last.leg)
        rows += read_card_entries(connection, "m1", before=before, limit=3)
        now = to_micros(books.now)
        figures = read_card_as_of(connection, "m2", AsOf(now, None), now=now)
        return rows, figures.points

    rows, points = await books.subgraph.database.snapshot(read)

    assert len({(row.lane, row.seq, row.leg) for row in rows}) == len(rows) == 4
    assert sum(row.points for row in rows) == points == 150


async def test_a_name_of_a_merged_card_follows_it_into_the_next_merge(books: Books) -> None:
    await books.order("o1", "A", "m2", earned=50)
    await merge(books)
    await books.ledger.merge_cards(MergeCards("next", "m3", "m1", books.now))

    await books.order("o2", "A", "m2", earned=7)

    assert (await books.standing("m3")).available == 57
    assert [each.available for each in await both(books)] == [57, 57]
    assert (await books.verify()).is_sound


async def test_an_unmerge_gives_back_what_moved(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m2", earned=50)
    await books.grant("g1", "m2", 30)
    before = await both(books)
    await merge(books)
    await books.order("o3", "A", "m1", earned=5)

    await unmerge(books)

    survivor, merged = await both(books)
    assert merged == before[1]
    assert survivor == replace(before[0], available=105)
    assert (await books.verify()).is_sound


@pytest.mark.parametrize("use", ["spent", "held", "taken back", "expired", "swept"])
async def test_an_unmerge_is_refused_once_what_moved_was_used(books: Books, use: str) -> None:
    await books.order("o2", "B", "m2", earned=50, expires_in=timedelta(days=9))
    await merge(books)
    if use == "spent":
        await books.order("o3", "A", "m1", spent=1)
    elif use == "held":
        await books.hold("att", "m1", 1)
    elif use in ("expired", "swept"):
        books.clock.set(books.now + timedelta(days=9))
        if use == "swept":
            await books.sweep()
    else:
        await books.refund("o2", "r1", kept=49)

    with pytest.raises(MergeSpent):
        await unmerge(books)
    assert (await books.verify()).is_sound


async def live_through(chance: Random, rule: RuleTerms, policy: DebtPolicy, lanes: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        books = await Books.open(Path(directory) / "ledger.sqlite", rule, lanes=lanes)
        try:
            books.owe_by(policy)
            history = History(books, chance)
            for _ in range(16):
                await history.happen()
            totals = await totals_of(books)
            preview = await books.ledger.preview_merge(merge_of(books))
            assert await merge(books) == preview
            standing = await books.standing("m1")
            assert (standing.available, standing.debt) == (preview.points_after, preview.debt_after)
            assert await totals_of(books) == totals
            for _ in range(10):
                report = await books.verify()
                assert report.findings == ()
                await history.happen()
        finally:
            await books.close()


async def totals_of(books: Books) -> tuple[int, int, int]:
    """Points less debts, and coins, of the two cards; what the alliance and merchants have."""
    [(points, coins)] = await books.rows(
        "SELECT (SELECT coalesce(sum(posted), 0) FROM account WHERE account LIKE 'points:m%'"
        " OR account LIKE 'debt:m%'),"
        " (SELECT coalesce(sum(posted), 0) FROM account WHERE account LIKE 'coins:m%')"
    )
    return points, coins, sum((await books.positions()).values())


def test_of_five_lanes_each_card_here_has_its_own() -> None:
    assert len({lane_of(card, 5) for card in ("m1", "m2", "m3")}) == 3


@seed(20260311)
@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    st.randoms(use_true_random=False),
    terms,
    st.sampled_from(list(DebtPolicy)),
    st.sampled_from([1, 3, 5]),
)
def test_two_cards_of_any_history_merge_as_previewed_and_lose_nothing(
    chance: Random, rule: RuleTerms, policy: DebtPolicy, lanes: int
) -> None:
    asyncio.run(live_through(chance, rule, policy, lanes))
