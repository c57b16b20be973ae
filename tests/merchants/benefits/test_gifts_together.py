"""Several coupons that give units of one line: each gives its own, and each comes back alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from merchants.benefits.in_force import BenefitInForce
from merchants.ladders.tiers import Benefit
from merchants.offers import CartLine, CouponKind, CouponTerms, GiftZone, OfferedCoupon, Priced
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from merchants.promotions.terms import Promotion
from merchants.sales.rechecking import RecheckedCoupon
from merchants.stored import dump, load
from tests.merchants.offers import decision, promotion, reasons
from tests.merchants.sales.sold import Sold
from tests.merchants.shop import ALLIANCE, ANN, TEA, Shop, cart

Line = tuple[str, int, int]


def gives(kind: str = "GIFT", **more: Any) -> CouponTerms:
    """A coupon that gives cups."""
    zone = {key: more.pop(key) for key in ("pick", "add_on_minor", "skus") if key in more}
    wanted = CouponTerms("gift", CouponKind(kind), 1, zone=GiftZone(**{"skus": ("cup",), **zone}))
    return replace(wanted, **more)


def off(amount_minor: int, group: str) -> CouponTerms:
    return CouponTerms(
        "off", CouponKind.AMOUNT_OFF, 1, amount_minor=amount_minor, stacking_group=group
    )


def candidate(name: str, terms: CouponTerms, issuer: str = TEA) -> Candidate:
    return Candidate(OfferedCoupon(name, issuer, terms, is_rechecked=True))


def priced(
    *lines: Line,
    own: Sequence[CouponTerms] = (),
    theirs: Sequence[CouponTerms] = (),
    promotions: tuple[Promotion, ...] = (),
    **more: Any,
) -> Priced:
    """The price with coupons own-0, own-1, … and their-0, …, each in a group of its own."""
    return price(
        cart(lines=tuple(CartLine(*each) for each in lines)),
        PriceRules(
            coupons=tuple(
                candidate(f"own-{at}", replace(each, stacking_group=each.stacking_group or f"{at}"))
                for at, each in enumerate(own)
            ),
            alliance_coupons=tuple(
                candidate(f"their-{at}", each, ALLIANCE) for at, each in enumerate(theirs)
            ),
            promotions=promotions,
            **more,
        ),
    )


def sold(result: Priced, *tested: tuple[str, CouponTerms]) -> Sold:
    return Sold(result, *(RecheckedCoupon(*each) for each in tested))


def flash(left: int) -> Promotion:
    return promotion("FLASH_SALE", "flash", price_minor=1_000, skus=("cup",), left=left)


def tier_gives_a_cup() -> tuple[BenefitInForce, ...]:
    return (
        BenefitInForce("tier", 1, 0, Benefit("GIFT", "cup", gift_sku="cup", min_spend_minor=1)),
    )


@pytest.mark.parametrize(
    ("cups", "to_pay", "refused"),
    [
        (1, 500, {"their-0": "NO_EFFECT"}),
        (2, 500, {"their-0": None}),
        (3, 1_500, {"their-0": None}),
    ],
)
def test_the_merchants_gift_and_the_alliances_give_a_unit_each_while_there_are_units(
    cups: int, to_pay: int, refused: dict[str, str | None]
) -> None:
    result = priced(("cup", cups, 1_000), ("tea", 1, 500), own=[gives()], theirs=[gives()])

    assert result.payable_minor == to_pay
    assert reasons(result)["own-0"] is None
    assert reasons(result)["their-0"] == refused["their-0"]


def test_a_gift_that_finds_no_unit_says_that_the_others_leave_nothing() -> None:
    result = priced(("cup", 1, 1_000), ("tea", 1, 500), own=[gives(), gives()])

    assert result.coupon_ids == ("own-0",)
    assert decision(result, "own-1").says == "NO_MORE_EFFECT"


def test_of_several_lines_the_second_gift_takes_the_next_dearest_unit() -> None:
    zone = {"skus": ("cup", "pot")}
    lines = (("cup", 1, 1_000), ("pot", 1, 3_000), ("tea", 1, 500))
    result = priced(*lines, own=[gives(**zone), gives(**zone)])

    assert [line.payable_minor for line in result.lines] == [0, 0, 500]
    assert [decision(result, f"own-{at}").amount_minor for at in (0, 1)] == [3_000, 1_000]


def test_a_tier_and_two_coupons_give_three_units() -> None:
    result = priced(("cup", 4, 999), own=[gives()], theirs=[gives()], benefits=tier_gives_a_cup())

    assert result.payable_minor == 999


def test_where_a_tier_gives_the_only_unit_a_coupon_has_no_effect() -> None:
    result = priced(("cup", 1, 999), ("tea", 1, 500), own=[gives()], benefits=tier_gives_a_cup())

    assert reasons(result)["own-0"] == "NO_EFFECT"


def test_two_add_on_units_cost_their_own_add_on_prices() -> None:
    exchange = [gives("EXCHANGE", add_on_minor=add_on) for add_on in (100, 300)]
    result = priced(("cup", 3, 1_000), own=exchange)

    assert result.payable_minor == 1_000 + 100 + 300
    back = sold(result)
    assert [back.back((0, 1)).cash_minor for _ in range(3)] == [1_000, 100, 300]


def test_what_another_gift_gives_counts_for_a_minimum_and_what_it_gives_itself_does_not() -> None:
    first, second = gives(), gives(min_spend_minor=2_000)
    lines = (("cup", 3, 1_000),)
    assert priced(*lines, own=[first, second]).payable_minor == 1_000

    missed = priced(*lines, own=[first, replace(second, min_spend_minor=2_001)])

    assert missed.payable_minor == 2_000
    assert decision(missed, "own-1").missing_minor == 1


def test_the_second_gift_must_be_earned_beside_the_unit_that_is_left_for_it() -> None:
    # Alone it would give the pot, which is none of its own goods; beside the first it would give
    # a cup, and then too little of its own is left.
    zone = {"skus": ("cup", "pot")}
    second = replace(gives(**zone), skus=("cup",), min_spend_minor=2_000)
    lines = (("cup", 2, 1_000), ("pot", 1, 3_000))
    alone = priced(*lines, own=[second])
    both = priced(*lines, own=[gives(skus=("pot",)), second])

    assert alone.payable_minor == 2_000
    assert both.payable_minor == 2_000
    assert reasons(both)["own-1"] == "NO_EFFECT"


def test_what_a_gift_gives_counts_at_its_price_before_coupons() -> None:
    # The coupon before it takes 1.00 off each cup; the one that is given counts for 10.00.
    second = replace(gives(skus=("cup", "pot")), skus=("cup",))
    lines = (("cup", 2, 1_000), ("pot", 1, 3_000))
    applied = [
        priced(
            *lines,
            own=[off(500, "0"), gives(skus=("pot",)), replace(second, min_spend_minor=least)],
        ).coupon_ids
        for least in (1_000, 1_001)
    ]

    assert applied == [("own-0", "own-1", "own-2"), ("own-0", "own-1")]


def test_units_of_two_gifts_come_back_last_and_bring_nothing() -> None:
    back = sold(priced(("cup", 4, 999), own=[gives()], theirs=[gives()]))

    assert [back.back((0, 1)).cash_minor for _ in range(4)] == [999, 999, 0, 0]


def test_a_gift_that_is_kept_back_leaves_the_other_as_it_is() -> None:
    kept, stays = gives(min_spend_minor=3_000), gives()
    result = priced(("cup", 3, 1_000), ("tea", 1, 1_000), own=[kept, stays])
    assert result.payable_minor == 2_000
    back = sold(result, ("own-0", kept))

    # Without the tea, and without its own cup, the rest is 20.00 in goods.
    assert back.recheck((1, 1)).undone == ("own-0",)
    assert back.kept.cash_minor == 1_000
    assert [back.back((0, 1)).cash_minor for _ in range(3)] == [1_000, 1_000, 0]


@pytest.mark.parametrize(("left", "to_pay"), [(0, 3_000), (1, 2_000), (2, 1_000)])
def test_a_unit_at_its_usual_price_is_given_before_one_of_a_flash_sale(
    left: int, to_pay: int
) -> None:
    offer = promotion("FLASH_SALE", "flash", price_minor=500, skus=("cup",), left=left)
    result = priced(("cup", 3, 1_500), own=[gives()], promotions=(offer,))

    assert result.payable_minor == to_pay


def test_the_second_gift_gives_the_dear_unit_that_is_left_and_then_the_flash_sales() -> None:
    line = ("cup", 3, 20_000)
    paid = [
        priced(line, own=[gives()] * count, promotions=(flash(1),)).payable_minor
        for count in range(4)
    ]

    assert paid == [41_000, 21_000, 1_000, 0]


def test_one_line_in_a_flash_sale_costs_what_lines_of_one_unit_cost() -> None:
    coupons: dict[str, Any] = {
        "own": [gives(pick=2)],
        "theirs": [gives()],
        "promotions": (flash(2),),
    }
    one = priced(("cup", 4, 20_000), **coupons)
    four = priced(*[("cup", 1, 20_000)] * 4, **coupons)

    assert one.payable_minor == four.payable_minor == 1_000


def test_of_a_line_in_a_flash_sale_each_unit_brings_back_what_was_paid_for_it() -> None:
    result = priced(("cup", 3, 20_000), own=[gives()], promotions=(flash(1),))
    back = sold(result)

    # 10.00 and 200.00 were paid, 105.00 each on average; the unit given brings nothing.
    assert [back.back((0, 1)).cash_minor for _ in range(3)] == [10_500, 10_500, 0]


def test_a_gift_out_of_a_flash_sale_that_is_kept_back_is_worth_its_own_unit() -> None:
    terms = gives(min_spend_minor=30_000)
    result = priced(("cup", 2, 20_000), ("tea", 1, 29_000), own=[terms], promotions=(flash(1),))
    assert result.payable_minor == 30_000
    back = sold(result, ("own-0", terms))

    first, rest = back.back((1, 1)), back.back((0, 2))

    assert (first.cash_minor, rest.cash_minor) == (29_000 - 20_000, 21_000)


def test_an_add_on_price_above_a_flash_sales_gives_no_unit_of_it() -> None:
    exchange = gives("EXCHANGE", add_on_minor=1_200, pick=2)
    result = priced(("cup", 2, 20_000), own=[exchange], promotions=(flash(1),))
    back = sold(result)

    assert result.payable_minor == 1_000 + 1_200
    assert [back.back((0, 1)).cash_minor for _ in range(2)] == [1_000, 1_200]


def test_a_coupon_before_a_gift_falls_on_units_by_what_they_cost() -> None:
    # A tenth of 210.00 goes: the dear cup costs 180.00 by then, the other 9.00.
    result = priced(("cup", 2, 20_000), own=[off(2_100, "0"), gives()], promotions=(flash(1),))

    assert result.payable_minor == 900
    back = sold(result)
    assert [back.back((0, 1)).cash_minor for _ in range(2)] == [900, 0]


def test_a_cap_between_two_gifts_leaves_its_rest_with_its_own_unit() -> None:
    capped = replace(gives(), cap_minor=400)
    result = priced(("cup", 3, 1_000), own=[capped, gives()])

    assert result.payable_minor == 1_000 + 600
    back = sold(result)
    assert [back.back((0, 1)).cash_minor for _ in range(3)] == [1_000, 600, 0]


async def test_gifts_of_merchant_and_alliance_are_sold_and_refunded_as_units_of_their_own(
    shop: Shop,
) -> None:
    await shop.join()
    own = await shop.coupon(gives())
    template = await shop.template(gives(), merchant_id=ALLIANCE)
    await shop.join(merchant_id=ALLIANCE)
    [theirs] = await shop.issue(template, ANN, merchant_id=ALLIANCE)
    offered = OfferedCoupon(theirs, ALLIANCE, gives())
    wanted = cart(lines=(CartLine("cup", 3, 1_000),), alliance_coupons=(offered,))
    placed = await shop.place(wanted)

    assert placed.order.payable_minor == 1_000
    assert {each.coupon_id: each.amount_minor for each in placed.event.redemptions} == {
        own: 1_000,
        theirs: 1_000,
    }
    back = [(await shop.refund(placed, f"r-{at}", (0, 1))).terms.cash_minor for at in range(3)]
    assert back == [1_000, 0, 0]


async def test_an_order_that_kept_no_worth_of_its_given_units_is_refunded_as_before(
    shop: Shop,
) -> None:
    await shop.join()
    await shop.coupon(gives())
    placed = await shop.place(cart(lines=(CartLine("cup", 3, 1_000),)))
    stored = load(await shop.scalar("SELECT lines FROM sale"))
    [[*line, [[coupon, amount, units, worth]]]] = stored
    assert (amount, units, worth) == (1_000, 1, 1_000)
    older = dump([[*line, [[coupon, amount, units]]]])
    await shop.database.transaction(
        lambda connection: connection.execute(
            text("UPDATE sale SET lines = :lines"), {"lines": older}
        )
    )

    back = [(await shop.refund(placed, f"r-{at}", (0, 1))).terms.cash_minor for at in range(3)]
    assert back == [1_000, 1_000, 0]


@pytest.mark.parametrize("count", range(4))
@pytest.mark.parametrize("left", range(4))
@pytest.mark.parametrize("with_tier", [False, True])
def test_a_gift_costs_the_same_on_one_line_or_on_lines_of_one_unit(
    count: int, left: int, with_tier: bool
) -> None:
    off_all = promotion("THRESHOLD_OFF", "off", threshold_minor=1, off_minor=400)
    coupons: dict[str, Any] = {
        "own": [off(1_000, "a"), *[gives()] * count],
        "promotions": (flash(left), off_all),
        "benefits": tier_gives_a_cup() if with_tier else (),
    }
    one = priced(("cup", 3, 20_000), **coupons)
    three = priced(*[("cup", 1, 20_000)] * 3, **coupons)

    # Lines round on their own.
    assert abs(one.payable_minor - three.payable_minor) <= 3
