"""The buyer's benefits in force, as a price takes them, and why each did something or not. Pure.

Source: docs/rules/pricing.md, rules 11, 14, 17 and 23.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.units import WHOLE_BP
from merchants.benefits.terms import (
    EARLY_ACCESS,
    FREE_SHIPPING,
    MEMBER_PRICE,
    PERCENT_OFF,
    POINTS_MULTIPLIER,
    Benefit,
)
from merchants.offers import Decision, DecisionKind, DecisionOutcome
from merchants.promotions.goods import GoodsPrice, MemberRate
from merchants.promotions.terms import Promotion, why_closed


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


def member_rates(benefits: Sequence[BenefitInForce]) -> tuple[MemberRate, ...]:
    """The prices and percentages that the buyer's tiers give, those that take most first.

    Source: docs/rules/pricing.md, rule 11.
    """
    rates = [
        MemberRate(
            decision_id=each.decision_id,
            title=each.benefit.title,
            rule_version=each.ladder_version,
            off_bps=each.benefit.percent_off_bps or 0,
            price_minor=each.benefit.price_minor if each.benefit.kind == MEMBER_PRICE else None,
            skus=each.benefit.skus,
            category_ids=each.benefit.category_ids,
        )
        for each in benefits
        if each.benefit.kind in (PERCENT_OFF, MEMBER_PRICE) and not each.benefit.is_flag
    ]
    return tuple(sorted(rates, key=lambda each: (-each.off_bps, each.decision_id)))


def early_decisions(benefits: Sequence[BenefitInForce], goods: GoodsPrice) -> list[Decision]:
    """Whether a flash sale applied because it opens earlier for the buyer.

    Source: docs/rules/pricing.md, rule 14.
    """
    rivals = _earliest(benefits)
    if not rivals:
        return []
    opened = [
        each
        for each in goods.open
        if goods.taken_by(each.promotion_id) and _by_benefit(goods, each)
    ]
    if opened:
        first = decision_of(
            rivals[0],
            outcome=DecisionOutcome.APPLIED,
            says="EARLY_ACCESS",
            facts=(("winner", opened[0].terms.title),),
        )
    else:
        first = refused(rivals[0], "NO_EFFECT", says="NO_EARLY_SALE")
    return [first, *_lost(rivals)]


def free_shipping(benefits: Sequence[BenefitInForce], shipping_minor: int) -> list[Decision]:
    """That a tier pays the shipping, first; and why others do not."""
    givers = sorted(
        (each for each in benefits if each.benefit.kind == FREE_SHIPPING),
        key=lambda each: each.decision_id,
    )
    if not givers:
        return []
    if shipping_minor == 0:
        return [refused(each, "NO_EFFECT", says="NO_SHIPPING") for each in givers]
    paid = decision_of(
        givers[0],
        outcome=DecisionOutcome.APPLIED,
        kind=DecisionKind.SHIPPING,
        says="FREE_SHIPPING",
        amount_minor=shipping_minor,
        facts=(("amount", shipping_minor),),
    )
    return [paid, *_lost(givers)]


def earn_rate(benefits: Sequence[BenefitInForce]) -> tuple[int, list[Decision]]:
    """Points earned, basis points of the usual, and the decisions about it."""
    rivals = sorted(
        (each for each in benefits if each.benefit.kind == POINTS_MULTIPLIER),
        key=lambda each: (-(each.benefit.points_multiplier_bps or 0), each.decision_id),
    )
    if not rivals:
        return WHOLE_BP, []
    bps = max(rivals[0].benefit.points_multiplier_bps or 0, WHOLE_BP)
    applied = decision_of(rivals[0], outcome=DecisionOutcome.APPLIED, says="TIER_POINTS")
    return bps, [applied, *_lost(rivals)]


def flags(benefits: Sequence[BenefitInForce]) -> list[Decision]:
    """Benefits that are no matter of price: the member has them, whatever is in the cart.

    Source: docs/rules/pricing.md, rule 23.
    """
    return [
        decision_of(
            each,
            outcome=DecisionOutcome.NOT_EVALUATED,
            says="ENTITLEMENT",
            reason="ENTITLEMENT",
        )
        for each in sorted(benefits, key=lambda each: each.decision_id)
        if each.benefit.is_flag
    ]


def refused(
    each: BenefitInForce,
    reason: str,
    *,
    says: str | None = None,
    blocked_by: str | None = None,
    missing_minor: int | None = None,
    facts: tuple[tuple[str, int | str], ...] = (),
) -> Decision:
    """The decision of a benefit that did nothing."""
    return decision_of(
        each,
        outcome=DecisionOutcome.REFUSED,
        says=says or reason,
        reason=reason,
        blocked_by=blocked_by,
        missing_minor=missing_minor,
        facts=facts,
    )


def decision_of(
    each: BenefitInForce,
    *,
    outcome: DecisionOutcome,
    says: str,
    kind: DecisionKind = DecisionKind.TIER_BENEFIT,
    amount_minor: int = 0,
    reason: str | None = None,
    blocked_by: str | None = None,
    missing_minor: int | None = None,
    facts: tuple[tuple[str, int | str], ...] = (),
) -> Decision:
    """A decision about a benefit."""
    return Decision(
        id=each.decision_id,
        title=each.benefit.title,
        kind=kind,
        outcome=outcome,
        says=says,
        amount_minor=amount_minor,
        reason=reason,
        blocked_by=blocked_by,
        missing_minor=missing_minor,
        rule_version=each.ladder_version,
        facts=facts,
    )


def _earliest(benefits: Sequence[BenefitInForce]) -> list[BenefitInForce]:
    return sorted(
        (
            each
            for each in benefits
            if each.benefit.kind == EARLY_ACCESS and not each.benefit.is_flag
        ),
        key=lambda each: (-(each.benefit.early_minutes or 0), each.decision_id),
    )


def _by_benefit(goods: GoodsPrice, promotion: Promotion) -> bool:
    """Whether the buyer has the promotion only because its benefit opens sales early."""
    without = goods.buyer.without_early_access
    return why_closed(promotion.terms, without, goods.at) is not None


def _lost(rivals: Sequence[BenefitInForce]) -> list[Decision]:
    """Refusals of all but the first, which excludes them."""
    return [
        refused(each, "BETTER_BENEFIT", blocked_by=rivals[0].decision_id) for each in rivals[1:]
    ]
