"""Articles that a tier gives with an order: one unit of each, free. Pure.

Source: docs/rules/pricing.md, rule 24.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.units import units_share
from merchants.benefits.in_force import BenefitInForce, decision_of, refused
from merchants.benefits.terms import GIFT
from merchants.offers import CartLine, Decision, DecisionOutcome

GIVES = "TIER_GIVES"
"""What the decision of a gift that is given says; refunds know gifts by it."""


@dataclass(frozen=True, slots=True)
class TierGifts:
    """What gifts take off.

    Attributes:
        shares: of each gift that is given, what it takes off each line, by decision id.
    """

    decisions: tuple[Decision, ...] = ()
    shares: tuple[tuple[str, tuple[int, ...]], ...] = ()


def tier_gifts(
    benefits: Sequence[BenefitInForce], lines: Sequence[CartLine], left_minor: Sequence[int]
) -> TierGifts:
    """The gifts that the cart holds and has the spending for.

    Args:
        left_minor: each line after prices of goods and promotions on orders.

    Source: docs/rules/pricing.md, rule 24.
    """
    gifts = sorted(
        (each for each in benefits if each.benefit.kind == GIFT and not each.benefit.is_flag),
        key=lambda each: (each.benefit.min_spend_minor or 0, each.decision_id),
    )
    if not gifts:
        return TierGifts()
    picked = {
        sku: _dearest(sku, lines, left_minor)
        for sku in sorted({each.benefit.gift_sku or "" for each in gifts})
    }
    spent = sum(left_minor) - sum(found[1] for found in picked.values() if found is not None)
    decisions: list[Decision] = []
    shares: list[tuple[str, tuple[int, ...]]] = []
    giver: dict[str, str] = {}
    for each in gifts:
        sku = each.benefit.gift_sku or ""
        decided = _decide(each, picked[sku], spent=spent, winner=giver.get(sku))
        decisions.append(decided)
        if decided.outcome is DecisionOutcome.APPLIED:
            giver[sku] = each.decision_id
            index = picked[sku][0]  # type: ignore[index]
            taken = [0] * len(lines)
            taken[index] = decided.amount_minor
            shares.append((each.decision_id, tuple(taken)))
    return TierGifts(tuple(decisions), tuple(shares))


def _decide(
    each: BenefitInForce, found: tuple[int, int] | None, *, spent: int, winner: str | None
) -> Decision:
    needed = each.benefit.min_spend_minor or 1
    if found is None:
        return refused(each, "GIFT_NOT_IN_CART", facts=(("zone", each.benefit.gift_sku or ""),))
    if winner is not None:
        return refused(each, "BETTER_BENEFIT", blocked_by=winner)
    if spent < needed:
        missing = needed - spent
        return refused(
            each,
            "BELOW_MIN_SPEND",
            says="GIFT_BELOW",
            missing_minor=missing,
            facts=(("missing", missing),),
        )
    if found[1] == 0:
        return refused(each, "NO_EFFECT")
    return decision_of(
        each,
        outcome=DecisionOutcome.APPLIED,
        says=GIVES,
        amount_minor=found[1],
        facts=(("amount", found[1]), ("minSpend", needed)),
    )


def _dearest(
    sku: str, lines: Sequence[CartLine], left_minor: Sequence[int]
) -> tuple[int, int] | None:
    """Position of the line whose unit costs most now, and what one unit of it costs."""
    units = [
        (units_share(left_minor[index], units=1, of_units=line.quantity), -index)
        for index, line in enumerate(lines)
        if line.sku == sku
    ]
    if not units:
        return None
    cost, index = max(units)
    return -index, cost
