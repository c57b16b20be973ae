"""A member's price is the lowest of those that leave some of the member's own out."""

from __future__ import annotations

import pytest

from merchants.benefits.in_force import BenefitInForce
from merchants.ladders.tiers import Benefit
from merchants.offers import (
    CartLine,
    CouponKind,
    CouponTerms,
    DecisionOutcome,
    GiftZone,
    OfferedCoupon,
)
from merchants.pricing.layers import PriceRules
from merchants.pricing.policy import PricingPolicy
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from tests.merchants.offers import promotion, tier
from tests.merchants.shop import TEA, cart


def test_a_tier_never_makes_a_price_higher_than_a_member_without_one_pays() -> None:
    wanted = cart(lines=(CartLine("a", 1, 90_000), CartLine("b", 1, 10_000)))
    terms = CouponTerms("coupon", CouponKind.AMOUNT_OFF, 90_000, amount_minor=10_000)
    coupons = (Candidate(OfferedCoupon("coupon", TEA, terms)),)
    promotions = (promotion("MEMBER_PRICE", "m", price_minor=5_000, skus=("b",)),)

    without = price(wanted, PriceRules(promotions=promotions, coupons=coupons))
    priced = price(
        wanted, PriceRules(benefits=(tier(1_000),), promotions=promotions, coupons=coupons)
    )

    assert priced.payable_minor == without.payable_minor == 85_000
    assert priced.coupon_ids == ("coupon",)
    told = {each.id: each.outcome for each in priced.decisions}
    assert told["m"] is DecisionOutcome.APPLIED
    assert told["parity"] is DecisionOutcome.APPLIED
    assert told[tier(1_000).decision_id] is DecisionOutcome.REFUSED


def test_a_gift_at_its_tiers_price_never_uses_up_the_limit_that_its_public_price_would_not() -> (
    None
):
    wanted = cart(lines=(CartLine("cup", 1, 20_000), CartLine("tea", 1, 10_000)))
    benefits = tuple(
        BenefitInForce("tier", 1, position, benefit)
        for position, benefit in enumerate(
            (
                Benefit("PERCENT_OFF", "half", percent_off_bps=5_000, skus=("cup",)),
                Benefit("GIFT", "cup", gift_sku="cup", min_spend_minor=5_000),
            )
        )
    )
    terms = CouponTerms("coupon", CouponKind.AMOUNT_OFF, 1, amount_minor=10_000)
    rules = PriceRules(
        benefits=benefits,
        coupons=(Candidate(OfferedCoupon("coupon", TEA, terms)),),
        policy=PricingPolicy(1, 5_000),
    )

    # At half its price the cup leaves 50.00 of the limit of 150.00 to the coupon, else all of it.
    assert price(wanted, rules).payable_minor == 0


def half_off_b() -> Candidate:
    terms = CouponTerms("half", CouponKind.PERCENT_OFF, 1, percent_off_bps=5_000, skus=("b",))
    return Candidate(OfferedCoupon("half", TEA, terms))


def test_a_member_price_never_turns_a_coupons_gift_to_an_article_that_another_coupon_lowers() -> (
    None
):
    wanted = cart(lines=(CartLine("a", 1, 11_000), CartLine("b", 1, 10_000)))
    zone = GiftZone(skus=("a", "b"))
    gift = CouponTerms("gift", CouponKind.GIFT, 1, zone=zone, stacking_group="gifts")
    rules = PriceRules(
        promotions=(promotion("MEMBER_PRICE", "m", price_minor=9_000, skus=("a",)),),
        coupons=(Candidate(OfferedCoupon("gift", TEA, gift)), half_off_b()),
    )

    # By public prices a is given and b costs half; with the member price b would be given.
    assert price(wanted, rules).payable_minor == 5_000


def test_a_member_price_never_turns_a_tiers_gift_to_an_article_that_a_coupon_lowers() -> None:
    wanted = cart(lines=(CartLine("a", 1, 11_000), CartLine("b", 1, 10_100)))
    benefits = tuple(
        BenefitInForce(
            "tier", 1, position, Benefit("GIFT", sku, gift_sku=sku, min_spend_minor=5_000)
        )
        for position, sku in enumerate(("a", "b"))
    )
    rules = PriceRules(
        benefits=benefits,
        promotions=(promotion("MEMBER_PRICE", "m", price_minor=10_000, skus=("a",)),),
        coupons=(half_off_b(),),
    )

    # One of the two is earned: by public prices a, and b costs half.
    assert price(wanted, rules).payable_minor == 5_050


@pytest.mark.parametrize("is_tiers", [True, False])
@pytest.mark.parametrize("is_public", [True, False])
def test_a_line_that_costs_as_much_by_dearer_units_is_another_price_where_one_is_given(
    is_tiers: bool, is_public: bool
) -> None:
    # With the tier's price 50.00 and 70.00, which miss the promotion; without it 40.00 and 80.00.
    wanted = cart(lines=(CartLine("cup", 2, 10_000),))
    promotions = (
        promotion("FLASH_SALE", "flash", price_minor=5_000, skus=("cup",), left=1),
        promotion(
            "THRESHOLD_OFF",
            "off",
            threshold_minor=15_000,
            off_minor=3_000,
            members_only=not is_public,
        ),
    )
    cheaper = Benefit("MEMBER_PRICE", "cup", price_minor=7_000, skus=("cup",))
    gift = Benefit("GIFT", "cup", gift_sku="cup", min_spend_minor=1)
    terms = CouponTerms("gift", CouponKind.GIFT, 1, zone=GiftZone(skus=("cup",)))
    coupons = (Candidate(OfferedCoupon("coupon", TEA, terms)),)
    rules = PriceRules(
        benefits=tuple(
            BenefitInForce("tier", 1, position, benefit)
            for position, benefit in enumerate((cheaper, gift) if is_tiers else (cheaper,))
        ),
        coupons=() if is_tiers else coupons,
        promotions=promotions,
    )

    assert price(wanted, rules).payable_minor == 4_000
