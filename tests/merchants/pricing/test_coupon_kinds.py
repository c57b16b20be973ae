"""Each kind of coupon at known prices, and its faults."""

from dataclasses import replace
from typing import Any

import pytest

from merchants.benefits.in_force import BenefitInForce
from merchants.coupons.faces import face_problems
from merchants.ladders.tiers import Benefit
from merchants.offers import CartLine, CouponKind, CouponTerms, GiftZone, OfferedCoupon
from merchants.pricing.policy import PricingPolicy
from merchants.pricing.stacking import Candidate
from tests.merchants.offers import decision, priced, promotion, reasons
from tests.merchants.shop import ALLIANCE, ANN, TEA, Shop, amount_off, cart


def coupon(kind: str, name: str = "c", **more: Any) -> Candidate:
    wanted = CouponTerms(name, CouponKind(kind), 0)
    return Candidate(OfferedCoupon(name, TEA, replace(wanted, **more)))


def gift(*skus: str, **more: Any) -> GiftZone:
    return GiftZone(skus=skus, **more)


def test_a_percentage_stops_at_its_cap() -> None:
    tenth = coupon("PERCENT_OFF", percent_off_bps=1_000, cap_minor=500)

    assert priced(cart(4_000), coupons=(tenth,)).payable_minor == 3_600
    assert priced(cart(9_000), coupons=(tenth,)).payable_minor == 8_500


def test_a_percentage_is_rounded_half_up_on_each_line_and_what_a_cap_leaves_is_spread() -> None:
    wanted = cart(*[15] * 10, 44)
    tenth = coupon("PERCENT_OFF", percent_off_bps=1_000)
    capped = coupon("PERCENT_OFF", percent_off_bps=1_000, cap_minor=23)

    whole, cut = priced(wanted, coupons=(tenth,)), priced(wanted, coupons=(capped,))

    assert [15 - line.payable_minor for line in whole.lines[:10]] == [2] * 10
    assert 44 - whole.lines[10].payable_minor == 4
    assert [15 - line.payable_minor for line in cut.lines[:10]] == [2] * 8 + [1] * 2
    assert 44 - cut.lines[10].payable_minor == 5


@pytest.mark.parametrize(("amount", "left"), [(None, 0), (800, 200), (2_000, 0)])
def test_a_shipping_coupon_takes_shipping_off_and_no_goods(amount: int | None, left: int) -> None:
    free = coupon("SHIPPING", amount_minor=amount)

    result = priced(cart(5_000, shipping_minor=1_000), coupons=(free,))

    assert (result.payable_minor, result.shipping_minor) == (5_000 + left, left)
    assert result.anonymous_payable_minor == 6_000
    assert decision(result, "c").amount_minor == 1_000 - left
    assert result.coupon_ids == ("c",)
    assert result.redemptions[0].amount_minor == 1_000 - left
    assert result.lines[0].allocations == ()


def test_without_shipping_a_shipping_coupon_stays_with_the_member() -> None:
    result = priced(cart(5_000), coupons=(coupon("SHIPPING"),))

    assert (result.coupon_ids, reasons(result)) == ((), {"c": "NO_EFFECT"})


def test_a_tier_that_ships_free_saves_the_coupon() -> None:
    benefit = BenefitInForce("tiers", 1, 0, Benefit("FREE_SHIPPING", "ships free"))

    result = priced(
        cart(5_000, shipping_minor=1_000), coupons=(coupon("SHIPPING"),), benefits=(benefit,)
    )

    assert (result.payable_minor, result.anonymous_payable_minor) == (5_000, 6_000)
    assert reasons(result) == {"tier:tiers:0": None, "c": "NO_EFFECT"}


def test_of_a_shipping_coupon_and_one_for_goods_in_one_group_the_better_wins() -> None:
    rivals = (coupon("SHIPPING"), coupon("AMOUNT_OFF", "d", amount_minor=900))

    result = priced(cart(5_000, shipping_minor=1_000), coupons=rivals)

    assert reasons(result) == {"c": None, "d": "STACKING_GROUP"}


def test_a_gift_is_a_line_that_costs_nothing() -> None:
    choice = coupon("GIFT", zone=gift("towel", "cup"), min_spend_minor=5_000)
    lines = (CartLine("tea", 1, 5_000), CartLine("cup", 1, 2_000))

    result = priced(cart(lines=lines), coupons=(choice,))

    assert [line.payable_minor for line in result.lines] == [5_000, 0]
    assert decision(result, "c").amount_minor == 2_000


