"""A tier gives the dearest unit of a line that a flash sale or a bundle has only a part of."""

from __future__ import annotations

from typing import Any

import pytest

from merchants.benefits.in_force import BenefitInForce
from merchants.ladders.tiers import Benefit
from merchants.offers import CartLine, Priced
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.promotions.terms import Promotion
from tests.merchants.offers import promotion
from tests.merchants.sales.sold import Sold
from tests.merchants.shop import cart


def priced(*lines: tuple[str, int, int], at: int, promotions: tuple[Promotion, ...]) -> Priced:
    """The price where a tier gives a cup with other goods of `at`."""
    benefit = Benefit("GIFT", "cup", gift_sku="cup", min_spend_minor=at)
    return price(
        cart(lines=tuple(CartLine(*each) for each in lines)),
        PriceRules(benefits=(BenefitInForce("tier", 1, 0, benefit),), promotions=promotions),
    )


def flash(left: int, **more: Any) -> Promotion:
    return promotion("FLASH_SALE", "flash", price_minor=1_000, skus=("cup",), left=left, **more)


@pytest.mark.parametrize(
    ("left", "to_pay"), [(0, 40_000), (1, 21_000), (2, 2_000), (3, 2_000), (9, 2_000)]
)
def test_the_dearest_unit_is_given_whatever_the_flash_sale_has_left(left: int, to_pay: int) -> None:
    result = priced(("cup", 3, 20_000), at=1, promotions=(flash(left),))

    assert result.payable_minor == to_pay
    assert result.anonymous_payable_minor == 60_000 - 19_000 * min(left, 3)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_one_line_costs_what_lines_of_one_unit_cost(left: int) -> None:
    one = priced(("cup", 2, 20_000), ("tea", 1, 500), at=1, promotions=(flash(left),))
    two = priced(
        ("cup", 1, 20_000), ("cup", 1, 20_000), ("tea", 1, 500), at=1, promotions=(flash(left),)
    )

    assert one.payable_minor == two.payable_minor


def test_other_goods_are_all_but_the_unit_that_is_given() -> None:
    lines = (("cup", 2, 20_000), ("tea", 1, 4_000))

    # Beside the dear cup are a cup of 10.00 from the flash sale and a tea: 50.00.
    assert priced(*lines, at=5_000, promotions=(flash(1),)).payable_minor == 5_000
    missed = priced(*lines, at=5_001, promotions=(flash(1),))
    assert missed.payable_minor == 25_000
    [gift] = [each for each in missed.decisions if each.reason == "BELOW_MIN_SPEND"]
    assert gift.missing_minor == 1


def test_what_an_order_promotion_takes_falls_on_units_by_what_they_cost() -> None:
    off = promotion("THRESHOLD_OFF", "off", threshold_minor=1, off_minor=2_100)

    result = priced(("cup", 2, 20_000), at=1, promotions=(flash(1), off))

    # A tenth of 210.00 goes: the dear cup costs 180.00 by then, the other 9.00.
    assert result.payable_minor == 900


def test_a_bundle_that_has_one_unit_leaves_the_other_to_be_given() -> None:
    bundle = promotion("BUNDLE", "set", price_minor=6_000, skus=("cup", "tea"))

    result = priced(("cup", 2, 20_000), ("tea", 1, 4_000), at=1, promotions=(bundle,))

    assert result.payable_minor == 6_000


def test_refunds_bring_back_what_each_unit_cost() -> None:
    sold = Sold(priced(("cup", 3, 20_000), at=21_000, promotions=(flash(1),)))

    # Two cups were paid, 10.00 and 200.00, and the third was given.
    assert [sold.back((0, 1)).cash_minor for _ in range(3)] == [0, 1_000, 20_000]


def test_a_gift_that_is_kept_back_is_worth_the_dearest_unit() -> None:
    sold = Sold(priced(("cup", 2, 20_000), ("tea", 1, 29_000), at=30_000, promotions=(flash(1),)))

    first = sold.back((1, 1))
    rest = sold.back((0, 2))

    assert (first.cash_minor, rest.cash_minor) == (29_000 - 20_000, 21_000)
