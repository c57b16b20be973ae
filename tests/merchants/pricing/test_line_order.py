"""A cart costs the same in whatever order its lines come; what the order decides is said here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import strategies as st

from merchants.offers import CartLine, CouponKind, CouponTerms, OfferedCoupon, Priced, PricedLine
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from tests.merchants.offers import promotion
from tests.merchants.pricing.random_carts import carts
from tests.merchants.shop import TEA, amount_off, cart
from tests.merchants.sizes import sizes

SPENT_LAST = ("points", "coins")

lines_that_tie = st.lists(
    st.builds(
        CartLine,
        sku=st.sampled_from("abcd"),
        quantity=st.sampled_from([1, 1, 2, 3]),
        unit_price_minor=st.sampled_from([1_001, 1_001, 2_002, 3_003, 777]),
        category_id=st.sampled_from([None, "x"]),
    ),
    min_size=2,
    max_size=6,
)
"""Lines of few prices, so that much is equal, and odd, so that most of it is rounded."""


def sums(priced: Priced) -> Priced:
    """All of a price but its lines: what is paid, and every decision with its amount."""
    return replace(priced, version="", lines=())


def by_discounts(line: PricedLine) -> tuple[int, int, list[tuple[str, int, int, int | None]]]:
    """A line by what it is worth and what promotions, tiers and coupons do to it."""
    taken = [
        (each.decision_id, each.amount_minor, each.given_units, each.given_minor)
        for each in line.allocations
        if each.decision_id not in SPENT_LAST
    ]
    return line.list_minor, line.quantity, taken


def lines_that_tie_cost_the_same_in_any_order(
    case: tuple[PriceCart, PriceRules], bought: list[CartLine], chance: Any
) -> None:
    wanted, rules = case
    order = list(range(len(bought)))
    chance.shuffle(order)

    first = price(replace(wanted, lines=tuple(bought)), rules)
    second = price(replace(wanted, lines=tuple(bought[at] for at in order)), rules)

    assert sums(first) == sums(second)
    assert [line.sku for line in second.lines] == [bought[at].sku for at in order]
    assert sorted(map(by_discounts, first.lines)) == sorted(map(by_discounts, second.lines))
    for line, at in zip(second.lines, order, strict=True):
        if bought.count(bought[at]) == 1:
            assert is_a_rounding(by_discounts(first.lines[at])[2], by_discounts(line)[2])


def is_a_rounding(one: list[Any], other: list[Any]) -> bool:
    """Whether the same decisions take the same, but for a minor unit each."""
    return [each[0] for each in one] == [each[0] for each in other] and all(
        abs(mine[1] - theirs[1]) <= 1 for mine, theirs in zip(one, other, strict=True)
    )


@sizes(
    lines_that_tie_cost_the_same_in_any_order,
    carts(),
    lines_that_tie,
    st.randoms(use_true_random=False),
    few=25,
)
def test_lines_that_tie_cost_the_same_in_any_order(run: Callable[[], None]) -> None:
    run()


ODD = (CartLine("a", 1, 1_001), CartLine("b", 1, 1_001))


def test_an_odd_unit_does_not_choose_by_the_order_what_a_later_coupon_is_rounded_on() -> None:
    coupons = (amount_off(1, stacking_group="1"), half_off("a", stacking_group="2"))
    rules = PriceRules(coupons=tuple(map(held, coupons)))

    # The odd unit falls on the half that is rounded, or it does not: 500 off, or 501.
    assert {price(cart(lines=lines), rules).payable_minor for lines in permutations(ODD)} == {1_501}


def test_an_odd_unit_of_a_promotion_does_not_choose_so_either() -> None:
    rules = PriceRules(
        coupons=(held(half_off("a")),),
        promotions=(promotion("THRESHOLD_OFF", threshold_minor=1, off_minor=1),),
    )

    assert {price(cart(lines=lines), rules).payable_minor for lines in permutations(ODD)} == {1_501}


@pytest.mark.parametrize("skus", list(permutations("abc")))
def test_of_lines_alike_but_for_their_articles_the_earlier_carry_the_odd_units(
    skus: tuple[str, ...],
) -> None:
    wanted = cart(lines=tuple(CartLine(sku, 1, 1_000) for sku in skus))

    priced = price(wanted, PriceRules(coupons=(held(amount_off(1_000)),)))

    assert [line.sku for line in priced.lines] == list(skus)
    assert [line.payable_minor for line in priced.lines] == [666, 667, 667]


@pytest.mark.parametrize("skus", [("a", "b"), ("b", "a")])
def test_units_in_a_bundle_stay_with_their_article(skus: tuple[str, str]) -> None:
    wanted = cart(lines=tuple(CartLine(sku, 3, 1_000) for sku in skus))
    two_and_one = promotion("BUNDLE", price_minor=1_500, skus=("a", "a", "b"))

    priced = price(wanted, PriceRules(promotions=(two_and_one,)))

    assert {line.sku: line.payable_minor for line in priced.lines} == {"a": 2_000, "b": 2_500}


@pytest.mark.parametrize("skus", list(permutations("abc")))
def test_points_and_coins_go_among_equals_to_the_earlier_line(skus: tuple[str, ...]) -> None:
    lines = tuple(
        CartLine(sku, 1, each) for sku, each in zip(skus, (3_333, 3_333, 3_334), strict=True)
    )
    wanted = cart(lines=lines, points=500, points_available=500)
    wanted = replace(wanted, coins_minor=2, coins_available_minor=2)

    priced = price(wanted, PriceRules(coupons=(held(amount_off(1_000)),)))

    assert [line.points for line in priced.lines] == [167, 167, 166]
    assert [line.payable_minor + line.coins_minor for line in priced.lines] == [2_833, 2_833, 2_834]


def half_off(sku: str, **more: Any) -> CouponTerms:
    return CouponTerms(
        "half", CouponKind.PERCENT_OFF, 0, percent_off_bps=5_000, skus=(sku,), **more
    )


def held(terms: CouponTerms) -> Candidate:
    return Candidate(OfferedCoupon(f"{terms.title}:{terms.stacking_group}", TEA, terms))
