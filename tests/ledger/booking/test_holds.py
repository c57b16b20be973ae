"""A hold sets funds aside for one checkout, all or nothing, and decides once."""

import asyncio
from datetime import timedelta

import pytest

from ledger.contract import (
    AttemptReleased,
    DebtOpen,
    InsufficientCoins,
    InsufficientPoints,
    KeyReused,
)
from tests.ledger.book import Books


async def test_held_points_are_not_available_until_they_are_released(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)

    held = await books.hold("t1", "m1", 30)

    assert (held.points, held.replayed) == (30, False)
    standing = await books.standing("m1")
    assert (standing.available, standing.held) == (70, 30)
    released = await books.release("t1", "m1")
    assert (released.points, released.replayed) == (30, False)
    standing = await books.standing("m1")
    assert (standing.available, standing.held) == (100, 0)
    assert (await books.verify()).findings == ()


async def test_a_hold_of_more_than_there_is_is_refused_and_stays_refused(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 60)
    with pytest.raises(InsufficientPoints) as refused:
        await books.hold("t2", "m1", 41)
    assert (refused.value.available, refused.value.requested) == (40, 41)

    await books.release("t1", "m1")

    with pytest.raises(InsufficientPoints):
        await books.hold("t2", "m1", 41)
    assert (await books.hold("t3", "m1", 41)).points == 41


async def test_pending_and_expired_points_can_not_be_held(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=10, active_in=timedelta(days=7))
    await books.order("o2", "A", "m1", earned=20, expires_in=timedelta(days=1))
    assert (await books.standing("m1")).pending == 10
    books.clock.set(books.now + timedelta(days=1))
    assert (await books.standing("m1")).available == 0

    with pytest.raises(InsufficientPoints) as refused:
        await books.hold("t1", "m1", 1)

    assert refused.value.available == 0
    books.clock.set(books.now + timedelta(days=6))
    assert (await books.hold("t2", "m1", 10)).points == 10


async def test_points_and_coins_are_held_together_or_not_at_all(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.grant("g1", "m1", 500)
    with pytest.raises(InsufficientCoins) as refused:
        await books.hold("t1", "m1", 50, coins=501)
    assert (refused.value.available_coins, refused.value.requested_coins) == (500, 501)
    assert (await books.standing("m1")).held == 0

    await books.hold("t2", "m1", 50, coins=500)

    standing = await books.standing("m1")
    assert (standing.coins_available, standing.coins_held) == (0, 500)


async def test_points_can_not_be_held_while_points_are_owed_but_coins_can(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m1", spent=100)
    await books.refund("o1", "r1", kept=60)
    await books.grant("g1", "m1", 500)

    with pytest.raises(DebtOpen) as refused:
        await books.hold("t1", "m1", 1)

    assert refused.value.debt == 40
    assert (await books.hold("t2", "m1", 0, coins=5)).coins_minor == 5


async def test_a_repeated_hold_holds_once_and_another_body_is_a_bug(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 30)

    assert (await books.hold("t1", "m1", 30)).replayed

    assert (await books.standing("m1")).held == 30
    with pytest.raises(KeyReused):
        await books.hold("t1", "m1", 31)


async def test_a_hold_that_arrives_after_its_release_is_refused(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)

    assert (await books.release("t1", "m1")).points == 0

    with pytest.raises(AttemptReleased):
        await books.hold("t1", "m1", 30)
    assert (await books.standing("m1")).available == 100


async def test_a_hold_repeated_after_its_release_is_refused(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 30)
    await books.release("t1", "m1")

    with pytest.raises(AttemptReleased):
        await books.hold("t1", "m1", 30)
    assert (await books.release("t1", "m1")).replayed


async def test_a_captured_attempt_can_neither_be_released_nor_held_late(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 30)
    await books.order("o2", "B", "m1", spent=30, attempt="t1")
    await books.order("o3", "B", "m1", spent=10, attempt="t9")

    assert (await books.release("t1", "m1")).points == 0
    assert (await books.hold("t1", "m1", 30)).replayed
    with pytest.raises(AttemptReleased):
        await books.hold("t9", "m1", 10)

    assert (await books.standing("m1")).available == 60
    assert (await books.verify()).findings == ()


async def test_of_many_holds_of_one_point_exactly_as_many_succeed_as_there_are_points(
    books: Books,
) -> None:
    await books.order("o1", "A", "m1", earned=100)

    outcomes = await asyncio.gather(
        *(books.hold(f"t{n}", "m1", 1) for n in range(300)), return_exceptions=True
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientPoints)]
    assert len(refused) == 200
    assert len(outcomes) - len(refused) == 100
    standing = await books.standing("m1")
    assert (standing.available, standing.held) == (0, 100)
    assert (await books.verify()).findings == ()


async def test_one_key_sent_at_once_by_many_has_one_effect(books: Books) -> None:
    receipts = await asyncio.gather(*(books.order("o1", "A", "m1", earned=100) for _ in range(100)))

    assert sorted(receipt.replayed for receipt in receipts) == [False] + [True] * 99
    assert (await books.standing("m1")).available == 100


async def test_a_capture_and_a_release_that_race_end_in_one_state(books: Books) -> None:
    await books.order("o0", "A", "m1", earned=1_000)
    for n in range(20):
        await books.hold(f"t{n}", "m1", 10)
    captures = (books.order(f"o{n + 1}", "B", "m1", spent=10, attempt=f"t{n}") for n in range(20))
    releases = (books.release(f"t{n}", "m1") for n in range(20))

    await asyncio.gather(*(each for pair in zip(captures, releases, strict=True) for each in pair))

    standing = await books.standing("m1")
    assert (standing.available, standing.held) == (800, 0)
    assert (await books.verify()).findings == ()
