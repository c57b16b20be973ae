"""Minimum spends tested again after partial refunds, of coupons that give articles or shipping."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from merchants.coupons.template_life import PartialRefundRule, TemplateLife
from merchants.ladders.tiers import Benefit, TierMetric
from merchants.offers import (
    CartLine,
    CouponKind,
    CouponOutcome,
    CouponTerms,
    GiftZone,
    OfferedCoupon,
)
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from merchants.schema.offers import PricedLine
from merchants.stored import dump, load
from tests.merchants.shop import ANN, TEA, Shop, amount_off, cart, ladder, with_benefit


async def rechecked(shop: Shop, terms: CouponTerms) -> str:
    await shop.join()
    life = TemplateLife(on_partial_refund=PartialRefundRule.RECHECK_MIN_SPEND)
    template_id = await shop.template(terms, life=life)
    [coupon_id] = await shop.issue(template_id, ANN)
    return coupon_id


async def give_cups(shop: Shop) -> None:
    """A cup comes with Ann's orders of 50.00 and more from now on."""
    cup = Benefit("GIFT", "cup", gift_sku="cup", min_spend_minor=5_000)
    await shop.set_ladder(with_benefit(ladder(TierMetric.PURCHASE_COUNT, ("one", 1)), cup))
    await shop.place(cart(100))


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


def teas_and_a_pen() -> PriceCart:
    """Teas of 120.00, a cup of their category, and a dear pen of another."""
    return cart(
        lines=(
            CartLine("a", 1, 6_000, "tea"),
            CartLine("b", 1, 6_000, "tea"),
            CartLine("gift", 1, 5_000, "tea"),
            CartLine("pen", 1, 20_000, "pens"),
        )
    )


@pytest.mark.parametrize(("kind", "add_on_minor"), [("GIFT", 0), ("EXCHANGE", 1_500)])
@pytest.mark.parametrize("scope", [{}, {"skus": ("a", "b", "gift")}])
async def test_goods_outside_its_categories_do_not_count_for_a_gift_that_is_tested_again(
    shop: Shop, kind: str, add_on_minor: int, scope: dict[str, Any]
) -> None:
    terms = gift(category_ids=("tea",), **scope)
    assert terms.zone is not None
    zone = replace(terms.zone, add_on_minor=add_on_minor)
    coupon_id = await rechecked(shop, replace(terms, kind=CouponKind(kind), zone=zone))
    placed = await shop.place(teas_and_a_pen())
    assert placed.order.payable_minor == 32_000 + add_on_minor

    of_tea = await shop.refund(placed, "r-1", (1, 1))
    of_pen = await shop.refund(placed, "r-2", (3, 1))
    of_rest = await shop.refund(placed, "r-3", (0, 1), (2, 1))

    assert of_pen.terms.cash_minor == 20_000
    assert of_tea.terms.coupon_outcome is CouponOutcome.RECHECKED
    assert of_tea.terms.cash_minor == 6_000 - (5_000 - add_on_minor)
    assert of_rest.terms.cash_minor == 6_000 + 5_000
    assert await state_of(shop, coupon_id) == "ISSUED"


async def test_an_order_that_kept_no_lines_of_a_gifts_categories_is_tested_on_all(
    shop: Shop,
) -> None:
    await rechecked(shop, gift(category_ids=("tea",)))
    placed = await shop.place(teas_and_a_pen())
    await store_without_shares_of_nothing(shop)

    refunded = await shop.refund(placed, "r-1", (0, 1))

    assert refunded.terms.coupon_outcome is CouponOutcome.KEPT
    assert refunded.terms.cash_minor == 6_000


async def store_without_shares_of_nothing(shop: Shop) -> None:
    """Makes the order what it was before such shares were kept."""
    stored: str = await shop.scalar("SELECT lines FROM sale")
    older = dump([[*line[:-1], [each for each in line[-1] if each[1]]] for line in load(stored)])
    assert older != stored
    await shop.database.transaction(
        lambda connection: connection.execute(
            text("UPDATE sale SET lines = :lines"), {"lines": older}
        )
    )


def off_teas(kind: str = "PERCENT_OFF", **more: Any) -> CouponTerms:
    return CouponTerms("teas", CouponKind(kind), 15_000, category_ids=("tea",), **more)


