import asyncio
from dataclasses import replace

import pytest

from kernel.refusals import InvalidInput
from merchants.offers import CouponOutcome, DecisionOutcome, Redemption
from merchants.port import EventKind, LockCoupons, OrderState, ReleaseAttempt
from merchants.refusals import (
    BackendAttemptReleased,
    CouponTaken,
    OrderConflict,
    RefundConflict,
    RefundExceedsOrder,
)
from tests.merchants.shop import ANN, BOB, OTHER_STORE, STORE, TEA, Shop, amount_off, cart

pytestmark = pytest.mark.both_databases


async def example(shop: Shop) -> tuple:
    """Lines 3333, 3333, 3334; a coupon of 10.00; 500 points of one minor unit each."""
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000, min_spend_minor=5_000))
    wanted = cart(3333, 3333, 3334, points=500, points_available=800)
    priced = await shop.backend.price(wanted)
    placed = await shop.place(wanted, agreed=priced)
    return coupon_id, priced, placed


async def test_the_example_order_is_priced_to_the_minor_unit(shop: Shop) -> None:
    coupon_id, priced, _ = await example(shop)

    taken = [
        {each.decision_id: each.amount_minor for each in line.allocations} for line in priced.lines
    ]
    assert taken == [
        {coupon_id: 333, "points": 167},
        {coupon_id: 333, "points": 167},
        {coupon_id: 334, "points": 166},
    ]
    assert [line.payable_minor for line in priced.lines] == [2833, 2833, 2834]
    assert (priced.payable_minor, priced.points_spent, priced.points_to_earn) == (8500, 500, 85)
    assert priced.anonymous_payable_minor == 10_000


async def test_the_example_refund_is_exact_to_the_minor_unit(shop: Shop) -> None:
    _, _, placed = await example(shop)

    refunded = await shop.refund(placed, "r-1", (2, 1))

    assert refunded.terms.cash_minor == 2834
    assert refunded.terms.points_returned == 166
    assert refunded.terms.points_kept == 56
    assert refunded.terms.coupon_outcome is CouponOutcome.KEPT
    assert refunded.order.state is OrderState.PARTIALLY_REFUNDED


async def test_naming_the_chosen_coupon_gives_the_same_version(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000, min_spend_minor=5_000))

    chosen = await shop.backend.price(cart(9_000))
    named = await shop.backend.price(cart(9_000, coupon_ids=(coupon_id,), choose_best=False))

    assert chosen.version == named.version


async def test_a_repeated_placing_answers_the_first_order(shop: Shop) -> None:
    await shop.join()
    order = await shop.placing(cart(500))
    first = await shop.backend.place(order)

    again = await shop.backend.place(order)
    under_new_ids = await shop.backend.place(
        replace(order, order_id=shop.ids.new_within("ord", TEA), attempt_id="another")
    )

    assert again.replayed
    assert under_new_ids.replayed
    assert again.order == under_new_ids.order == first.order
    assert again.event == first.event
    assert await shop.scalar("SELECT order_count FROM card_metric") == 1


async def test_another_sale_under_the_same_number_is_a_conflict(shop: Shop) -> None:
    await shop.join()
    first = await shop.place(cart(500), order_no="7")

    with pytest.raises(OrderConflict) as caught:
        await shop.place(cart(501), order_no="7")

    assert caught.value.order_id == first.order.id


async def test_a_price_that_was_tampered_with_is_refused(shop: Shop) -> None:
    order = await shop.placing(cart(500))
    cheaper = replace(order.agreed, payable_minor=1)

    with pytest.raises(InvalidInput):
        await shop.backend.place(replace(order, agreed=cheaper))


async def test_a_released_attempt_can_not_place_nor_lock(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000))
    order = await shop.placing(cart(5_000))
    await shop.backend.lock(LockCoupons(TEA, order.attempt_id, STORE, ANN, (coupon_id,)))
    released = await shop.backend.release(ReleaseAttempt(TEA, order.attempt_id))

    with pytest.raises(BackendAttemptReleased):
        await shop.backend.place(order)
    with pytest.raises(BackendAttemptReleased):
        await shop.backend.lock(LockCoupons(TEA, order.attempt_id, STORE, ANN, (coupon_id,)))

    assert released.coupon_ids == (coupon_id,)
    again = await shop.backend.release(ReleaseAttempt(TEA, order.attempt_id))
    assert again.replayed
    assert again.coupon_ids == released.coupon_ids


async def test_a_paid_attempt_is_not_released(shop: Shop) -> None:
    placed = await shop.place(cart(500))

    with pytest.raises(OrderConflict):
        await shop.backend.release(ReleaseAttempt(TEA, placed.order.attempt_id))


async def test_of_fifty_locks_at_once_one_wins_and_the_others_learn_who(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000))
    locks = [
        LockCoupons(TEA, f"a-{index}", STORE if index else OTHER_STORE, ANN, (coupon_id,))
        for index in range(50)
    ]

    results = await asyncio.gather(
        *(shop.backend.lock(lock) for lock in locks), return_exceptions=True
    )

    losers = [each for each in results if isinstance(each, CouponTaken)]
    winner = next(index for index, each in enumerate(results) if not isinstance(each, Exception))
    assert len(losers) == 49
    assert {each.taken_at_store_id for each in losers} == {locks[winner].store_id}
    assert {each.taken_at for each in losers} == {shop.now_micros}


async def test_a_repeated_lock_is_the_same_lock(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000))
    lock = LockCoupons(TEA, "a", STORE, ANN, (coupon_id,))
    first = await shop.backend.lock(lock)

    again = await shop.backend.lock(lock)

    assert (first.replayed, again.replayed) == (False, True)


