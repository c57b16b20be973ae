"""Refunds of lines of which a coupon gave some units: the paid ones first, at their price."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from merchants.coupons.template_life import PartialRefundRule, TemplateLife
from merchants.offers import CartLine, CouponKind, CouponOutcome, CouponTerms, GiftZone
from merchants.port import Placed
from tests.merchants.shop import Shop, cart


def gives(kind: str = "GIFT", **zone: Any) -> CouponTerms:
    return CouponTerms("gift", CouponKind(kind), 1, zone=GiftZone(skus=("cup",), **zone))


def bought(*lines: tuple[str, int, int], **more: Any) -> Any:
    return cart(lines=tuple(CartLine(*each) for each in lines), **more)


async def cash_back(shop: Shop, placed: Placed, *lines: tuple[int, int]) -> list[int]:
    """Cash of one refund after the other."""
    return [
        (await shop.refund(placed, f"r-{count}", line)).terms.cash_minor
        for count, line in enumerate(lines)
    ]


async def test_a_unit_that_a_coupon_gave_brings_nothing_back_and_the_others_their_price(
    shop: Shop,
) -> None:
    await shop.join()
    await shop.coupon(gives())
    placed = await shop.place(bought(("cup", 3, 1_000)))
    assert placed.order.payable_minor == 2_000

    assert await cash_back(shop, placed, (0, 1), (0, 1), (0, 1)) == [1_000, 1_000, 0]


async def test_an_add_on_unit_brings_its_add_on_price_back(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(gives("EXCHANGE", add_on_minor=300))
    placed = await shop.place(bought(("cup", 2, 1_000)))
    assert placed.order.payable_minor == 1_300

    assert await cash_back(shop, placed, (0, 1), (0, 1)) == [1_000, 300]


async def test_so_do_units_of_a_coupon_that_gives_several(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(gives("EXCHANGE", add_on_minor=250, pick=2))
    placed = await shop.place(bought(("tea", 1, 700), ("cup", 4, 1_000)))
    assert placed.order.payable_minor == 700 + 2_000 + 500

    assert await cash_back(shop, placed, (1, 3), (0, 1), (1, 1)) == [2_250, 700, 250]


async def test_a_gift_that_a_cap_cuts_brings_back_what_was_paid_for_it(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(replace(gives(), cap_minor=400))
    placed = await shop.place(bought(("cup", 2, 1_000)))
    assert placed.order.payable_minor == 1_600

    assert await cash_back(shop, placed, (0, 1), (0, 1)) == [1_000, 600]


async def test_points_and_coins_come_back_with_the_units_that_they_paid(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(gives())
    placed = await shop.place(
        bought(
            ("cup", 3, 1_000),
            points=500,
            points_available=500,
            coins_minor=300,
            coins_available_minor=300,
        )
    )

    terms = [(await shop.refund(placed, f"r-{count}", (0, 1))).terms for count in range(3)]

    assert [
        (each.cash_minor, each.points_returned, each.coins_returned_minor) for each in terms
    ] == [(600, 250, 150), (600, 250, 150), (0, 0, 0)]


async def test_other_coupons_reach_the_paid_units_alone_when_they_come_back(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(gives(pick=1))
    off = CouponTerms("off", CouponKind.PERCENT_OFF, 1, percent_off_bps=1_000, cap_minor=2_000)
    await shop.coupon(replace(off, stacking_group="later"))
    placed = await shop.place(bought(("cup", 2, 1_001)))
    assert placed.order.payable_minor == 1_001 - 100

    assert await cash_back(shop, placed, (0, 1), (0, 1)) == [901, 0]


async def test_after_a_price_adjustment_the_paid_units_bring_back_what_is_left(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(gives())
    placed = await shop.place(bought(("cup", 3, 1_000)))
    await shop.refund(placed, "less", amount=500)

    assert await cash_back(shop, placed, (0, 1), (0, 1), (0, 1)) == [750, 750, 0]


async def test_what_a_coupon_gave_is_kept_back_as_a_whole_and_comes_back_with_its_unit(
    shop: Shop,
) -> None:
    await shop.join()
    life = TemplateLife(on_partial_refund=PartialRefundRule.RECHECK_MIN_SPEND)
    await shop.coupon(replace(gives(), min_spend_minor=5_000), life=life)
    placed = await shop.place(bought(("tea", 1, 4_500), ("cup", 2, 1_000)))
    assert placed.order.payable_minor == 5_500

    first = await shop.refund(placed, "r-1", (1, 1))
    second = await shop.refund(placed, "r-2", (0, 1))
    third = await shop.refund(placed, "r-3", (1, 1))

    # Tea alone is below the minimum, so the cup that is left is no gift any more.
    assert (first.terms.cash_minor, first.terms.coupon_outcome) == (0, CouponOutcome.RECHECKED)
    assert second.terms.cash_minor == 4_500
    assert third.terms.cash_minor == 1_000


@pytest.mark.parametrize("quantities", [(5,), (1, 1, 1, 1, 1)])
async def test_a_line_of_five_is_refunded_as_five_lines_of_one(
    shop: Shop, quantities: tuple[int, ...]
) -> None:
    await shop.join()
    await shop.coupon(gives(pick=2))
    placed = await shop.place(bought(*[("cup", each, 999) for each in quantities]))
    free = len(quantities) > 1
    # Of lines of one the first two are given.
    order = [(2, 1), (3, 1), (4, 1), (0, 1), (1, 1)] if free else [(0, 1)] * 5

    assert await cash_back(shop, placed, *order) == [999, 999, 999, 0, 0]