async def test_an_article_that_a_tier_gave_counts_for_a_coupon_of_its_category(
    shop: Shop,
) -> None:
    coupon_id = await rechecked(shop, off_teas(percent_off_bps=1_000))
    await give_cups(shop)
    lines = (
        CartLine("cup", 1, 6_000, "tea"),
        CartLine("leaves", 1, 10_000, "tea"),
        CartLine("pen", 1, 500),
    )
    placed = await shop.place(cart(lines=lines))
    assert placed.order.payable_minor == 9_500

    of_pen = await shop.refund(placed, "r-1", (2, 1))
    of_rest = await shop.refund(placed, "r-2", (0, 1), (1, 1))

    assert (of_pen.terms.cash_minor, of_pen.terms.coupon_outcome) == (500, CouponOutcome.KEPT)
    assert of_rest.terms.cash_minor == 9_000
    assert await state_of(shop, coupon_id) == "ISSUED"


async def test_a_line_of_which_a_coupons_share_rounds_to_nothing_counts_for_its_minimum(
    shop: Shop,
) -> None:
    await rechecked(shop, off_teas("AMOUNT_OFF", amount_minor=1))
    lines = (
        CartLine("a", 1, 10_000, "tea"),
        CartLine("b", 1, 5_000, "tea"),
        CartLine("pen", 1, 500),
    )
    placed = await shop.place(cart(lines=lines))

    of_pen = await shop.refund(placed, "r-1", (2, 1))
    of_b = await shop.refund(placed, "r-2", (1, 1))

    assert (of_pen.terms.cash_minor, of_pen.terms.coupon_outcome) == (500, CouponOutcome.KEPT)
    assert (of_b.terms.cash_minor, of_b.terms.coupon_outcome) == (4_999, CouponOutcome.RECHECKED)


async def test_an_order_that_kept_no_shares_of_nothing_is_tested_by_the_others(
    shop: Shop,
) -> None:
    await rechecked(shop, off_teas("AMOUNT_OFF", amount_minor=1))
    lines = (
        CartLine("a", 1, 15_000, "tea"),
        CartLine("b", 1, 5_000, "tea"),
        CartLine("pen", 1, 500),
    )
    placed = await shop.place(cart(lines=lines))
    await store_without_shares_of_nothing(shop)

    of_b = await shop.refund(placed, "r-1", (1, 1))
    of_a = await shop.refund(placed, "r-2", (0, 1))

    assert (of_b.terms.cash_minor, of_b.terms.coupon_outcome) == (5_000, CouponOutcome.KEPT)
    assert of_a.terms.cash_minor == 14_999


def test_shares_of_nothing_are_kept_but_neither_shown_nor_part_of_a_version() -> None:
    lines = (CartLine("a", 1, 10_000, "tea"), CartLine("b", 1, 5_000, "tea"))
    terms = off_teas("AMOUNT_OFF", amount_minor=1)
    plain, tested = (
        price(
            cart(lines=lines),
            PriceRules(coupons=(Candidate(OfferedCoupon("c", TEA, terms, is_rechecked)),)),
        )
        for is_rechecked in (False, True)
    )

    assert [len(line.allocations) for line in plain.lines] == [1, 0]
    assert [len(line.allocations) for line in tested.lines] == [1, 1]
    assert [len(PricedLine.of(line, "CNY").allocations) for line in tested.lines] == [1, 0]
    assert tested.version == plain.version


async def test_what_cash_and_coins_can_not_bear_is_kept_from_the_points_and_comes_back(
    shop: Shop,
) -> None:
    coupon_id = await rechecked(shop, amount_off(900, min_spend_minor=1_500))
    paid = {
        "points": 550,
        "points_available": 550,
        "coins_minor": 500,
        "coins_available_minor": 500,
    }
    placed = await shop.place(cart(1_000, 1_000, **paid))

    first = await shop.refund(placed, "r-1", (0, 1))
    undone = await state_of(shop, coupon_id)
    second = await shop.refund(placed, "r-2", (1, 1))

    refunds = [
        (each.cash_minor, each.coins_returned_minor, each.points_returned)
        for each in (first.terms, second.terms)
    ]
    assert refunds == [(0, 0, 100), (50, 500, 450)]
    assert undone == "ISSUED"


async def test_a_coupon_on_shipping_stays_used_whatever_is_left_of_the_goods(shop: Shop) -> None:
    free = CouponTerms("free", CouponKind.SHIPPING, 10_000, amount_minor=800)
    coupon_id = await rechecked(shop, free)
    placed = await shop.place(replace(with_gift(), shipping_minor=800))
    assert placed.order.payable_minor == 17_000

    refunded = await shop.refund(placed, "r-1", (0, 1), (1, 1))

    assert refunded.terms.coupon_outcome is CouponOutcome.KEPT
    assert refunded.terms.cash_minor == 12_000
    assert await state_of(shop, coupon_id) == "REDEEMED"
