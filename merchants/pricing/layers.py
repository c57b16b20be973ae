"""What a cart costs, and why: the layers in their fixed order. Pure.

Source: docs/rules/pricing.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from kernel.units import WHOLE_BP
from merchants.benefits.gifts import tier_gifts
from merchants.benefits.in_force import BenefitInForce as BenefitInForce
from merchants.benefits.in_force import (
    early_decisions,
    earn_rate,
    flags,
    free_shipping,
    member_rates,
)
from merchants.benefits.line_parts import GivenUnits
from merchants.benefits.terms import GIFT, early_minutes
from merchants.offers import (
    MAJOR,
    Allocation,
    Decision,
    DecisionOutcome,
    Priced,
    PricedLine,
    Redemption,
)
from merchants.port import PriceCart
from merchants.pricing.coupon_kinds import ZONE_KINDS, OpenCart
from merchants.pricing.line_order import as_given, by_content
from merchants.pricing.policy import PricingPolicy, cap_decisions
from merchants.pricing.spending import Spending, coins_spending, points_spending
from merchants.pricing.stacking import AppliedCoupon, Candidate, CouponRules, coupon_layer
from merchants.promotions.decisions import (
    closed_decisions,
    parity_decisions,
    promotion_decisions,
)
from merchants.promotions.goods import GoodsPrice, goods_price
from merchants.promotions.terms import Buyer, Promotion

NO_UNITS: Mapping[int, GivenUnits] = {}


@dataclass(frozen=True, slots=True)
class PriceRules:
    """What a price depends on beside the cart: what is on offer, and what the buyer has here.

    Attributes:
        promotions: those that are on at the instant, open to this buyer or not.
        rank: the buyer's best rank in any ladder; 0 for none.
        owned_skus: articles that the buyer bought here before.
        policy: the merchant's own limits; None without any.
    """

    benefits: tuple[BenefitInForce, ...] = ()
    coupons: tuple[Candidate, ...] = ()
    alliance_coupons: tuple[Candidate, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    rank: int = 0
    owned_skus: frozenset[str] = frozenset()
    policy: PricingPolicy | None = None


class _Layers:
    """The lines as the layers take their shares, and the decisions so far."""

    def __init__(self, cart: PriceCart, goods: GoodsPrice) -> None:
        self.cart = cart
        self.goods = goods
        self.shipping = cart.shipping_minor
        self.left = list(goods.left_minor)
        self.budget: int | None = None
        self.allocations = [[Allocation(*each) for each in line] for line in goods.shares]
        self.decisions: list[Decision] = []
        self.applied: tuple[AppliedCoupon, ...] = ()

    @property
    def to_pay(self) -> int:
        """What is left to pay in all."""
        return sum(self.left) + self.shipping

    def take(
        self,
        decision_id: str,
        shares: Sequence[int],
        given_units: Mapping[int, GivenUnits] = NO_UNITS,
        told_lines: Collection[int] = (),
    ) -> None:
        """Takes each line's share of one decision off it.

        Of told lines a share of 0 is kept where there is no other, and beside what is given,
        which may be outside of what the coupon covers.
        """
        for index, share in enumerate(shares):
            given = given_units.get(index)
            if given is not None:
                allocation = Allocation(decision_id, share, given.units, given.worth_minor)
                self.allocations[index].append(allocation)
            elif share:
                self.allocations[index].append(Allocation(decision_id, share))
            self.left[index] -= share
            if index in told_lines and (given or not share):
                self.allocations[index].append(Allocation(decision_id, 0))

    def put_back(self, cart: PriceCart, order: Sequence[int]) -> None:
        """Puts the lines back into the order in which they stand in the cart."""
        place_of = as_given(cart.lines, order, self.allocations)
        self.cart = cart
        self.left = [self.left[place] for place in place_of]
        self.allocations = [self.allocations[place] for place in place_of]


def price(cart: PriceCart, rules: PriceRules) -> Priced:
    """The cart's price under these rules.

    Identities: `list == payable` + Σ allocations, for each line and in all (shipping apart); a
    member never pays more than a stranger. The order of the lines moves none of the sums.

    Source: docs/rules/pricing.md.
    """
    order = by_content(cart.lines)
    ordered = replace(cart, lines=tuple([cart.lines[position] for position in order]))
    layers, public = _up_to_coupons(ordered, rules)
    layers.put_back(cart, order)
    return _finish(cart, rules, layers, public)


def _up_to_coupons(cart: PriceCart, rules: PriceRules) -> tuple[_Layers, GoodsPrice]:
    """The layers that look at single lines, of lines by content; and what goods cost publicly.

    Source: docs/rules/pricing.md, rules 18 and 25.
    """
    public = goods_price(
        cart.lines, rules.promotions, buyer=Buyer(is_member=False), rates=(), at=cart.at
    )
    goods = public if cart.card_id is None else _members_goods(cart, rules)
    layers = own = _after_coupons(cart, rules, goods)
    decisions = promotion_decisions(goods, cart.lines)
    for base in _other_bases(cart, rules, public, goods):
        if not _may_be_lower(base, goods, own, rules):
            continue
        otherwise = _after_coupons(cart, rules, base)
        if otherwise.to_pay < layers.to_pay:
            layers = otherwise
            decisions = promotion_decisions(base, cart.lines)
            decisions += parity_decisions(base, goods)
    decisions += closed_decisions(goods)
    decisions += early_decisions(rules.benefits, layers.goods)
    layers.decisions[:0] = decisions
    return layers, public


def _members_goods(cart: PriceCart, rules: PriceRules, *, with_rates: bool = True) -> GoodsPrice:
    return goods_price(
        cart.lines,
        rules.promotions,
        buyer=Buyer(True, rules.rank, early_minutes(each.benefit for each in rules.benefits)),
        rates=member_rates(rules.benefits) if with_rates else (),
        at=cart.at,
    )


def _other_bases(
    cart: PriceCart, rules: PriceRules, public: GoodsPrice, goods: GoodsPrice
) -> list[GoodsPrice]:
    """Prices of goods that leave something of the member's own out, most first.

    Source: docs/rules/pricing.md, rule 18.
    """
    if cart.card_id is None:
        return []
    bases = [public]
    # Who may have no more promotions than everybody has the public prices without a tier.
    if goods.rates and goods.open != public.open:
        without_tier = _members_goods(cart, rules, with_rates=False)
        if not (without_tier.costs_as(public) or without_tier.costs_as(goods)):
            bases.append(without_tier)
    return bases


def _may_be_lower(
    public: GoodsPrice, goods: GoodsPrice, layers: _Layers, rules: PriceRules
) -> bool:
    """Whether other prices of goods could leave less to pay once coupons are taken.

    They could not where no line is cheaper by them and no coupon reaches its minimum spend only
    because lines are dearer. But what is given depends on what each unit costs, and what else
    would have lowered the price of another one is lost on it.
    """
    if goods.costs_as(public):
        return False
    dearer = sum(public.left_minor) - sum(goods.left_minor)
    if any(each < mine for each, mine in zip(public.left_minor, goods.left_minor, strict=True)):
        return True
    if _may_give(rules, layers.cart):
        return True
    return any(
        each.reason == "BELOW_MIN_SPEND" and (each.missing_minor or 0) <= dearer
        for each in layers.decisions
    )


def _may_give(rules: PriceRules, cart: PriceCart) -> bool:
    """Whether a tier or a coupon could give something of this cart."""
    skus = {line.sku for line in cart.lines}
    if any(each.benefit.kind == GIFT and each.benefit.gift_sku in skus for each in rules.benefits):
        return True
    return any(
        each.barred is None and each.coupon.terms.kind in ZONE_KINDS
        for each in (*rules.coupons, *rules.alliance_coupons)
    )


def _after_coupons(cart: PriceCart, rules: PriceRules, goods: GoodsPrice) -> _Layers:
    layers = _Layers(cart, goods)
    shipping = free_shipping(rules.benefits, cart.shipping_minor)
    layers.decisions.extend(shipping)
    layers.shipping -= sum(each.amount_minor for each in shipping)
    gifts = tier_gifts(rules.benefits, cart.lines, goods.left_minor, goods.parts)
    layers.decisions.extend(gifts.decisions)
    for decision_id, shares in gifts.shares:
        layers.take(decision_id, shares)
    layer = coupon_layer(
        CouponRules(rules.coupons, rules.alliance_coupons, rules.owned_skus),
        cart.lines,
        channel=cart.channel,
        cart=OpenCart(tuple(layers.left), layers.shipping, _budget(cart, rules, goods)),
        spend_minor=goods.left_minor,
        parts=gifts.parts,
    )
    layers.decisions.extend(layer.decisions)
    for applied in layer.applied:
        layers.take(
            applied.coupon.coupon_id,
            applied.effect.shares_minor,
            {each.index: each for each in applied.effect.given},
            applied.told_lines,
        )
    layers.applied = layer.applied
    layers.shipping = layer.cart.shipping_minor
    layers.budget = layer.cart.budget_minor
    return layers


def _budget(cart: PriceCart, rules: PriceRules, goods: GoodsPrice) -> int | None:
    """What coupons and points may take off goods; None without a limit.

    What tiers give is not counted: it would use up the limit, and cost the member a coupon.

    Source: docs/rules/pricing.md, rule 22.
    """
    if rules.policy is None or rules.policy.discount_cap_bps is None:
        return None
    list_minor = sum(line.list_minor for line in cart.lines)
    taken = list_minor - sum(goods.left_minor)
    return max(0, list_minor * rules.policy.discount_cap_bps // WHOLE_BP - taken)


def _finish(cart: PriceCart, rules: PriceRules, layers: _Layers, public: GoodsPrice) -> Priced:
    points = points_spending(cart, layers.left, budget_minor=layers.budget)
    _spend(layers, points)
    if layers.budget is not None:
        layers.budget -= sum(points.shares_minor)
        layers.decisions.extend(cap_decisions(rules.policy, left_minor=layers.budget))
    coins = coins_spending(cart, layers.left)
    _spend(layers, coins)
    earn_bps, earning = earn_rate(rules.benefits)
    layers.decisions.extend([*earning, *flags(rules.benefits)])
    cash = sum(layers.left)
    own = tuple(each for each in layers.applied if not each.is_alliances)
    foreign = tuple(each for each in layers.applied if each.is_alliances)
    unversioned = Priced(
        version="",
        list_minor=sum(line.list_minor for line in cart.lines),
        payable_minor=cash + layers.shipping,
        anonymous_payable_minor=sum(public.left_minor) + cart.shipping_minor,
        points_spent=points.spent,
        coins_spent_minor=coins.spent,
        shipping_minor=layers.shipping,
        points_to_earn=points_earned(
            cash, per_major=cart.earn_points_per_major_unit if cart.card_id else 0, bps=earn_bps
        ),
        earn_bps=earn_bps,
        lines=_priced_lines(layers, points, coins),
        decisions=tuple(layers.decisions),
        coupon_ids=tuple(each.coupon.coupon_id for each in own),
        alliance_coupon_ids=tuple(each.coupon.coupon_id for each in foreign),
        redemptions=tuple(
            Redemption(
                each.coupon.coupon_id,
                each.effect.amount_minor,
                each.coupon.terms.funder_alliance_bps,
                each.coupon.terms if each.is_alliances and each.coupon.is_rechecked else None,
            )
            for each in layers.applied
        ),
        stock=layers.goods.stock,
    )
    return replace(unversioned, version=version_of(cart, unversioned))


def _priced_lines(layers: _Layers, points: Spending, coins: Spending) -> tuple[PricedLine, ...]:
    return tuple(
        PricedLine(
            index=index,
            sku=line.sku,
            quantity=line.quantity,
            list_minor=line.list_minor,
            payable_minor=layers.left[index],
            points=points.spent_by_line[index],
            coins_minor=coins.spent_by_line[index],
            allocations=tuple(layers.allocations[index]),
        )
        for index, line in enumerate(layers.cart.lines)
    )


def points_earned(cash_minor: int, *, per_major: int, bps: int = WHOLE_BP) -> int:
    """Points that cash earns, rounded down once for the whole order.

    Source: docs/rules/pricing.md, rule 7.
    """
    return cash_minor * per_major * bps // (MAJOR * WHOLE_BP)


def version_of(cart: PriceCart, priced: Priced) -> str:
    """The hash that names a price: the same goods, buyer, rules and result give the same.

    What was merely on offer and did not apply has no part in it, nor has the instant.

    Source: docs/rules/pricing.md, rule 8.
    """
    facts = [
        cart.merchant_id,
        cart.store_id,
        cart.channel,
        cart.card_id,
        [(line.sku, line.category_id, line.quantity, line.unit_price_minor) for line in cart.lines],
        str(cart.member_point_value),
        cart.earn_points_per_major_unit,
        priced.payable_minor,
        priced.anonymous_payable_minor,
        priced.points_spent,
        priced.coins_spent_minor,
        priced.shipping_minor,
        priced.points_to_earn,
        priced.earn_bps,
        [
            [
                (each.decision_id, each.amount_minor)
                for each in line.allocations
                if each.amount_minor
            ]
            for line in priced.lines
        ],
        [
            (decision.id, decision.rule_version)
            for decision in priced.decisions
            if decision.outcome is DecisionOutcome.APPLIED
        ],
        [(each.coupon_id, each.funder_alliance_bps) for each in priced.redemptions],
        [(each.promotion_id, each.units) for each in priced.stock],
    ]
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()[:32]


def _spend(layers: _Layers, spending: Spending) -> None:
    layers.decisions.extend(spending.decisions)
    if spending.spent:
        layers.take(spending.decisions[0].id, spending.shares_minor)
