"""The chosen combination of coupons is the best there is."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.units import WHOLE_BP
from merchants.benefits.line_parts import GivenUnits, LineParts, parts_of
from merchants.offers import (
    CartLine,
    CouponKind,
    CouponTerms,
    DecisionOutcome,
    GiftZone,
    OfferedCoupon,
)
from merchants.pricing import coupon_kinds
from merchants.pricing.coupon_kinds import OpenCart, Reach, amount_of, effect_of, reach_of
from merchants.pricing.coupon_search import Usable, best_combination
from merchants.pricing.stacking import Candidate, CouponRules, coupon_layer
from tests.merchants.shop import ALLIANCE, TEA

thorough = settings(max_examples=80, deadline=None, derandomize=True)

lines = st.lists(
    st.builds(
        CartLine,
        sku=st.sampled_from(["a", "b", "c"]),
        quantity=st.integers(1, 3),
        unit_price_minor=st.integers(1, 400),
    ),
    min_size=1,
    max_size=3,
)
scopes = st.sampled_from([None, ("a",), ("b", "c")])
shapes: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just(CouponKind.AMOUNT_OFF), "amount_minor": st.integers(1, 500)}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just(CouponKind.PERCENT_OFF),
            "percent_off_bps": st.integers(1, 10_000),
            "cap_minor": st.sampled_from([None, 50]),
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.just(CouponKind.SHIPPING), "amount_minor": st.sampled_from([None, 60])}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just(CouponKind.GIFT),
            "zone": st.builds(GiftZone, skus=st.just(("a", "b")), pick=st.integers(1, 2)),
        }
    ),
)
terms = st.builds(
    lambda shape, skus, group, alliance: CouponTerms(
        title="c",
        min_spend_minor=0,
        skus=skus,
        stacking_group=group,
        funder_alliance_bps=alliance,
        **shape,
    ),
    shapes,
    scopes,
    st.sampled_from([None, "g", "h"]),
    st.sampled_from([0, 5_000, WHOLE_BP]),
)


def usable(name: str, wanted: CouponTerms, bought: list[CartLine], cart: OpenCart) -> Usable:
    coupon = OfferedCoupon(name, TEA, wanted)
    return Usable(coupon, reach_of(wanted, bought, cart, (), spend_minor=cart.left_minor))


def opened(bought: list[CartLine], shipping: int, budget: int | None) -> OpenCart:
    left = tuple(line.list_minor for line in bought)
    parts = dict(enumerate(map(LineParts, parts_of(bought, left))))
    return OpenCart(left, shipping, budget, parts)


def rank(chosen: list[Usable], cart: OpenCart) -> tuple[int, int, int, tuple[str, ...]]:
    taken = cost = 0
    for each in chosen:
        effect = effect_of(each.coupon.terms, each.reach, cart)
        if effect.amount_minor == 0:
            return (1, 0, 0, ())
        taken += effect.amount_minor
        cost += effect.amount_minor * each.own_bps
        cart = cart.without(effect)
    return (-taken, cost, len(chosen), tuple(each.coupon.coupon_id for each in chosen))


@thorough
@given(
    lines,
    st.lists(st.lists(terms, min_size=1, max_size=3), max_size=3),
    st.sampled_from([None, 0, 150]),
)
def test_the_search_finds_what_trying_everything_finds(
    bought: list[CartLine], wanted: list[list[CouponTerms]], budget: int | None
) -> None:
    cart = opened(bought, 100, budget)
    groups = [
        [usable(f"{row}-{column}", each, bought, cart) for column, each in enumerate(group)]
        for row, group in enumerate(wanted)
    ]
    everything = [
        [each for each in combination if each is not None]
        for combination in product(*([None, *group] for group in groups))
    ]

    choice = best_combination(groups, cart)

    assert choice.untried == frozenset()
    assert rank([each for each, _ in choice.taken], cart) == min(
        rank(chosen, cart) for chosen in everything
    )


@thorough
@given(lines, terms, st.integers(0, 200), st.sampled_from([None, 0, 70]))
def test_the_quick_amount_is_the_amount_that_is_spread(
    bought: list[CartLine], wanted: CouponTerms, shipping: int, budget: int | None
) -> None:
    cart = opened(bought, shipping, budget)
    reach = usable("c", wanted, bought, cart).reach
    effect = effect_of(wanted, reach, cart)

    assert amount_of(wanted, reach, cart) == effect.amount_minor
    assert all(
        0 <= share <= left for share, left in zip(effect.shares_minor, cart.left_minor, strict=True)
    )
    assert 0 <= effect.shipping_minor <= shipping


@thorough
@given(lines, st.lists(terms, max_size=6), st.randoms(use_true_random=False))
def test_neither_the_order_of_coupons_nor_of_issuers_lists_matters(
    bought: list[CartLine], wanted: list[CouponTerms], shuffler: Any
) -> None:
    cart = opened(bought, 100, None)
    own = [Candidate(OfferedCoupon(f"o{at}", TEA, each)) for at, each in enumerate(wanted)]
    theirs = [Candidate(OfferedCoupon(f"t{at}", ALLIANCE, each)) for at, each in enumerate(wanted)]
    first = coupon_layer(
        CouponRules(tuple(own), tuple(theirs)),
        bought,
        channel="APP",
        cart=cart,
        spend_minor=cart.left_minor,
    )
    shuffler.shuffle(own)
    shuffler.shuffle(theirs)

    assert first == coupon_layer(
        CouponRules(tuple(own), tuple(theirs)),
        bought,
        channel="APP",
        cart=cart,
        spend_minor=cart.left_minor,
    )


def test_a_coupon_that_leaves_more_to_a_later_group_beats_the_greedy_choice() -> None:
    """100 off all goods first leaves `b` nothing to take half of; 90 off `x` alone does not."""
    bought = [CartLine("x", 1, 90), CartLine("y", 1, 100)]
    cart = OpenCart((90, 100), 0, None)
    groups = [
        [
            usable("all", amount(100), bought, cart),
            usable("x", replace(amount(90), skus=("x",)), bought, cart),
        ],
        [usable("y", replace(amount(100), skus=("y",)), bought, cart)],
    ]

    choice = best_combination(groups, cart)

    assert [each.coupon.coupon_id for each, _ in choice.taken] == ["x", "y"]


def test_of_equals_the_one_that_costs_the_merchant_less_wins_then_the_lower_id() -> None:
    bought, cart = [CartLine("x", 1, 500)], OpenCart((500,), 0, None)
    shared = replace(amount(100), funder_alliance_bps=5_000)

    dear = [usable("a", amount(100), bought, cart), usable("b", shared, bought, cart)]
    equal = [usable("d", shared, bought, cart), usable("c", shared, bought, cart)]

    assert best_combination([dear], cart).taken[0][0].coupon.coupon_id == "b"
    assert best_combination([equal], cart).taken[0][0].coupon.coupon_id == "c"


def test_a_search_that_is_too_large_says_what_it_did_not_try() -> None:
    bought = [CartLine("x", 1, 1_000 + index) for index in range(200)]
    cart = OpenCart(tuple(line.list_minor for line in bought), 0, None)
    candidates = tuple(
        Candidate(
            OfferedCoupon(
                f"c-{group}-{each}",
                TEA,
                CouponTerms(
                    "c",
                    CouponKind.PERCENT_OFF,
                    0,
                    percent_off_bps=100 + each,
                    stacking_group=f"g{group}",
                ),
            )
        )
        for group in range(6)
        for each in range(10)
    )

    layer = coupon_layer(
        CouponRules(candidates), bought, channel="APP", cart=cart, spend_minor=cart.left_minor
    )

    outcomes = {each.outcome for each in layer.decisions}
    assert len(layer.applied) == 6
    assert DecisionOutcome.NOT_EVALUATED in outcomes
    assert len(layer.decisions) == 60


def amount(minor: int) -> CouponTerms:
    return CouponTerms("c", CouponKind.AMOUNT_OFF, 0, amount_minor=minor)


def test_a_later_unit_that_rounding_makes_dearer_is_found() -> None:
    # Of 5 for three units a first gift takes 1, and a second one 2.
    bought = [CartLine("a", 3, 2), CartLine("x", 1, 10)]
    cart = OpenCart((5, 10), 0, None, {0: LineParts(((3, 5),))})
    gift = CouponTerms("gift", CouponKind.GIFT, 0, zone=GiftZone(skus=("a",)))
    off = CouponTerms("off", CouponKind.AMOUNT_OFF, 0, amount_minor=1, skus=("x",))
    others_pay: dict[str, Any] = {"funder_alliance_bps": WHOLE_BP}
    groups = [
        [
            usable("a-off", replace(off, **others_pay), bought, cart),
            usable("b-gift", gift, bought, cart),
        ],
        [usable("c-gift", replace(gift, **others_pay), bought, cart)],
    ]

    choice = best_combination(groups, cart)

    assert [each.coupon.coupon_id for each, _ in choice.taken] == ["b-gift", "c-gift"]
    assert choice.cart.left_minor == (2, 10)


def test_a_search_finds_the_units_of_a_line_only_where_a_coupon_comes_to_give_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spread_on: list[int] = []
    less = LineParts.less

    def counted(line: LineParts, amount_minor: int) -> LineParts:
        spread_on.append(amount_minor)
        return less(line, amount_minor)

    monkeypatch.setattr(LineParts, "less", counted)
    gift = CouponTerms("gift", CouponKind.GIFT, 1, stacking_group="z", zone=GiftZone(("cup",)))
    cuts = [
        CouponTerms("cut", CouponKind.PERCENT_OFF, 0, percent_off_bps=bps, stacking_group=group)
        for group in "ab"
        for bps in (500, 700, 900)
    ]
    candidates = tuple(
        Candidate(OfferedCoupon(f"c-{at}", TEA, each)) for at, each in enumerate([*cuts, gift])
    )
    bought = tuple(CartLine("cup", 2, 1_000 + at) for at in range(40))
    left = tuple(line.list_minor for line in bought)
    layer = coupon_layer(
        CouponRules(candidates, ()),
        bought,
        channel="STORE_POS",
        cart=OpenCart(left, 0, None),
        spend_minor=left,
    )

    assert [each.coupon.coupon_id for each in layer.applied] == ["c-2", "c-5", "c-6"]
    # 3 × 3 ways and the shorter ones: a line or two of each, never all 40.
    assert len(spread_on) < 80


def test_what_coupons_give_of_a_cart_is_found_once_however_often_the_search_comes_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, OpenCart]] = []
    gifts_of = coupon_kinds.gifts_of

    def counted(terms: CouponTerms, reach: Reach, cart: OpenCart) -> tuple[GivenUnits, ...]:
        asked.append((terms.title, cart))
        return gifts_of(terms, reach, cart)

    monkeypatch.setattr(coupon_kinds, "gifts_of", counted)
    zone = GiftZone(("cup", "pot"))
    gifts = [
        CouponTerms(f"{group}-{at}", CouponKind.GIFT, 0, stacking_group=group, zone=zone)
        for group in "abc"
        for at in range(2)
    ]
    candidates = tuple(
        Candidate(OfferedCoupon(f"c-{at}", TEA, each)) for at, each in enumerate(gifts)
    )
    bought = (CartLine("cup", 4, 1_000), CartLine("pot", 1, 1_500))
    left = tuple(line.list_minor for line in bought)
    layer = coupon_layer(
        CouponRules(candidates, ()),
        bought,
        channel="STORE_POS",
        cart=OpenCart(left, 0, None),
        spend_minor=left,
    )

    assert [each.coupon.coupon_id for each in layer.applied] == ["c-0", "c-2", "c-4"]
    # Of the whole cart, and of those that one or two coupons lead to: each is made once, too.
    assert len({(title, id(cart)) for title, cart in asked}) == len(asked)
    assert len(asked) <= 18
