"""What a cart costs, and why: the layers in their fixed order. Pure.

Source: docs/rules/pricing.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from kernel.units import WHOLE_BP, share_bp
from merchants.offers import (
    Allocation,
    Decision,
    DecisionKind,
    DecisionOutcome,
    Priced,
    PricedLine,
    Redemption,
)
from merchants.port import PriceCart
from merchants.spending import Spending, coins_spending, points_spending
from merchants.stacking import MAJOR, AppliedCoupon, Candidate, coupon_layer, money_text
from merchants.tiers import Benefit

PERCENT_OFF = "PERCENT_OFF"
POINTS_MULTIPLIER = "POINTS_MULTIPLIER"


@dataclass(frozen=True, slots=True)
class BenefitInForce:
    """A benefit of the tier that the buyer stands in."""

    ladder: str
    ladder_version: int
    position: int
    benefit: Benefit

    @property
    def decision_id(self) -> str:
        """Names the decision about it."""
        return f"tier:{self.ladder}:{self.position}"


@dataclass(frozen=True, slots=True)
class PriceRules:
    """What a price depends on beside the cart: the buyer's benefits and coupons here."""

    benefits: tuple[BenefitInForce, ...] = ()
    coupons: tuple[Candidate, ...] = ()
    alliance_coupons: tuple[Candidate, ...] = ()


class _Layers:
    """The lines as the layers take their shares, and the decisions so far."""

    def __init__(self, cart: PriceCart) -> None:
        self.cart = cart
        self.left = [line.list_minor for line in cart.lines]
        self.allocations: list[list[Allocation]] = [[] for _ in cart.lines]
        self.decisions: list[Decision] = []

    def take(self, decision_id: str, shares: Sequence[int]) -> None:
        """Takes each line's share of one decision off it."""
        for index, share in enumerate(shares):
            if share:
                self.left[index] -= share
                self.allocations[index].append(Allocation(decision_id, share))


def price(cart: PriceCart, rules: PriceRules) -> Priced:
    """The cart's price under these rules.

    Identities: `list == payable` + Σ allocations, for each line and in all (shipping apart); a
    member never pays more than a stranger.

    Source: docs/rules/pricing.md, rules 1 to 8.
    """
    layers = _Layers(cart)
    _take_tier_benefit(layers, rules.benefits)
    after_promotions = tuple(layers.left)
    own = _take_coupons(layers, rules.coupons, after_promotions)
    foreign = _take_coupons(layers, rules.alliance_coupons, after_promotions)
    points = points_spending(cart, layers.left)
    _spend(layers, points)
    coins = coins_spending(cart, layers.left)
    _spend(layers, coins)
    earn_bps = _earn_bps(layers, rules.benefits)
    lines = tuple(
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
        for index, line in enumerate(cart.lines)
    )
    cash = sum(layers.left)
    list_minor = sum(line.list_minor for line in lines)
    unversioned = Priced(
        version="",
        list_minor=list_minor,
        payable_minor=cash + cart.shipping_minor,
        anonymous_payable_minor=list_minor + cart.shipping_minor,
        points_spent=points.spent,
        coins_spent_minor=coins.spent,
        shipping_minor=cart.shipping_minor,
        points_to_earn=points_earned(
            cash, per_major=cart.earn_points_per_major_unit if cart.card_id else 0, bps=earn_bps
        ),
        earn_bps=earn_bps,
        lines=lines,
        decisions=tuple(layers.decisions),
        coupon_ids=tuple(each.coupon.coupon_id for each in own),
        alliance_coupon_ids=tuple(each.coupon.coupon_id for each in foreign),
        redemptions=tuple(
            Redemption(
                each.coupon.coupon_id, each.amount_minor, each.coupon.terms.funder_alliance_bps
            )
            for each in (*own, *foreign)
        ),
    )
    return replace(unversioned, version=version_of(cart, unversioned))


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
            [(each.decision_id, each.amount_minor) for each in line.allocations]
            for line in priced.lines
        ],
        [
            (decision.id, decision.rule_version)
            for decision in priced.decisions
            if decision.outcome is DecisionOutcome.APPLIED
        ],
        [(each.coupon_id, each.funder_alliance_bps) for each in priced.redemptions],
    ]
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()[:32]


def _take_tier_benefit(layers: _Layers, benefits: Sequence[BenefitInForce]) -> None:
    """The best percentage of the buyer's tiers; the others are refused."""
    rivals = [each for each in benefits if each.benefit.kind == PERCENT_OFF]
    if not rivals:
        return
    best = min(rivals, key=lambda each: (-(each.benefit.percent_off_bps or 0), each.decision_id))
    shares = [share_bp(left, best.benefit.percent_off_bps or 0) for left in layers.left]
    amount = sum(shares)
    for each in rivals:
        applied = each is best and amount > 0
        layers.decisions.append(
            Decision(
                id=each.decision_id,
                title=each.benefit.title,
                kind=DecisionKind.TIER_BENEFIT,
                outcome=DecisionOutcome.APPLIED if applied else DecisionOutcome.REFUSED,
                message=_tier_message(applied, is_best=each is best, amount_minor=amount),
                amount_minor=amount if applied else 0,
                reason=None if applied else ("NO_EFFECT" if each is best else "BETTER_BENEFIT"),
                blocked_by=None if each is best else best.decision_id,
                rule_version=each.ladder_version,
            )
        )
    layers.take(best.decision_id, shares)


def _tier_message(applied: bool, *, is_best: bool, amount_minor: int) -> str:
    if applied:
        return f"Your tier takes {money_text(amount_minor)} off."
    if is_best:
        return "Your tier's discount would take nothing off."
    return "Another of your tiers saves at least as much."


def _take_coupons(
    layers: _Layers, candidates: Sequence[Candidate], spend_minor: Sequence[int]
) -> tuple[AppliedCoupon, ...]:
    layer = coupon_layer(
        candidates,
        layers.cart.lines,
        channel=layers.cart.channel,
        before_minor=layers.left,
        spend_minor=spend_minor,
    )
    layers.decisions.extend(layer.decisions)
    for applied in layer.applied:
        layers.take(applied.coupon.coupon_id, applied.shares_minor)
    return layer.applied


def _spend(layers: _Layers, spending: Spending) -> None:
    layers.decisions.extend(spending.decisions)
    if spending.spent:
        layers.take(spending.decisions[0].id, spending.shares_minor)


def _earn_bps(layers: _Layers, benefits: Sequence[BenefitInForce]) -> int:
    rivals = [each for each in benefits if each.benefit.kind == POINTS_MULTIPLIER]
    if not rivals:
        return WHOLE_BP
    best = min(
        rivals, key=lambda each: (-(each.benefit.points_multiplier_bps or 0), each.decision_id)
    )
    bps = max(best.benefit.points_multiplier_bps or 0, WHOLE_BP)
    layers.decisions.append(
        Decision(
            id=best.decision_id,
            title=best.benefit.title,
            kind=DecisionKind.TIER_BENEFIT,
            outcome=DecisionOutcome.APPLIED,
            message="Your tier multiplies the points that this order earns.",
            rule_version=best.ladder_version,
        )
    )
    return bps
