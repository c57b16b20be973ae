"""Prices are the lowest there are: compared with trying everything on small carts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from merchants.benefits.in_force import BenefitInForce
from merchants.benefits.in_force import member_rates as rates_of
from merchants.benefits.terms import early_minutes
from merchants.ladders.tiers import Benefit
from merchants.offers import CartLine, CouponKind, CouponTerms, GiftZone, OfferedCoupon
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from merchants.promotions.goods import GoodsPrice, MemberRate, goods_price
from merchants.promotions.terms import Buyer, Promotion
from merchants.promotions.thresholds import order_promotions
from tests.merchants.offers import promotion, tier
from tests.merchants.pricing.brute_force import (
    Offers,
    best_sets,
    item_promotions,
    lines,
    member_rates,
    quarters,
    some,
)
from tests.merchants.pricing.coupon_reference import Counter, Wallet, best_outcome
from tests.merchants.pricing.random_carts import (
    by_content,
    carts,
    with_a_threshold_that_members_miss,
    with_twins,
)
from tests.merchants.shop import NOW, TEA, cart
from tests.merchants.sizes import sizes


def goods_are_cheapest(
    bought: list[CartLine], promotions: tuple[Promotion, ...], rates: tuple[MemberRate, ...]
) -> None:
    goods = goods_price(bought, promotions, buyer=Buyer(True), rates=rates, at=NOW)

    assert sum(goods.left_minor) == Offers(promotions, rates).lowest(bought)


@sizes(goods_are_cheapest, lines, item_promotions(), member_rates())
def test_no_packing_of_bundles_makes_goods_cheaper(run: Callable[[], None]) -> None:
    run()


@st.composite
def threshold_promotions(draw: st.DrawFn) -> tuple[Promotion, ...]:
    """满减 and 满折, some out of reach, many of the same amount."""
    made = []
    for index in range(draw(st.integers(2, 5))):
        face = draw(
            st.sampled_from(
                [
                    {"kind": "THRESHOLD_OFF", "off_minor": 100},
                    {"kind": "THRESHOLD_OFF", "off_minor": 200},
                    {"kind": "THRESHOLD_OFF", "off_minor": 9_000},
                    {"kind": "THRESHOLD_PERCENT", "percent_off_bps": 2_500},
                    {"kind": "THRESHOLD_PERCENT", "percent_off_bps": 333},
                ]
            )
        )
        made.append(
            promotion(
                name=f"prm-{index}",
                threshold_minor=draw(st.sampled_from([1, 3_200, 12_000])),
                skus=draw(st.sampled_from([None, ("a",), ("b",), ("c",), ("b", "c")])),
                **face,
            )
        )
    return tuple(made)


def the_best_set_of_promotions_applies(
    bought: list[CartLine], promotions: tuple[Promotion, ...], left_bps: list[int]
) -> None:
    left = [line.list_minor * bps // 10_000 for line, bps in zip(bought, left_bps, strict=False)]
    amounts = []
    for each in promotions:
        terms = each.terms
        on = frozenset(
            index
            for index, line in enumerate(bought)
            if terms.skus is None or line.sku in terms.skus
        )
        spent = sum(left[index] for index in on)
        percent = sum(
            (left[index] * (terms.percent_off_bps or 0) + 5_000) // 10_000 for index in on
        )
        off = min(spent, terms.off_minor or 0) or percent
        if spent >= (terms.threshold_minor or 0):
            amounts.append((each.promotion_id, off, on))

    found = order_promotions(promotions, bought, left)

    best, names = best_sets(amounts)
    assert (found.total, tuple(each.promotion.promotion_id for each in found.applied)) == (
        best,
        names,
    )


@sizes(
    the_best_set_of_promotions_applies,
    lines,
    threshold_promotions(),
    st.lists(st.sampled_from([10_000, 10_000, 7_777, 0]), min_size=3, max_size=3),
)
def test_no_other_set_of_order_promotions_takes_more_off(run: Callable[[], None]) -> None:
    run()


def gifts_worth_most(
    rules: PriceRules,
    wanted: PriceCart,
    left: list[int],
    parts: Sequence[Sequence[tuple[int, int]]] = (),
) -> tuple[tuple[int, int], ...]:
    """(line, price of a unit) of each gift of the best set, found by trying every set."""
    offers: list[list[tuple[int, int, int] | None]] = []
    for sku in sorted({line.sku for line in wanted.lines}):
        needed = [
            each.benefit.min_spend_minor
            for each in rules.benefits
            if each.benefit.kind == "GIFT" and each.benefit.gift_sku == sku
        ]
        least = min((each for each in needed if each is not None), default=None)
        units = [
            (
                max(
                    cost // count
                    for count, cost in (parts and parts[index]) or [(line.quantity, left[index])]
                ),
                -index,
            )
            for index, line in enumerate(wanted.lines)
            if line.sku == sku
        ]
        if least is not None:
            worth, index = max(units)
            offers.append([None, (-index, worth, least)])
    sets = [tuple(each for each in chosen if each) for chosen in product(*offers)]
    earned = [
        chosen
        for chosen in sets
        if all(sum(left) - sum(each[1] for each in chosen) >= least for _, _, least in chosen)
    ]
    best = max(earned, key=lambda chosen: sum(each[1] for each in chosen))
    return tuple((index, worth) for index, worth, _ in best)


@pytest.mark.parametrize("minimums", list(product((5_000, 11_000, 30_000), repeat=2)))
def test_no_other_set_of_gifts_is_worth_more(minimums: tuple[int, int]) -> None:
    rules = PriceRules(
        benefits=tuple(
            BenefitInForce("t", 1, at, Benefit("GIFT", sku, gift_sku=sku, min_spend_minor=least))
            for at, (sku, least) in enumerate(zip("ab", minimums, strict=True))
        )
    )
    for costs in product((1_000, 6_000, 12_000), repeat=3):
        bought = tuple(CartLine(sku, 1, cost) for sku, cost in zip("abx", costs, strict=True))
        wanted = cart(lines=bought)
        worth = sum(each for _, each in gifts_worth_most(rules, wanted, list(costs)))

        assert price(wanted, rules).payable_minor == sum(costs) - worth


def lowest_after_coupons(wanted: PriceCart, rules: PriceRules, goods: GoodsPrice) -> int:
    """What is left to pay over every choice of coupons, goods and shipping together."""
    left = list(goods.left_minor)
    alike = [
        list(parts or ((line.quantity, each),))
        for parts, line, each in zip(goods.parts, wanted.lines, left, strict=True)
    ]
    for index, worth in gifts_worth_most(rules, wanted, left, goods.parts):
        left[index] -= worth
        costs = [cost // units for units, cost in alike[index]]
        units, cost = alike[index][costs.index(worth)]
        alike[index][costs.index(worth)] = (units - 1, cost - worth)
    has_shipping = all(each.benefit.kind != "FREE_SHIPPING" for each in rules.benefits)
    listed = sum(line.list_minor for line in wanted.lines)
    cap = rules.policy.discount_cap_bps if rules.policy else None
    budget = (
        None if cap is None else max(0, listed * cap // 10_000 - listed + sum(goods.left_minor))
    )
    counter = Counter(
        lines=wanted.lines,
        left=left,
        spent=goods.left_minor,
        shipping=wanted.shipping_minor if has_shipping else 0,
        budget=budget,
        channel=wanted.channel,
        owned=rules.owned_skus,
        alike=alike,
    )
    wallet = Wallet(
        [each.coupon for each in rules.coupons], [each.coupon for each in rules.alliance_coupons]
    )
    return best_outcome(counter, wallet).to_pay


def the_lowest_of_all_bases_is_paid(
    case: tuple[PriceCart, PriceRules], is_missed_by_members: bool
) -> None:
    wanted, rules = case
    if is_missed_by_members:
        rules = with_a_threshold_that_members_miss(case)
    wanted = replace(wanted, lines=by_content(wanted.lines), points=0, coins_minor=0)
    rules = replace(rules, coupons=rules.coupons[:4], alliance_coupons=rules.alliance_coupons[:3])
    bases = [
        goods_price(
            wanted.lines,
            rules.promotions,
            buyer=Buyer(True, rules.rank, early_minutes(each.benefit for each in rules.benefits)),
            rates=rates_of(rules.benefits),
            at=wanted.at,
        ),
        goods_price(
            wanted.lines,
            rules.promotions,
            buyer=Buyer(True, rules.rank, early_minutes(each.benefit for each in rules.benefits)),
            rates=(),
            at=wanted.at,
        ),
        goods_price(wanted.lines, rules.promotions, buyer=Buyer(False), rates=(), at=wanted.at),
    ]

    paid = price(wanted, rules).payable_minor

    assert paid == min(lowest_after_coupons(wanted, rules, goods) for goods in bases)


@sizes(the_lowest_of_all_bases_is_paid, carts(), st.booleans())
def test_a_member_pays_the_lowest_over_all_bases_and_all_coupons(run: Callable[[], None]) -> None:
    run()


@pytest.mark.parametrize(("pick", "left"), list(product((1, 2, 3), repeat=2)))
def test_a_member_pays_the_lowest_where_a_flash_sale_has_some_units_of_a_gift(
    pick: int, left: int
) -> None:
    terms = CouponTerms("gift", CouponKind.GIFT, 1, zone=GiftZone(skus=("a",), pick=pick))
    rules = PriceRules(
        coupons=(Candidate(OfferedCoupon("gift", TEA, terms)),),
        promotions=(promotion("FLASH_SALE", "flash", price_minor=1_000, skus=("a",), left=left),),
    )
    wanted = cart(lines=(CartLine("a", 4, 20_000), CartLine("b", 1, 700)))

    the_lowest_of_all_bases_is_paid((wanted, rules), False)


def the_order_of_lines_changes_no_price(
    bought: list[CartLine],
    promotions: tuple[Promotion, ...],
    more: tuple[Promotion, ...],
    coupons: list[CouponTerms],
    chance: Any,
) -> None:
    by_name = {each.promotion_id: each for each in promotions}
    by_name |= {f"late-{each.promotion_id}": each for each in more}
    named = [replace(each, promotion_id=name) for name, each in by_name.items()]
    rules = PriceRules(
        promotions=tuple(named),
        benefits=(tier(2_500),),
        coupons=tuple(
            Candidate(OfferedCoupon(f"c{index}", TEA, terms)) for index, terms in enumerate(coupons)
        ),
    )
    shuffled = list(bought)
    chance.shuffle(shuffled)

    first = price(cart(lines=tuple(bought)), rules)
    second = price(cart(lines=tuple(shuffled)), rules)

    assert first.payable_minor == second.payable_minor
    assert first.anonymous_payable_minor == second.anonymous_payable_minor
    assert first.stock == second.stock
    assert first.decisions == second.decisions


@sizes(
    the_order_of_lines_changes_no_price,
    lines,
    item_promotions(),
    threshold_promotions(),
    st.lists(
        st.builds(
            lambda bps, group, skus: CouponTerms(
                "c",
                CouponKind.PERCENT_OFF,
                0,
                percent_off_bps=bps,
                stacking_group=group,
                skus=skus,
            ),
            quarters,
            st.sampled_from(["g", "h"]),
            some,
        ),
        max_size=3,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_a_carts_lines_changes_no_price(run: Callable[[], None]) -> None:
    run()


def the_order_of_ladders_changes_nothing(case: tuple[PriceCart, PriceRules], chance: Any) -> None:
    wanted, rules = case
    assume(rules.benefits)
    rules = with_twins(rules)
    shuffled = list(rules.benefits)
    chance.shuffle(shuffled)

    assert price(wanted, replace(rules, benefits=tuple(shuffled))) == price(wanted, rules)


@sizes(the_order_of_ladders_changes_nothing, carts(), st.randoms(use_true_random=False))
def test_the_order_of_ladders_changes_nothing(run: Callable[[], None]) -> None:
    run()
