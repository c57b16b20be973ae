"""A merchant's own limits on what coupons and points take off. Pure.

Source: docs/rules/pricing.md, rule 22.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel.units import WHOLE_BP
from merchants.offers import Decision, DecisionKind, DecisionOutcome


@dataclass(frozen=True, slots=True)
class PricingPolicy:
    """One version of a merchant's limits.

    Attributes:
        discount_cap_bps: most that all discounts together take off public prices, basis points;
            None without a limit.
    """

    version: int
    discount_cap_bps: int | None = None


def policy_problems(discount_cap_bps: int | None) -> list[list[str]]:
    """Every fault of the limits as (path, sentence); empty when there is none."""
    if discount_cap_bps is not None and not 0 <= discount_cap_bps <= WHOLE_BP:
        return [["discountCapBps", f"must be 0 to {WHOLE_BP}, or left out for no limit"]]
    return []


def cap_decisions(policy: PricingPolicy | None, *, left_minor: int) -> list[Decision]:
    """That the limit of discounts is reached; nothing while some of it is left."""
    if policy is None or policy.discount_cap_bps is None or left_minor:
        return []
    return [
        Decision(
            id="discount-cap",
            title="",
            kind=DecisionKind.CAP,
            outcome=DecisionOutcome.APPLIED,
            says="DISCOUNT_CAP",
            rule_version=policy.version,
            facts=(("share", policy.discount_cap_bps),),
        )
    ]
