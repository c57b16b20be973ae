"""Minimum spends tested again after partial refunds, of coupons that give articles or shipping."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from merchants.offers import CartLine, CouponKind, CouponOutcome, CouponTerms, GiftZone
from merchants.port import PriceCart
from merchants.template_life import PartialRefundRule, TemplateLife
from tests.merchants.shop import ANN, Shop, cart


async def rechecked(shop: Shop, terms: CouponTerms) -> str:
    await shop.join()
    life = TemplateLife(on_partial_refund=PartialRefundRule.RECHECK_MIN_SPEND)
    template_id = await shop.template(terms, life=life)
    [coupon_id] = await shop.issue(template_id, ANN)
    return coupon_id


async def state_of(shop: Shop, coupon_id: str) -> str:
    state: str = await shop.scalar(f"SELECT state FROM coupon WHERE coupon_id = '{coupon_id}'")
    return state


def gift(**more: Any) -> CouponTerms:
    zone = GiftZone(skus=("gift",), category_ids=None, value_minor=10_000)
    return CouponTerms("gift", CouponKind.GIFT, 10_000, zone=zone, **more)


def with_gift() -> PriceCart:
    lines = (
        CartLine("a", 1, 6_000, "tea"),
        CartLine("b", 1, 6_000, "tea"),
        CartLine("gift", 1, 5_000, "cups"),
    )
    return cart(lines=lines)


@pytest.mark.parametrize("scope", [{}, {"skus": ("a", "b")}])
async def test_a_gift_does_not_count_when_its_minimum_is_tested_again(
    shop: Shop, scope: dict[str, Any]
) -> None:
    coupon_id = await rechecked(shop, gift(**scope))
    placed = await shop.place(with_gift())
    assert placed.order.payable_minor == 12_000

    part = await shop.refund(placed, "r-1", (1, 1))
    rest = await shop.refund(placed, "r-2", (0, 1), (2, 1))

    assert part.terms.coupon_outcome is CouponOutcome.RECHECKED
    assert part.terms.cash_minor == 1_000
    assert rest.terms.cash_minor == 11_000
    assert await state_of(shop, coupon_id) == "ISSUED"


async def test_who_keeps_the_gift_alone_pays_for_it(shop: Shop) -> None:
    await rechecked(shop, gift())
    placed = await shop.place(with_gift())

    refunded = await shop.refund(placed, "r-1", (0, 1), (1, 1))

    assert refunded.terms.cash_minor == 12_000 - 5_000


async def test_a_gift_for_goods_of_a_category_stays_while_its_minimum_may_be_met(
    shop: Shop,
) -> None:
    await rechecked(shop, gift(category_ids=("tea",)))
    placed = await shop.place(with_gift())

    refunded = await shop.refund(placed, "r-1", (2, 1))

    assert refunded.terms.coupon_outcome is CouponOutcome.KEPT
    assert refunded.terms.cash_minor == 0


async def test_a_coupon_on_shipping_stays_used_whatever_is_left_of_the_goods(shop: Shop) -> None:
    free = CouponTerms("free", CouponKind.SHIPPING, 10_000, amount_minor=800)
    coupon_id = await rechecked(shop, free)
    placed = await shop.place(replace(with_gift(), shipping_minor=800))
    assert placed.order.payable_minor == 17_000

    refunded = await shop.refund(placed, "r-1", (0, 1), (1, 1))

    assert refunded.terms.coupon_outcome is CouponOutcome.KEPT
    assert refunded.terms.cash_minor == 12_000
    assert await state_of(shop, coupon_id) == "REDEEMED"
