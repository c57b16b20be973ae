"""Budgets, lost tiers, cumulative deductions: what the public API alone can not show."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.clock import to_micros
from merchants.coupons.audiences import Audience, AudienceKind
from merchants.coupons.lifecycle import void_tier_coupons
from merchants.coupons.template_life import (
    CouponTemplateState,
    CouponTrigger,
    TemplateLife,
    life_as_json,
    life_from_json,
    may_follow,
)
from merchants.ladders.segments import Segment
from merchants.ladders.tiers import TierMetric
from merchants.offers import (
    Allocation,
    CouponTerms,
    Decision,
    DecisionKind,
    DecisionOutcome,
    KeptBack,
    PricedLine,
)
from merchants.port import ClaimCoupon, LockCoupons, RecordEvent, RefundLine, ReleaseAttempt
from merchants.refusals import CouponBudgetSpent
from merchants.sales.rechecking import RecheckedCoupon, with_recheck
from merchants.sales.refunding import PaidOrder, refund_lines
from merchants.sharing.share_codes import share_coupon
from tests.merchants.shop import (
    ALLIANCE,
    ANN,
    BOB,
    NOW,
    SETTINGS,
    STORE,
    TEA,
    Shop,
    amount_off,
    cart,
    ladder,
)

TIER_TWO = Audience(AudienceKind.TIER, ladder="count", min_rank=2)
REACHED = TemplateLife(trigger=CouponTrigger.TIER_REACHED, audience=TIER_TWO)


@pytest.mark.parametrize("before", list(CouponTemplateState))
def test_an_ended_template_stays_ended_and_no_template_becomes_a_draft(
    before: CouponTemplateState,
) -> None:
    assert not may_follow(before, CouponTemplateState.DRAFT)
    assert not may_follow(CouponTemplateState.ENDED, before)


def test_how_coupons_live_is_kept_as_it_was() -> None:
    zombie = Audience(AudienceKind.SEGMENT, segment=Segment.ZOMBIE)
    life = TemplateLife(
        budget_minor=5,
        audience=zombie,
        trigger=CouponTrigger.HOLIDAY,
        trigger_on=NOW.date(),
        share_days=3,
        share_new_members_only=True,
    )

    assert life_from_json(life_as_json(life)) == life
    assert life_from_json(None) == TemplateLife()


async def test_a_lock_takes_its_cost_from_the_budget_and_a_release_gives_it_back(
    shop: Shop,
) -> None:
    await shop.join()
    life = TemplateLife(budget_minor=700)
    template_id = await shop.template(amount_off(500), life=life)
    first, second = [(await shop.issue(template_id, ANN))[0] for _ in range(2)]

    await shop.backend.lock(LockCoupons(TEA, "one", STORE, ANN, (first,), costs_minor=(300,)))
    with pytest.raises(CouponBudgetSpent):
        await shop.backend.lock(LockCoupons(TEA, "two", STORE, ANN, (second,)))
    await shop.backend.release(ReleaseAttempt(TEA, "one"))
    await shop.backend.lock(LockCoupons(TEA, "three", STORE, ANN, (second,)))

    assert await shop.scalar("SELECT spent_minor FROM coupon_template") == 500


async def test_fifty_locks_at_once_stay_within_the_budget(shop: Shop) -> None:
    await shop.join()
    template_id = await shop.template(amount_off(500), life=TemplateLife(budget_minor=3_499))
    coupons = [(await shop.issue(template_id, ANN))[0] for _ in range(50)]

    async def lock(number: int) -> bool:
        attempt = LockCoupons(TEA, f"try-{number}", STORE, ANN, (coupons[number],))
        try:
            await shop.backend.lock(attempt)
        except CouponBudgetSpent:
            return False
        return True

    assert sum(await asyncio.gather(*(lock(number) for number in range(50)))) == 6
    assert await shop.scalar("SELECT spent_minor FROM coupon_template") == 3_000


async def reach_tier_two(shop: Shop, **template: Any) -> str:
    """Id of the coupon that reaching the second tier gave."""
    await shop.join()
    steps = (("one", 1), ("two", 2))
    await shop.set_ladder(ladder(TierMetric.PURCHASE_COUNT, *steps, name="count"))
    await shop.template(amount_off(500), life=REACHED, **template)
    await shop.place(cart(100))
    await shop.place(cart(100))
    return str(await shop.scalar("SELECT coupon_id FROM coupon"))


async def void_of_tier(shop: Shop, rank: int, card_id: str = ANN) -> list[str]:
    def work(connection: Any) -> list[str]:
        return void_tier_coupons(
            connection, merchant_id=TEA, card_id=card_id, ladder="count", rank=rank
        )

    return await shop.database.transaction(work)


async def test_a_lost_tier_takes_its_unused_coupons_and_can_give_them_again(shop: Shop) -> None:
    coupon_id = await reach_tier_two(shop)

    assert await void_of_tier(shop, 2) == []
    assert await void_of_tier(shop, 1) == [coupon_id]
    assert await void_of_tier(shop, 1) == []
    assert await shop.scalar("SELECT state FROM coupon") == "VOID"
    assert await shop.scalar("SELECT COUNT(*) FROM coupon_occasion") == 0


async def test_a_coupon_that_comes_back_after_its_tier_was_lost_is_withdrawn(shop: Shop) -> None:
    await shop.join()
    await shop.set_ladder(ladder(TierMetric.PURCHASE_COUNT, ("one", 1), ("two", 2), name="count"))
    await shop.template(amount_off(500), life=REACHED)
    orders = [await shop.place(cart(100)) for _ in range(2)]
    coupon_id = str(await shop.scalar("SELECT coupon_id FROM coupon"))
    await shop.backend.lock(LockCoupons(TEA, "try", STORE, ANN, (coupon_id,)))

    await shop.refund(orders[0], "r", (0, 1))
    held = await shop.scalar("SELECT state FROM coupon")
    await shop.backend.release(ReleaseAttempt(TEA, "try"))
    freed = await shop.scalar("SELECT state FROM coupon")
    await shop.place(cart(100))
    again = await shop.scalar("SELECT COUNT(*) FROM coupon WHERE state = 'ISSUED'")

    assert (held, freed, again) == ("LOCKED", "VOID", 1)


async def test_a_coupon_that_a_refund_brings_back_below_its_tier_is_withdrawn(shop: Shop) -> None:
    await shop.join()
    await shop.set_ladder(ladder(TierMetric.PURCHASE_COUNT, ("one", 1), ("two", 2), name="count"))
    await shop.template(amount_off(500), life=REACHED)
    orders = [await shop.place(cart(100)) for _ in range(2)]
    coupon_id = str(await shop.scalar("SELECT coupon_id FROM coupon"))
    bought = await shop.place(cart(1_000, coupon_ids=(coupon_id,)))
    for number, each in enumerate(orders):
        await shop.refund(each, f"r-{number}", (0, 1))

    refunded = await shop.refund(bought, "r", (0, 1))

    assert refunded.terms.cash_minor == 500
    assert await shop.scalar("SELECT state FROM coupon") == "VOID"


async def test_a_coupon_that_comes_back_while_its_tier_stands_is_its_holders(shop: Shop) -> None:
    coupon_id = await reach_tier_two(shop)
    await shop.backend.lock(LockCoupons(TEA, "try", STORE, ANN, (coupon_id,)))
    await shop.backend.release(ReleaseAttempt(TEA, "try"))
    bought = await shop.place(cart(1_000, coupon_ids=(coupon_id,)))

    await shop.refund(bought, "r", (0, 1))

    assert await shop.scalar("SELECT state FROM coupon") == "ISSUED"


async def test_a_lost_tier_leaves_a_coupon_that_a_checkout_holds(shop: Shop) -> None:
    coupon_id = await reach_tier_two(shop)
    await shop.backend.lock(LockCoupons(TEA, "one", STORE, ANN, (coupon_id,)))

    assert await void_of_tier(shop, 0) == []
    assert await shop.scalar("SELECT state FROM coupon") == "LOCKED"


async def test_a_coupon_that_a_friend_claimed_outlives_the_tiers_of_both(shop: Shop) -> None:
    coupon_id = await reach_tier_two(shop, shareable=True)
    await shop.join(BOB)
    zone = SETTINGS.facts.zone

    def share(connection: Any) -> str:
        return share_coupon(
            connection,
            merchant_id=TEA,
            coupon_id=coupon_id,
            card_id=ANN,
            now=NOW,
            zone=zone,
            ids=shop.ids,
        )

    code = await shop.database.transaction(share)
    claimed = await shop.backend.claim(ClaimCoupon(TEA, code, BOB, is_new_member=False))

    assert await void_of_tier(shop, 0) == await void_of_tier(shop, 0, BOB) == []
    state = "SELECT state FROM coupon WHERE card_id = '{}'"
    assert claimed.coupon_id != coupon_id
    assert await shop.scalar(state.format(ANN)) == "TRANSFERRED"
    assert await shop.scalar(state.format(BOB)) == "ISSUED"


async def test_a_repeated_sale_gives_its_coupons_once(shop: Shop) -> None:
    await reach_tier_two(shop)
    order = await shop.placing(cart(100))

    await shop.backend.place(order)
    await shop.backend.place(order)

    assert await shop.scalar("SELECT COUNT(*) FROM coupon") == 1


async def test_a_coupon_whose_budget_went_meanwhile_is_absorbed_by_a_paid_sale(shop: Shop) -> None:
    await shop.join()
    template_id = await shop.template(amount_off(500), life=TemplateLife(budget_minor=500))
    first, second = [(await shop.issue(template_id, ANN))[0] for _ in range(2)]
    named = {"choose_best": False}
    late = await shop.placing(cart(1_000, coupon_ids=(first,), **named))
    await shop.place(cart(1_000, coupon_ids=(second,), **named))

    placed = await shop.backend.place(late)

    assert (placed.order.payable_minor, placed.absorbed_minor) == (500, 500)
    assert await shop.scalar("SELECT spent_minor FROM coupon_template") == 500


PRICES = st.lists(st.tuples(st.integers(1, 5_000), st.integers(1, 4)), min_size=1, max_size=4)


@settings(deadline=None)
@given(prices=PRICES, off=st.integers(1, 2_000), data=st.data())
def test_rechecked_refunds_bring_back_what_was_paid_and_never_less_than_nothing(
    prices: list[tuple[int, int]], off: int, data: st.DataObject
) -> None:
    lists = [price * units for price, units in prices]
    off = min(off, sum(lists))
    minimum = data.draw(st.integers(1, sum(lists)))
    shares = [off * amount // sum(lists) for amount in lists]
    shares[0] += min(off - sum(shares), lists[0] - shares[0])
    lines = tuple(
        PricedLine(index, "sku", units, amount, amount - share, 0, 0, (Allocation("c", share),))
        for index, ((_, units), amount, share) in enumerate(zip(prices, lists, shares, strict=True))
    )
    decision = Decision("c", "c", DecisionKind.COUPON, DecisionOutcome.APPLIED, "")
    terms: CouponTerms = amount_off(off, min_spend_minor=minimum)
    order = PaidOrder(lines, (), 0, 0, 1, 10_000, "CNY")
    left = [units for _, units in prices]
    cash, kept = 0, KeptBack()
    qualifying = sum(line.payable_minor for line in lines)
    paid = qualifying
    while any(left):
        index = data.draw(st.sampled_from([i for i, units in enumerate(left) if units]))
        units = data.draw(st.integers(1, left[index]))
        plain = refund_lines(order, [RefundLine(index, units)])
        refund = with_recheck(
            plain,
            order,
            [RecheckedCoupon("c", terms)],
            [decision],
            before=kept,
        ).shares
        assert refund.cash_minor >= 0
        assert refund.qualifying_minor <= qualifying
        cash, kept = cash + refund.cash_minor, kept.and_then(refund.kept_back)
        qualifying = refund.qualifying_minor
        assert cash + qualifying == paid
        left[index] -= units
        order = PaidOrder(lines, (*order.refunded, *refund.lines), 0, 0, 1, 10_000, "CNY")

    assert cash == paid
    assert kept.is_nothing


async def test_a_share_reads_as_free_again_by_its_time_alone(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(500))
    await shop.database.transaction(
        lambda connection: connection.exec_driver_sql(
            "UPDATE coupon SET state = 'TRANSFERRED', share_code = 'x', share_until = "
            f"{to_micros(NOW + timedelta(hours=1))}"
        )
    )
    before = await shop.backend.price(cart(1_000, coupon_ids=(coupon_id,)))
    shop.pass_time(hours=1)
    after = await shop.backend.price(cart(1_000, at=shop.clock.now()))

    assert (before.payable_minor, after.payable_minor) == (1_000, 500)


async def test_a_refund_after_the_coupons_time_gives_its_cost_back_to_the_alliances_budget(
    shop: Shop,
) -> None:
    await shop.join(merchant_id=ALLIANCE)
    template_id = await shop.template(
        amount_off(500),
        merchant_id=ALLIANCE,
        valid_days=1,
        life=TemplateLife(budget_minor=500),
    )
    [coupon_id] = await shop.issue(template_id, ANN, merchant_id=ALLIANCE)
    sale = RecordEvent(
        merchant_id=ALLIANCE,
        at_merchant_id=TEA,
        order_id="o-1",
        refund_no=None,
        attempt_id="a-1",
        card_id=ANN,
        at=NOW,
        qualifying_minor=1_000,
        coupon_ids=(coupon_id,),
        costs_minor=(500,),
    )
    await shop.backend.record(sale)
    spent = await shop.scalar("SELECT spent_minor FROM coupon_template")
    late = NOW + timedelta(days=1_000)
    refund = replace(
        sale, refund_no="r-1", attempt_id=None, at=late, qualifying_minor=0, is_ended=True
    )

    await shop.backend.record(refund)

    assert (spent, await shop.scalar("SELECT spent_minor FROM coupon_template")) == (500, 0)
    assert await shop.scalar("SELECT state FROM coupon") == "REDEEMED"
