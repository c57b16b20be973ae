"""Random carts, with promotions, tiers, coupons of every kind, points and coins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from kernel.units import Ratio
from merchants.benefits.in_force import BenefitInForce
from merchants.ladders.tiers import Benefit
from merchants.offers import CartLine, CouponKind, CouponTerms, GiftZone, OfferedCoupon
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.policy import PricingPolicy
from merchants.pricing.stacking import Candidate
from merchants.promotions.terms import Promotion
from tests.merchants.offers import promotion, tier
from tests.merchants.shop import ALLIANCE, NOW, TEA, cart

lines = st.lists(
    st.builds(
        CartLine,
        sku=st.sampled_from(["a", "b", "c"]),
        quantity=st.integers(1, 7),
        unit_price_minor=st.integers(0, 20_000),
        category_id=st.sampled_from([None, "x", "y"]),
    ),
    min_size=1,
    max_size=6,
)
amount_terms = st.builds(
    CouponTerms,
    title=st.just("amount"),
    kind=st.just(CouponKind.AMOUNT_OFF),
    min_spend_minor=st.integers(0, 30_000),
    amount_minor=st.integers(1, 30_000),
    skus=st.sampled_from([None, ("a",), ("a", "b")]),
    stacking_group=st.sampled_from([None, "g"]),
    funder_alliance_bps=st.sampled_from([0, 3_000, 10_000]),
)
percent_terms = st.builds(
    CouponTerms,
    title=st.just("percent"),
    kind=st.just(CouponKind.PERCENT_OFF),
    min_spend_minor=st.integers(0, 30_000),
    percent_off_bps=st.integers(1, 10_000),
    cap_minor=st.one_of(st.none(), st.integers(1, 5_000)),
    category_ids=st.sampled_from([None, ("x",)]),
    stacking_group=st.sampled_from([None, "g", "h"]),
)
shipping_terms = st.builds(
    CouponTerms,
    title=st.just("shipping"),
    kind=st.just(CouponKind.SHIPPING),
    min_spend_minor=st.integers(0, 30_000),
    amount_minor=st.sampled_from([None, 300]),
    stacking_group=st.sampled_from([None, "h"]),
)
gift_terms = st.builds(
    lambda kind, add_on, pick, spend, group, categories: CouponTerms(
        title="gift",
        kind=kind,
        min_spend_minor=spend,
        category_ids=categories,
        stacking_group=group,
        zone=GiftZone(
            skus=("a", "c"),
            pick=pick,
            add_on_minor=add_on if kind is CouponKind.EXCHANGE else 0,
            excludes_owned=True,
        ),
    ),
    st.sampled_from([CouponKind.GIFT, CouponKind.EXCHANGE]),
    st.integers(0, 5_000),
    st.integers(1, 3),
    st.integers(0, 20_000),
    st.sampled_from(["gifts", "more gifts"]),
    st.sampled_from([None, ("x",)]),
)
all_terms = st.lists(st.one_of(amount_terms, percent_terms, shipping_terms, gift_terms), max_size=5)
ratios = st.sampled_from([Ratio(1, 1), Ratio(1, 100), Ratio(3, 2), Ratio(7, 3), Ratio(0, 1)])
some_skus = st.sampled_from([None, ("a",), ("b", "c")])
faces: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["LIMITED_PRICE", "MEMBER_PRICE"]),
            "percent_off_bps": st.integers(1, 10_000),
            "skus": some_skus,
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["LIMITED_PRICE", "MEMBER_PRICE"]),
            "price_minor": st.integers(0, 15_000),
            "skus": some_skus,
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("FLASH_SALE"),
            "price_minor": st.integers(0, 9_000),
            "skus": st.sampled_from([("a",), ("a", "b")]),
            "left": st.integers(0, 8),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("BUNDLE"),
            "price_minor": st.integers(0, 30_000),
            "skus": st.sampled_from([("a", "b"), ("b", "c", "c"), ("a", "a")]),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("THRESHOLD_OFF"),
            "threshold_minor": st.integers(1, 40_000),
            "off_minor": st.integers(1, 20_000),
            "skus": some_skus,
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("THRESHOLD_PERCENT"),
            "threshold_minor": st.integers(1, 40_000),
            "percent_off_bps": st.integers(1, 10_000),
            "skus": some_skus,
        }
    ),
)
_STACKING = ("LIMITED_PRICE", "FLASH_SALE", "BUNDLE")


@st.composite
def promotions(draw: st.DrawFn) -> tuple[Promotion, ...]:
    """Up to six promotions, of any kinds, some for members, some early."""
    made = []
    for index in range(draw(st.integers(0, 6))):
        face = dict(draw(faces))
        early = draw(st.sampled_from([{}, EARLY, SOON]))
        made.append(
            promotion(
                face.pop("kind"),
                f"prm-{index}",
                members_only=draw(st.booleans()),
                stacks=draw(st.booleans()),
                **early,
                **face,
            )
        )
    return tuple(
        each
        if each.terms.kind in _STACKING
        else replace(each, terms=replace(each.terms, stacks=False))
        for each in made
    )


benefit_terms = st.one_of(
    st.builds(
        lambda bps, skus, categories: Benefit(
            "PERCENT_OFF", "percent", percent_off_bps=bps, skus=skus, category_ids=categories
        ),
        st.sampled_from([1_000, 5_000, 3_333]),
        some_skus,
        st.sampled_from([None, ("x",)]),
    ),
    st.builds(
        lambda price, skus: Benefit("MEMBER_PRICE", "price", price_minor=price, skus=skus),
        st.integers(0, 9_000),
        st.sampled_from([("a",), ("b", "c")]),
    ),
    st.builds(
        lambda sku, spend: Benefit("GIFT", "gift", gift_sku=sku, min_spend_minor=spend),
        st.sampled_from(["a", "b", None]),
        st.sampled_from([None, 5_000, 30_000]),
    ).map(lambda each: each if each.gift_sku else replace(each, min_spend_minor=None)),
    st.sampled_from(
        [
            Benefit("POINTS_MULTIPLIER", "double", points_multiplier_bps=20_000),
            Benefit("FREE_SHIPPING", "ships free"),
            Benefit("EARLY_ACCESS", "early", early_minutes=10),
            Benefit("EARLY_ACCESS", "earlier", early_minutes=90),
            Benefit("OWN_AGENT", "agent", entitlement="agent"),
        ]
    ),
)
SOON = {"starts_at": NOW + timedelta(minutes=5)}
EARLY = {
    "starts_at": NOW + timedelta(minutes=5),
    "early_access_rank": 2,
    "early_access_minutes": 60,
}


def with_twins(rules: PriceRules) -> PriceRules:
    """The same rules with each offer twice, under another id, so that nearly everything ties."""
    return replace(
        rules,
        promotions=(
            *rules.promotions,
            *(replace(each, promotion_id=f"a-{each.promotion_id}") for each in rules.promotions),
        ),
        coupons=(*rules.coupons, *map(_twin, rules.coupons[:2])),
        alliance_coupons=(*rules.alliance_coupons, *map(_twin, rules.alliance_coupons[:2])),
        benefits=(
            *rules.benefits,
            *(replace(each, position=each.position + 4) for each in rules.benefits),
        ),
    )


def _twin(candidate: Candidate) -> Candidate:
    coupon = candidate.coupon
    return replace(candidate, coupon=replace(coupon, coupon_id=f"a-{coupon.coupon_id}"))


def with_a_threshold_that_members_miss(case: tuple[PriceCart, PriceRules]) -> PriceRules:
    """The rules where public prices just reach a promotion that a tier's percentage misses."""
    wanted, rules = case
    listed = max(2, sum(line.list_minor for line in wanted.lines))
    near = promotion("THRESHOLD_OFF", "near", threshold_minor=listed, off_minor=listed // 2)
    return replace(rules, promotions=(near,), benefits=(tier(1_000),))


def by_content(lines: Iterable[CartLine]) -> tuple[CartLine, ...]:
    """The lines in the order in which they are priced (docs/rules/pricing.md, rule 25)."""
    return tuple(
        sorted(
            lines,
            key=lambda each: (
                each.sku,
                each.category_id or "",
                each.unit_price_minor,
                each.quantity,
            ),
        )
    )


@st.composite
def carts(draw: st.DrawFn) -> tuple[PriceCart, PriceRules]:
    """A member's cart, and all that could be on offer for it."""
    own = [
        Candidate(OfferedCoupon(f"own-{index}", TEA, terms))
        for index, terms in enumerate(draw(all_terms))
    ]
    theirs = [
        Candidate(OfferedCoupon(f"their-{index}", ALLIANCE, terms))
        for index, terms in enumerate(draw(all_terms))
    ]
    benefits = [
        BenefitInForce(draw(st.sampled_from(["tiers", "paid:card"])), 1, index, benefit)
        for index, benefit in enumerate(draw(st.lists(benefit_terms, max_size=4)))
    ]
    wanted = cart(
        lines=tuple(draw(lines)),
        shipping_minor=draw(st.integers(0, 1_000)),
        points=draw(st.integers(0, 20_000)),
        points_available=draw(st.integers(0, 20_000)),
        coins_minor=draw(st.integers(0, 20_000)),
        coins_available_minor=draw(st.integers(0, 20_000)),
        member_point_value=draw(ratios),
        points_cap_bps=draw(st.integers(0, 10_000)),
    )
    cap = draw(st.sampled_from([None, None, 0, 3_000, 10_000]))
    return wanted, PriceRules(
        tuple(benefits),
        tuple(own),
        tuple(theirs),
        promotions=draw(promotions()),
        rank=draw(st.integers(0, 3)),
        owned_skus=draw(st.sampled_from([frozenset(), frozenset({"a"})])),
        policy=None if cap is None else PricingPolicy(1, cap),
    )
