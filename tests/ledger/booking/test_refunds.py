"""A refund gives back what was spent and takes back what was earned, cumulatively."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.contract import ApplyRefund, DebtPolicy, OrderUnknown
from tests.ledger.book import Books


async def test_the_refunded_line_of_the_example_takes_back_29_points(books: Books) -> None:
    await books.order("o0", "A", "m1", earned=500)
    await books.order("o1", "A", "m1", spent=500, earned=85)

    refund = await books.refund("o1", "r1", points=166, kept=5_666 // 100)

    assert refund.points_clawed_back == 29
    assert refund.points_returned == 166
    assert refund.debt_created == 0
    assert (await books.standing("m1")).available == 166 + 56


async def test_a_refund_before_its_order_is_asked_to_come_again(books: Books) -> None:
    early = ApplyRefund("o1", "r1", "A", "m1", 0, 0, 0, books.now)
    with pytest.raises(OrderUnknown) as refused:
        await books.ledger.apply_refund(early)
    assert refused.value.retryable
    with pytest.raises(OrderUnknown):
        await books.ledger.preview_refund(early)

    await books.order("o1", "A", "m1", earned=100, at=early.at)

    assert (await books.ledger.apply_refund(early)).points_clawed_back == 100


async def test_spent_points_return_to_the_lots_they_came_from(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=10))
    await books.order("o2", "B", "m1", earned=100, expires_in=timedelta(days=20))
    await books.order("o3", "C", "m1", spent=150)
    before = await books.positions()

    first = await books.refund("o3", "r1", points=70, kept=0)
    assert await books.rows("SELECT remaining FROM lot ORDER BY id") == [(20,), (100,)]
    second = await books.refund("o3", "r2", points=80, kept=0)

    assert (first.points_returned, second.points_returned) == (70, 80)
    assert await books.rows("SELECT remaining FROM lot ORDER BY id") == [(100,), (100,)]
    assert before["C"] == 147
    assert "C" not in await books.positions()
    assert (await books.verify()).findings == ()


async def test_points_of_an_expired_lot_return_for_30_days(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=10))
    await books.order("o2", "B", "m1", spent=100)
    books.clock.set(books.now + timedelta(days=11))

    await books.refund("o2", "r1", points=60, kept=0)

    assert (await books.standing("m1")).available == 60
    books.clock.set(books.now + timedelta(days=30))
    assert (await books.standing("m1")).available == 0
    assert (await books.verify()).findings == ()


async def test_no_order_gives_back_more_than_it_took(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m1", spent=50)

    await books.refund("o2", "r1", points=40, kept=0)
    second = await books.refund("o2", "r2", points=40, kept=0)

    assert second.points_returned == 10
    assert (await books.standing("m1")).available == 100


async def test_of_points_that_the_merchant_bore_only_the_burned_ones_return(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=60)
    await books.order("o2", "B", "m1", spent=100)

    half = await books.refund("o2", "r1", points=50, kept=0)
    rest = await books.refund("o2", "r2", points=50, kept=0)

    assert (half.points_returned, rest.points_returned) == (30, 30)


async def test_partial_claw_backs_give_the_issuer_all_of_its_cost_back(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=333)
    for n, kept in enumerate([300, 299, 150, 1, 0]):
        await books.refund("o1", f"r{n}", kept=kept)

    assert await books.positions() == {}
    assert (await books.standing("m1")).available == 0


async def test_refunds_that_arrive_out_of_order_end_alike(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    late = await books.refund("o1", "r2", kept=40)
    early = await books.refund("o1", "r1", kept=70)

    assert (late.points_clawed_back, early.points_clawed_back) == (60, 0)
    assert (await books.standing("m1")).available == 40


async def test_held_points_are_not_clawed_back_but_repay_once_they_are_free(
    books: Books,
) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 80)

    refund = await books.refund("o1", "r1", kept=0)

    assert (refund.points_clawed_back, refund.debt_created) == (100, 80)
    await books.release("t1", "m1")
    standing = await books.standing("m1")
    assert (standing.available, standing.debt) == (0, 0)
    assert await books.positions() == {}
    assert (await books.verify()).findings == ()


async def test_returned_points_repay_an_open_debt_first(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m1", spent=100)
    await books.refund("o1", "r1", kept=0)

    refund = await books.refund("o2", "r2", points=100, kept=0)

    assert (refund.points_returned, refund.debt_repaid) == (100, 100)
    standing = await books.standing("m1")
    assert (standing.available, standing.debt) == (0, 0)
    assert await books.positions() == {}


async def test_the_oldest_debt_is_repaid_first(books: Books) -> None:
    for shop in ("A", "B"):
        await books.order(f"o{shop}", shop, "m1", earned=100)
    await books.order("o1", "C", "m1", spent=200)
    await books.refund("oB", "r1", kept=0)
    await books.refund("oA", "r2", kept=0)

    await books.order("o2", "C", "m1", earned=150)

    debts = await books.rows("SELECT order_id, owed, open FROM debt ORDER BY id")
    assert debts == [("oB", 100, 0), ("oA", 100, 50)]


@pytest.mark.parametrize("policy", [DebtPolicy.WITHIN_BALANCE, DebtPolicy.DEDUCT_FROM_REFUND_CASH])
async def test_without_debts_the_issuer_keeps_bearing_what_is_gone(
    books: Books, policy: DebtPolicy
) -> None:
    books.owe_by(policy)
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m1", spent=70)

    refund = await books.refund("o1", "r1", kept=0)

    assert (refund.points_clawed_back, refund.points_shortfall) == (30, 70)
    assert refund.debt_created == 0
    assert (await books.standing("m1")).debt == 0
    assert (await books.positions())["A"] == -105 + 30 + 2


async def test_a_preview_tells_what_the_refund_then_does_and_writes_nothing(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m1", spent=70)
    request = books.refund_of("o1", "r1", kept=10)
    rows_before = await books.rows("SELECT count(*) FROM entry")

    preview = await books.ledger.preview_refund(request)

    assert await books.rows("SELECT count(*) FROM entry") == rows_before
    applied = await books.ledger.apply_refund(request)
    assert applied == preview
    assert await books.ledger.apply_refund(request) == replace(applied, replayed=True)
