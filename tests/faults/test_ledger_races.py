"""Many clients at once want the same thing of a ledger, or repeat themselves: once is once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from kernel.refusals import Refusal
from ledger.contract import (
    AttemptReleased,
    FundsHeld,
    FundsReleased,
    InsufficientPoints,
    KeyReused,
    OrderReceipt,
    Unbookable,
)
from tests.ledger.book import Books
from tests.ledger.clearing.test_periods import APRIL_2, MARCH, close
from tests.places import Places

pytestmark = pytest.mark.both_databases
ORDERS_OF_ENTRIES = "SELECT count(*) FROM ledger_tx WHERE kind = 'ORDER'"


async def answers(asked: list[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*asked, return_exceptions=True)


def of_kind(outcomes: list[object], kind: type) -> int:
    return sum(isinstance(each, kind) for each in outcomes)


async def test_one_key_a_thousand_times_books_once(books: Books) -> None:
    outcomes = await answers(
        [books.order("o1", "A", "m1", earned=100 if i % 2 else 101) for i in range(1_000)]
    )

    receipts = [each for each in outcomes if isinstance(each, OrderReceipt)]
    assert len(receipts) == 500
    assert len({receipt.points_earned for receipt in receipts}) == 1
    assert sum(not receipt.replayed for receipt in receipts) == 1
    assert of_kind(outcomes, KeyReused) == 500
    assert await books.rows(ORDERS_OF_ENTRIES) == [(1,)]
    assert (await books.verify()).is_sound


async def test_a_refusal_stays_one_when_there_is_enough_later(books: Books) -> None:
    with pytest.raises(InsufficientPoints):
        await books.hold("t1", "m1", 50)
    await books.order("o1", "A", "m1", earned=500)

    outcomes = await answers([books.hold("t1", "m1", 50) for _ in range(100)])

    assert of_kind(outcomes, InsufficientPoints) == 100
    assert (await books.standing("m1")).held == 0


async def test_a_wallet_of_a_hundred_points_pays_for_a_hundred(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)

    outcomes = await answers([books.hold(f"t{i}", "m1", 1) for i in range(1_000)])

    assert of_kind(outcomes, FundsHeld) == 100
    assert of_kind(outcomes, InsufficientPoints) == 900
    standing = await books.standing("m1")
    assert (standing.available, standing.held) == (0, 100)
    assert (await books.verify()).is_sound


async def test_sixty_four_clients_at_one_merchant_lose_no_increment(books: Books) -> None:
    await answers([books.order(f"o{i}", "A", f"m{i % 64}", earned=1 + i % 9) for i in range(1_280)])

    expected = sum(1 + i % 9 for i in range(1_280))
    assert await books.pool_backing() == expected
    assert (await books.positions())["POOL"] == expected
    assert (await books.verify()).is_sound


async def test_only_the_poisonous_one_of_five_hundred_fails(books: Books) -> None:
    await books.rows_written(
        "CREATE UNIQUE INDEX poison ON ledger_request (operation) WHERE idem_key IN ('o0', 'o250')"
    )

    outcomes = await answers([books.order(f"o{i}", "A", f"m{i}", earned=5) for i in range(500)])

    assert of_kind(outcomes, OrderReceipt) == 499
    # Which of the two comes first is the scheduler's choice.
    assert of_kind([outcomes[0], outcomes[250]], Unbookable) == 1
    assert books.ledger.batches_isolated > 0
    assert await books.rows(ORDERS_OF_ENTRIES) == [(499,)]
    assert (await books.verify()).is_sound


@pytest.mark.parametrize("first", range(3))
async def test_a_hold_ends_in_one_way(books: Books, first: int) -> None:
    for round_ in range(20):
        await books.order(f"earn-{round_}", "A", "m1", earned=30)
        attempt = f"t{round_}"
        await books.hold(attempt, "m1", 20)
        asked = [
            books.order(f"take-{round_}", "B", "m1", spent=20, attempt=attempt),
            books.release(attempt, "m1"),
            books.release(attempt, "m1"),
        ]
        outcomes = await answers(asked[first:] + asked[:first])

        freed = sum(
            each.points
            for each in outcomes
            if isinstance(each, FundsReleased) and not each.replayed
        )
        [(state,)] = await books.rows("SELECT state FROM hold WHERE attempt_id = ?", attempt)
        assert (state, freed) in (("CAPTURED", 0), ("RELEASED", 20))
        [taken] = [each for each in outcomes if isinstance(each, OrderReceipt)]
        assert taken.points_burned == 20
        assert (await books.standing("m1")).held == 0
        assert (await books.verify()).is_sound


async def test_part_of_a_hold_is_captured_and_the_rest_is_free(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 80)

    receipt = await books.order("o2", "B", "m1", spent=30, attempt="t1")

    standing = await books.standing("m1")
    assert receipt.points_burned == 30
    assert (standing.available, standing.held) == (70, 0)


async def test_a_captured_hold_cannot_be_captured_by_another_order(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 80)

    outcomes = await answers(
        [books.order(f"o{i}", "B", "m1", spent=80, attempt="t1") for i in (2, 3)]
    )

    burned = sorted(each.points_burned for each in outcomes if isinstance(each, OrderReceipt))
    assert burned == [20, 80]  # The second finds only what was never held.
    assert (await books.verify()).is_sound


async def test_a_hold_counts_in_every_later_check(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 80)

    with pytest.raises(InsufficientPoints) as refusal:
        await books.hold("t2", "m1", 21)

    assert refusal.value.available == 20


async def test_a_released_attempt_takes_nothing_any_more(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)

    outcomes = await answers([books.release("t1", "m1"), books.hold("t1", "m1", 80)])

    assert of_kind(outcomes, FundsReleased) == 1
    assert of_kind(outcomes, AttemptReleased) == 1
    assert (await books.standing("m1")).held == 0


async def test_a_refund_repeated_at_once_takes_back_once(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)

    outcomes = await answers([books.refund("o1", "r1", kept=40) for _ in range(50)])

    assert sum(not each.replayed for each in outcomes) == 1
    assert (await books.standing("m1")).available == 40
    assert (await books.verify()).is_sound


async def test_refunds_race_and_never_take_more_than_was_earned(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)

    await answers([books.refund("o1", f"r{i}", kept=100 - 10 * i) for i in range(1, 11)])

    standing = await books.standing("m1")
    assert (standing.available, standing.debt) == (0, 0)
    assert (await books.verify()).is_sound


async def test_points_that_expire_while_they_are_held_can_still_be_captured(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=1))
    await books.hold("t1", "m1", 60)
    books.clock.set(books.now + timedelta(days=2))

    outcomes = await answers(
        [books.sweep(), books.order("o2", "B", "m1", spent=60, attempt="t1"), books.sweep()]
    )

    assert outcomes[1].points_burned == 60
    assert (await books.standing("m1")).available == 0
    assert (await books.verify()).is_sound


async def test_a_sweep_and_spends_of_the_same_lot_never_take_it_twice(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=1))
    books.clock.set(books.now + timedelta(hours=23))
    spends = [books.order(f"s{i}", "B", "m1", spent=7) for i in range(20)]
    books.clock.set(books.now + timedelta(hours=2))

    await answers([*spends[:10], books.sweep(), *spends[10:], books.sweep()])

    assert await books.rows("SELECT coalesce(sum(remaining), 0) FROM lot") == [(0,)]
    assert (await books.verify()).is_sound


async def test_two_ledgers_on_one_database_stay_right(places: Places) -> None:
    one = await Books.open(places.address("ledger"), lanes=2)
    other = await Books.open(places.address("ledger"), lanes=2)

    outcomes = await answers(
        [
            books.order(f"o{i}", "A", f"m{i % 5}", earned=10, spent=i % 4)
            for i in range(150)
            for books in (one, other)
        ]
    )

    receipts = [each for each in outcomes if isinstance(each, OrderReceipt)]
    assert len(receipts) == 300
    assert sum(not each.replayed for each in receipts) == 150
    assert (await one.verify()).is_sound
    await one.close()
    await other.close()


async def test_readers_see_balanced_books_while_they_are_written(books: Books) -> None:
    done = asyncio.Event()

    async def watch() -> int:
        seen = 0
        while not done.is_set():
            rows = await books.rows("SELECT asset, sum(amount) FROM entry GROUP BY asset")
            assert all(total == 0 for _, total in rows)
            seen += 1
        return seen

    async def client(number: int) -> None:
        for i in range(25):
            order_id = f"o{number}-{i}"
            await books.order(order_id, "A", f"m{number}", earned=10, spent=i % 3)
            found = await books.rows(
                "SELECT count(*) FROM ledger_request WHERE idem_key = ?", order_id
            )
            assert found == [(1,)]  # What was acknowledged is there for every reader after it.

    watchers = [asyncio.create_task(watch()) for _ in range(3)]
    await asyncio.gather(*(client(number) for number in range(16)))
    done.set()

    assert all(seen > 0 for seen in await asyncio.gather(*watchers))
    histories = await books.rows(
        "SELECT card_id, points, points_after FROM card_entry ORDER BY card_id, seq, leg"
    )
    running: dict[str, int] = {}
    for card, points, after in histories:
        running[card] = running.get(card, 0) + points
        assert after == running[card]


async def test_a_clock_that_jumps_turns_no_order_around(books: Books) -> None:
    start = books.now
    for number, hours in enumerate([0, -1, 24 * 365, 24 * 365, -1, 0, 0, 1]):
        books.clock.set(start + timedelta(hours=hours))
        await books.order(f"o{number}", "A", "m1", earned=10, expires_in=timedelta(days=30))
        await books.sweep()
    books.clock.set(start + timedelta(hours=1))

    made = [row[0] for row in await books.rows("SELECT created_at FROM ledger_tx ORDER BY seq")]
    assert made == sorted(made)
    expired = await books.rows(
        "SELECT lot_id, count(*) FROM lot_move WHERE amount < 0 GROUP BY lot_id"
    )
    assert all(times == 1 for _, times in expired)
    assert (await books.verify()).is_sound


async def test_a_hold_across_a_jump_of_the_clock_expires_once(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=1))
    await books.hold("t1", "m1", 60)
    books.clock.set(books.now + timedelta(days=365))
    await books.sweep()
    await books.release("t1", "m1")
    books.clock.set(books.now - timedelta(days=365))
    await books.sweep()

    standing = await books.standing("m1")
    assert (standing.available, standing.held) == (0, 0)
    assert await books.rows("SELECT sum(remaining) FROM lot") == [(0,)]
    with pytest.raises(Refusal):
        await books.hold("t2", "m1", 1)
    assert (await books.verify()).is_sound


async def test_a_period_closed_several_times_at_once_under_one_id_is_answered_alike(
    books: Books,
) -> None:
    await books.order("o1", "A", "m1", earned=100)
    books.clock.set(APRIL_2)

    closed = await answers([close(books, MARCH) for _ in range(6)])

    assert [each.get("__typename") for each in closed] == ["PeriodClosed"] * 6
    assert sorted(each["replayed"] for each in closed) == [False] + [True] * 5
