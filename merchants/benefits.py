"""The buyer's benefits in force, as prices take them: percentages and points multipliers. Pure.

Source: docs/rules/pricing.md, rules 11 and 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.units import WHOLE_BP
from merchants.offers import Decision, DecisionKind, DecisionOutcome
from merchants.promotions.goods import Percentage
from merchants.tiers import Benefit

PERCENT_OFF = "PERCENT_OFF"
POINTS_MULTIPLIER = "POINTS_MULTIPLIER"
FREE_SHIPPING = "FREE_SHIPPING"


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


def best_percentage(benefits: Sequence[BenefitInForce]) -> Percentage | None:
    """The highest percentage that a tier takes off every line; None when there is none."""
    rivals = _percentages(benefits)
    if not rivals:
        return None
    best = rivals[0]
    return Percentage(
        best.decision_id,
        best.benefit.title,
        best.benefit.percent_off_bps or 0,
        best.ladder_version,
    )


def lost_percentages(benefits: Sequence[BenefitInForce]) -> list[Decision]:
    """Refusals of the percentages that a higher one excludes."""
    rivals = _percentages(benefits)
    return [
        _decision(
            each,
            outcome=DecisionOutcome.REFUSED,
            reason="BETTER_BENEFIT",
            blocked_by=rivals[0].decision_id,
        )
        for each in rivals[1:]
    ]


def free_shipping(benefits: Sequence[BenefitInForce], shipping_minor: int) -> Decision | None:
    """That a tier pays the shipping; None when none does, or there is no shipping."""
    givers = [each for each in benefits if each.benefit.kind == FREE_SHIPPING]
    if not givers or shipping_minor == 0:
        return None
    first = min(givers, key=lambda each: each.decision_id)
    return Decision(
        id=first.decision_id,
        title=first.benefit.title,
        kind=DecisionKind.SHIPPING,
        outcome=DecisionOutcome.APPLIED,
        says="FREE_SHIPPING",
        amount_minor=shipping_minor,
        rule_version=first.ladder_version,
        facts=(("amount", shipping_minor),),
    )


def earn_rate(benefits: Sequence[BenefitInForce]) -> tuple[int, list[Decision]]:
    """Points earned, basis points of the usual, and the decision about it."""
    rivals = [each for each in benefits if each.benefit.kind == POINTS_MULTIPLIER]
    if not rivals:
        return WHOLE_BP, []
    best = min(
        rivals, key=lambda each: (-(each.benefit.points_multiplier_bps or 0), each.decision_id)
    )
    bps = max(best.benefit.points_multiplier_bps or 0, WHOLE_BP)
    return bps, [_decision(best, outcome=DecisionOutcome.APPLIED, says="TIER_POINTS")]


def _percentages(benefits: Sequence[BenefitInForce]) -> list[BenefitInForce]:
    return sorted(
        (each for each in benefits if each.benefit.kind == PERCENT_OFF),
        key=lambda each: (-(each.benefit.percent_off_bps or 0), each.decision_id),
    )


def _decision(
    each: BenefitInForce,
    *,
    outcome: DecisionOutcome,
    reason: str | None = None,
    says: str = "",
    blocked_by: str | None = None,
) -> Decision:
    return Decision(
        id=each.decision_id,
        title=each.benefit.title,
        kind=DecisionKind.TIER_BENEFIT,
        outcome=outcome,
        says=says or reason or "",
        reason=reason,
        blocked_by=blocked_by,
        rule_version=each.ladder_version,
    )