async def test_locks_are_all_or_none(shop: Shop) -> None:
    await shop.join()
    taken = await shop.coupon(amount_off(1_000))
    free = await shop.coupon(amount_off(2_000))
    await shop.backend.lock(LockCoupons(TEA, "a", STORE, ANN, (taken,)))

    with pytest.raises(CouponTaken):
        await shop.backend.lock(LockCoupons(TEA, "b", STORE, ANN, (free, taken)))

    await shop.backend.lock(LockCoupons(TEA, "c", STORE, ANN, (free,)))


async def test_a_coupon_lost_before_a_late_capture_is_borne_by_the_merchant(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000))
    late = await shop.placing(cart(5_000))
    await shop.backend.lock(LockCoupons(TEA, "elsewhere", STORE, ANN, (coupon_id,)))

    placed = await shop.backend.place(late)

    assert placed.absorbed_minor == 1_000
    assert placed.order.payable_minor == 4_000
    assert placed.event.redemptions == ()
    assert (await shop.backend.place(late)).absorbed_minor == 1_000


async def test_a_full_refund_gives_the_coupon_back_and_a_sale_takes_it_again(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000))
    placed = await shop.place(cart(5_000))
    before = await shop.backend.price(cart(5_000, coupon_ids=(coupon_id,)))

    refunded = await shop.refund(placed, "r", (0, 1))
    after = await shop.backend.price(cart(5_000))

    assert before.decisions[0].reason == "COUPON_REDEEMED"
    assert refunded.terms.coupon_outcome is CouponOutcome.RETURNED
    assert refunded.event.redemptions == (Redemption(coupon_id, -1_000, 0),)
    assert after.coupon_ids == (coupon_id,)
    assert after.decisions[0].outcome is DecisionOutcome.APPLIED


async def test_a_coupon_whose_time_is_over_is_not_returned(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(amount_off(1_000), valid_days=3)
    placed = await shop.place(cart(5_000))
    shop.pass_time(days=4)

    refunded = await shop.refund(placed, "r", (0, 1))

    assert refunded.terms.coupon_outcome is CouponOutcome.EXPIRED


async def test_a_repeated_refund_answers_the_first(shop: Shop) -> None:
    placed = await shop.place(cart(500, 600))
    first = await shop.refund(placed, "r", (1, 1))

    again = await shop.refund(placed, "r", (1, 1))

    assert again.replayed
    assert (again.terms, again.event) == (first.terms, first.event)


async def test_another_refund_under_the_same_number_is_a_conflict(shop: Shop) -> None:
    placed = await shop.place(cart(500, 600))
    await shop.refund(placed, "r", (1, 1))

    with pytest.raises(RefundConflict):
        await shop.refund(placed, "r", (0, 1))


async def test_more_than_the_order_holds_is_not_refunded(shop: Shop) -> None:
    placed = await shop.place(cart(500, 600, shipping_minor=50))
    await shop.refund(placed, "r", (1, 1))

    with pytest.raises(RefundExceedsOrder) as by_line:
        await shop.refund(placed, "s", (1, 1))
    with pytest.raises(RefundExceedsOrder):
        await shop.refund(placed, "s", amount=551)

    assert by_line.value.refundable_minor == 550


async def test_a_price_adjustment_ends_an_order_only_with_all_that_was_paid(shop: Shop) -> None:
    cash = await shop.place(cart(1_000, shipping_minor=50))
    part = await shop.refund(cash, "r", amount=1_049)
    whole = await shop.refund(cash, "s", amount=1)
    mixed = await shop.place(cart(1_000, points=100, points_available=100))
    cash_of_mixed = await shop.refund(mixed, "t", amount=900)
    goods_of_mixed = await shop.refund(mixed, "u", (0, 1))

    refunds = [part, whole, cash_of_mixed, goods_of_mixed]
    assert [each.order.state is OrderState.REFUNDED for each in refunds] == [
        False,
        True,
        False,
        True,
    ]
    assert (goods_of_mixed.terms.cash_minor, goods_of_mixed.terms.points_returned) == (0, 100)


@pytest.mark.parametrize("amount", [0, -1])
async def test_a_price_adjustment_hands_something_back(shop: Shop, amount: int) -> None:
    placed = await shop.place(cart(1_000))

    with pytest.raises(InvalidInput):
        await shop.refund(placed, "r", amount=amount)


async def test_the_outbox_tells_everything_in_order(shop: Shop) -> None:
    first = await shop.place(cart(500))
    second = await shop.place(cart(700, card_id=None, membership_id=None))
    refunded = await shop.refund(first, "r", (0, 1))

    events = await shop.backend.events(TEA)

    assert events == [first.event, second.event, refunded.event]
    assert [each.kind for each in events] == [
        EventKind.ORDER_PLACED,
        EventKind.ORDER_PLACED,
        EventKind.ORDER_REFUNDED,
    ]
    assert await shop.backend.events(TEA, after=events[1].cursor) == [refunded.event]
    assert await shop.backend.events_of_all() == events


async def test_an_order_is_found_by_id_and_by_number(shop: Shop) -> None:
    placed = await shop.place(cart(500))

    by_id = await shop.backend.orders([(TEA, placed.order.id), (TEA, "ord_none")])
    by_no = await shop.backend.order_by_no(TEA, placed.order.order_no)

    assert by_id == [placed.order, None]
    assert by_no == placed.order


async def test_nobody_locks_the_coupon_of_another_card(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000))

    priced = await shop.backend.price(cart(5_000, card_id=BOB, coupon_ids=(coupon_id,)))

    assert priced.decisions[0].reason == "COUPON_NOT_FOUND"