def test_what_a_gift_gives_does_not_count_for_its_minimum_spend() -> None:
    choice = coupon("GIFT", zone=gift("cup"), min_spend_minor=5_000)
    lines = (CartLine("tea", 1, 4_000), CartLine("cup", 2, 2_000))

    result = priced(cart(lines=lines), coupons=(choice,))

    assert result.payable_minor == 4_000 + 2_000
    assert reasons(priced(cart(lines=(CartLine("cup", 2, 2_000),)), coupons=(choice,))) == {
        "c": "BELOW_MIN_SPEND"
    }


@pytest.mark.parametrize(("pick", "expected"), [(1, 7_000), (2, 4_000), (3, 2_000), (9, 0)])
def test_as_many_as_may_be_picked_are_given_the_dearest_first(pick: int, expected: int) -> None:
    choice = coupon("GIFT", zone=gift("a", "b", pick=pick))
    lines = (CartLine("a", 2, 2_000), CartLine("b", 2, 3_000))

    result = priced(cart(lines=lines), coupons=(choice,))

    assert result.payable_minor == expected


def test_only_articles_of_the_zones_value_are_given() -> None:
    choice = coupon("GIFT", zone=gift("cup", "pot", value_minor=2_000))
    lines = (CartLine("pot", 1, 2_001), CartLine("cup", 1, 2_000))

    assert priced(cart(lines=lines), coupons=(choice,)).payable_minor == 2_001


def test_a_cart_without_the_gift_is_told_what_to_add() -> None:
    choice = coupon("GIFT", zone=gift("towel", "cup"))

    result = priced(cart(5_000), coupons=(choice,))

    assert reasons(result) == {"c": "GIFT_NOT_IN_CART"}
    assert dict(decision(result, "c").facts) == {"zone": "towel, cup"}


def test_a_gift_that_the_member_owns_is_left_out_where_the_zone_says_so() -> None:
    choice = coupon("GIFT", zone=gift("towel", "cup", excludes_owned=True))
    lines = (CartLine("cup", 1, 2_000),)

    owned = priced(cart(lines=lines), coupons=(choice,), owned_skus=frozenset({"cup"}))

    assert reasons(owned) == {"c": "GIFT_OWNED"}
    assert priced(cart(lines=lines), coupons=(choice,)).payable_minor == 0


def test_an_exchange_leaves_the_add_on_price() -> None:
    choice = coupon("EXCHANGE", zone=gift("pot", add_on_minor=990))
    lines = (CartLine("tea", 1, 5_000), CartLine("pot", 2, 4_000))

    result = priced(cart(lines=lines), coupons=(choice,))

    assert [line.payable_minor for line in result.lines] == [5_000, 4_000 + 990]


def test_minimum_spends_are_tested_after_promotions() -> None:
    limited = promotion("LIMITED_PRICE", percent_off_bps=1_000)
    ten = coupon("AMOUNT_OFF", amount_minor=1_000, min_spend_minor=9_001)

    result = priced(cart(10_000), limited, coupons=(ten,))

    assert (result.payable_minor, decision(result, "c").missing_minor) == (9_000, 1)


def test_a_member_price_that_costs_a_coupon_is_given_up_for_it() -> None:
    """With the tier 95.00 is left, one short of the coupon; without it 70.00 are to pay."""
    benefit = BenefitInForce("tiers", 1, 0, Benefit("PERCENT_OFF", "tier", percent_off_bps=500))
    thirty = coupon("AMOUNT_OFF", amount_minor=3_000, min_spend_minor=9_600)

    result = priced(cart(10_000), benefits=(benefit,), coupons=(thirty,))

    assert result.payable_minor == 7_000
    assert decision(result, "tier:tiers:0").blocked_by == "parity"


def test_coupons_and_points_stop_at_the_merchants_limit_of_discounts() -> None:
    limited = promotion("LIMITED_PRICE", percent_off_bps=1_000)
    fifteen = coupon("AMOUNT_OFF", amount_minor=1_500)
    wanted = cart(10_000, points=2_000, points_available=2_000)

    result = priced(wanted, limited, coupons=(fifteen,), policy=PricingPolicy(3, 3_000))

    assert (result.payable_minor, result.points_spent) == (7_000, 500)
    assert reasons(result)["points-cap"] == "POINTS_DISCOUNT_CAP"
    assert decision(result, "discount-cap").rule_version == 3


