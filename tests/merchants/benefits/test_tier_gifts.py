"""What tiers give with an order: beside coupons and other gifts, and when some of it comes back."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from merchants.benefits.in_force import BenefitInForce
from merchants.benefits.terms import benefit_problems
from merchants.ladders.tiers import Benefit
from merchants.offers import (
    CartLine,
    CouponKind,
    CouponTerms,
    DecisionOutcome,
    GiftZone,
    KeptBack,
    KeptBackReason,
    OfferedCoupon,
    Priced,
)
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.policy import PricingPolicy
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from merchants.sales.rechecking import RecheckedCoupon
from tests.merchants.sales.sold import Sold
from tests.merchants.shop import TEA, cart


def gives(sku: str, min_spend_minor: int | None, position: int = 0) -> BenefitInForce:
    benefit = Benefit("GIFT", sku, gift_sku=sku, min_spend_minor=min_spend_minor)
    return BenefitInForce("tier", 1, position, benefit)


def bought(*lines: tuple[str, int, int]) -> PriceCart:
    return cart(lines=tuple(CartLine(*each) for each in lines))


def coupon(terms: CouponTerms) -> tuple[Candidate, ...]:
    return (Candidate(OfferedCoupon("coupon", TEA, terms)),)


def given_of(priced: Priced) -> dict[str, int]:
    return {
        each.title: each.amount_minor
        for each in priced.decisions
        if each.outcome is DecisionOutcome.APPLIED
    }


@pytest.mark.parametrize("benefits", [(), (gives("gift", 50_000),)])
def test_a_gift_leaves_a_coupon_that_is_tested_again_as_it_is(
    benefits: tuple[BenefitInForce, ...],
) -> None:
    terms = CouponTerms("coupon", CouponKind.AMOUNT_OFF, 110_000, amount_minor=10_000)
    wanted = bought(("a", 1, 90_000), ("b", 1, 5_000), ("gift", 1, 20_000))
    priced = price(wanted, PriceRules(benefits=benefits, coupons=coupon(terms)))

    done = Sold(priced, RecheckedCoupon("coupon", terms)).recheck((1, 1))

    assert done.undone == ()
    assert done.shares.kept_back == KeptBack()
    assert done.shares.cash_minor == priced.lines[1].payable_minor > 0


@pytest.mark.parametrize("cash_minor", [0, 5_000, 12_000])
def test_a_gift_that_is_no_longer_earned_is_kept_back_from_coins_too(cash_minor: int) -> None:
    wanted = replace(
        bought(("a", 1, 50_000), ("gift", 1, 20_000)),
        coins_minor=50_000 - cash_minor,
        coins_available_minor=50_000,
    )
    sold = Sold(price(wanted, PriceRules(benefits=(gives("gift", 50_000),))))

    first = sold.back((0, 1))
    second = sold.back((1, 1))

    assert (first.cash_minor, first.coins_minor) == (0, 30_000)
    assert first.qualifying_minor == 20_000
    assert not first.is_full
    assert first.kept_back.reasons == (KeptBackReason.TIER_GIFT,)
    assert (second.cash_minor, second.coins_minor) == (cash_minor, 20_000 - cash_minor)
    assert sold.kept.is_nothing
    assert second.is_full


def test_a_gift_that_is_no_longer_earned_is_kept_back_from_points_too() -> None:
    wanted = replace(
        bought(("a", 1, 50_001), ("gift", 1, 20_000)),
        points=10_000_000,
        points_available=10_000_000,
        points_cap_bps=10_000,
    )
    priced = price(wanted, PriceRules(benefits=(gives("gift", 50_000),)))
    assert priced.payable_minor == 0
    sold = Sold(priced)

    first = sold.back((0, 1))
    worth = (priced.points_spent - first.points) * 50_001 / priced.points_spent
    second = sold.back((1, 1))

    assert 19_990 < worth <= 20_000
    assert first.points + second.points == priced.points_spent
    assert sold.kept.is_nothing


def test_a_unit_that_is_given_is_worth_as_much_in_a_line_of_two_as_in_a_line_of_its_own() -> None:
    rules = PriceRules(benefits=(gives("gift", 10_000),))
    one = Sold(price(bought(("gift", 2, 20_000)), rules))
    two = Sold(price(bought(("gift", 1, 20_000), ("gift", 1, 20_000)), rules))

    assert one.back((0, 1)).cash_minor == two.back((1, 1)).cash_minor == 0
    assert one.back((0, 1)).cash_minor == two.back((0, 1)).cash_minor == 20_000


def test_units_that_were_paid_come_back_before_the_one_that_was_given() -> None:
    rules = PriceRules(benefits=(gives("gift", 10_000),))
    sold = Sold(price(bought(("a", 1, 10_000), ("gift", 5, 1_000)), rules))

    assert sold.back((1, 4)).cash_minor == 4_000
    assert sold.back((0, 1)).cash_minor == 9_000
    assert sold.back((1, 1)).cash_minor == 1_000


@pytest.mark.parametrize("quantities", [(2,), (1, 1)])
def test_a_coupon_gives_a_whole_unit_beside_the_one_that_the_tier_gives(
    quantities: tuple[int, ...],
) -> None:
    zone = GiftZone(skus=("gift",), category_ids=None, value_minor=None)
    terms = CouponTerms("coupon", CouponKind.GIFT, 0, zone=zone)
    wanted = bought(("a", 1, 50_000), *[("gift", each, 10_000) for each in quantities])

    priced = price(wanted, PriceRules(benefits=(gives("gift", 50_000),), coupons=coupon(terms)))

    assert given_of(priced) == {"gift": 10_000, "coupon": 10_000}
    assert priced.payable_minor == 50_000


def test_a_coupon_finds_nothing_to_give_where_the_tier_gives_the_only_unit() -> None:
    zone = GiftZone(skus=("gift",), category_ids=None, value_minor=None)
    terms = CouponTerms("coupon", CouponKind.GIFT, 0, zone=zone)
    wanted = bought(("a", 1, 50_000), ("gift", 1, 10_000))

    priced = price(wanted, PriceRules(benefits=(gives("gift", 50_000),), coupons=coupon(terms)))

    assert given_of(priced) == {"gift": 10_000}
    assert priced.coupon_ids == ()


def test_a_gift_without_a_minimum_spend_is_refused_and_gives_nothing() -> None:
    benefit = gives("gift", None)

    assert benefit_problems("", [benefit.benefit]) == [
        ["benefits.0.minSpend", "must be given with giftSku"]
    ]
    priced = price(bought(("a", 1, 1), ("gift", 1, 30_000)), PriceRules(benefits=(benefit,)))
    assert priced.payable_minor == 30_001
    [told] = priced.decisions
    assert told.reason == "ENTITLEMENT"


def test_a_gift_that_is_not_earned_counts_for_one_that_is() -> None:
    wanted = bought(("a", 1, 5_000), ("b", 1, 50_000))
    rules = PriceRules(benefits=(gives("a", 10_000), gives("b", 100_000, 1)))

    priced = price(wanted, rules)

    assert given_of(priced) == {"a": 5_000}
    [refused] = [each for each in priced.decisions if each.outcome is DecisionOutcome.REFUSED]
    assert (refused.reason, refused.missing_minor) == ("BELOW_MIN_SPEND", 100_000)


@pytest.mark.parametrize("positions", list(permutations(range(3))))
def test_of_gifts_that_exclude_each_other_those_that_are_worth_most_are_given(
    positions: tuple[int, ...],
) -> None:
    minimums = {"a": 10_000, "b": 100_000, "c": 90_000}
    benefits = [
        gives(sku, minimum, position)
        for (sku, minimum), position in zip(minimums.items(), positions, strict=True)
    ]
    rules = PriceRules(benefits=tuple(sorted(benefits, key=lambda each: each.position)))
    wanted = bought(("a", 1, 5_000), ("b", 1, 50_000), ("c", 1, 30_000), ("x", 1, 66_000))

    # Beside b alone 101 000 are left, beside a and c 116 000: b is worth more than those two.
    assert given_of(price(wanted, rules)) == {"b": 50_000}


def test_a_gift_costs_no_coupon_where_discounts_are_limited() -> None:
    terms = CouponTerms("coupon", CouponKind.AMOUNT_OFF, 0, amount_minor=20_000)
    wanted = bought(("a", 1, 100_000), ("gift", 1, 20_000))
    policy = PricingPolicy(version=1, discount_cap_bps=1_700)
    plain = PriceRules(coupons=coupon(terms), policy=policy)

    without = price(wanted, plain)
    priced = price(wanted, replace(plain, benefits=(gives("gift", 50_000),)))

    assert given_of(without)["coupon"] == given_of(priced)["coupon"] == 20_000
    assert priced.payable_minor == without.payable_minor - 20_000