def test_a_promotion_beyond_the_limit_stands_and_leaves_nothing_to_coupons() -> None:
    limited = promotion("LIMITED_PRICE", percent_off_bps=4_000)
    ten = coupon("AMOUNT_OFF", amount_minor=1_000)

    result = priced(cart(10_000), limited, coupons=(ten,), policy=PricingPolicy(1, 3_000))

    assert (result.payable_minor, result.coupon_ids) == (6_000, ())


@pytest.mark.parametrize(
    ("kind", "more", "fields"),
    [
        ("SHIPPING", {"min_spend_minor": 1}, []),
        ("SHIPPING", {"amount_minor": 2_000}, []),
        ("SHIPPING", {"amount_minor": 2_001}, ["minSpend"]),
        ("SHIPPING", {}, ["minSpend"]),
        ("SHIPPING", {"percent_off_bps": 1, "cap_minor": 1}, ["percentOffBps"]),
        ("GIFT", {"min_spend_minor": 1}, ["giftZone"]),
        ("GIFT", {"zone": gift("a"), "min_spend_minor": 1}, []),
        ("GIFT", {"zone": gift("a")}, ["minSpend"]),
        ("GIFT", {"zone": gift("a", value_minor=1_000, pick=2)}, []),
        ("GIFT", {"zone": gift("a", value_minor=1_001, pick=2)}, ["minSpend"]),
        ("GIFT", {"zone": gift("a", value_minor=9, add_on_minor=1)}, ["giftZone.addOnPrice"]),
        ("GIFT", {"zone": GiftZone(value_minor=9)}, ["giftZone.skus"]),
        ("GIFT", {"zone": gift("a", value_minor=9), "amount_minor": 1}, ["amount"]),
        ("GIFT", {"zone": gift("a", value_minor=9, pick=0)}, ["giftZone.pick"]),
        ("GIFT", {"zone": gift("", value_minor=9)}, ["giftZone.skus"]),
        ("EXCHANGE", {"zone": gift("a", value_minor=9_000, add_on_minor=7_000)}, []),
        ("EXCHANGE", {"zone": gift("a", value_minor=9, add_on_minor=9)}, ["giftZone.addOnPrice"]),
        ("AMOUNT_OFF", {"amount_minor": 1, "zone": gift("a")}, ["giftZone"]),
        ("AMOUNT_OFF", {"amount_minor": 2_001}, ["minSpend"]),
        ("AMOUNT_OFF", {"amount_minor": 2_000}, []),
    ],
)
def test_every_fault_of_a_face_is_told(kind: str, more: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in face_problems(coupon(kind, **more).coupon.terms)] == fields


async def test_a_gift_owned_from_an_earlier_order_is_not_given_again(shop: Shop) -> None:
    await shop.join()
    bag = (CartLine("cup", 1, 1_500),)
    await shop.place(cart(lines=bag, choose_best=False))
    zone = gift("cup", "towel", value_minor=2_000, excludes_owned=True)
    await shop.coupon(CouponTerms("pick", CouponKind.GIFT, 0, zone=zone))

    owned = await shop.backend.price(cart(lines=bag))
    other = await shop.backend.price(cart(lines=(CartLine("towel", 1, 1_500),)))

    assert [each.reason for each in owned.decisions] == ["GIFT_OWNED"]
    assert other.payable_minor == 0


async def test_a_gift_is_locked_sold_and_returned_like_any_coupon(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(
        CouponTerms("pick", CouponKind.GIFT, 1_000, zone=gift("cup", value_minor=2_000))
    )
    bag = (CartLine("tea", 1, 5_000), CartLine("cup", 1, 1_500))

    placed = await shop.place(cart(lines=bag))
    refunded = await shop.refund(placed, "r", (0, 1), (1, 1))

    assert placed.order.payable_minor == 5_000
    assert refunded.terms.cash_minor == 5_000
    assert (await shop.backend.price(cart(lines=bag))).coupon_ids == (coupon_id,)


async def test_alliance_coupons_of_every_kind_are_priced_by_a_merchant(shop: Shop) -> None:
    await shop.join()
    await shop.join(ANN, ALLIANCE)
    terms = CouponTerms("ship", CouponKind.SHIPPING, 0, amount_minor=900)
    ship = await shop.coupon(terms, merchant_id=ALLIANCE)
    own = await shop.coupon(amount_off(500))
    offers = await shop.backend.offers(ALLIANCE, ANN)

    result = await shop.backend.price(
        cart(5_000, shipping_minor=1_000, alliance_coupons=offers.coupons)
    )

    assert (result.payable_minor, result.coupon_ids) == (4_600, (own,))
    assert result.alliance_coupon_ids == (ship,)
