"""Articles that a tier gives with an order: one unit of each, free. Pure.

Source: docs/rules/pricing.md, rule 24.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from merchants.benefits.in_force import BenefitInForce, decision_of, refused
from merchants.benefits.line_parts import dearest_part, less_one, parts_of, unit_cost
from merchants.benefits.terms import GIFT
from merchants.offers import CartLine, Decision, DecisionOutcome
from merchants.promotions.items import Parts

GIVES = "TIER_GIVES"
"""What the decision of a gift that is given says; refunds know gifts by it."""

EXACT_MAX = 10
"""Gifts, dearest first, among which the best set is found exactly."""


@dataclass(frozen=True, slots=True)
class TierGifts:
    """What gifts take off.

    Attributes:
        parts: by line, the units that they leave, those that cost alike together.
        shares: of each gift that is given, what it takes off each line, by decision id.
    """

    parts: tuple[Parts, ...]
    decisions: tuple[Decision, ...] = ()
    shares: tuple[tuple[str, tuple[int, ...]], ...] = ()


def tier_gifts(
    benefits: Sequence[BenefitInForce],
    lines: Sequence[CartLine],
    left_minor: Sequence[int],
    parts: Sequence[Parts] = (),
) -> TierGifts:
    """The gifts that the cart holds and has the spending for.

    Args:
        left_minor: each line after prices of goods and promotions on orders.
        parts: by line, its units where they do not all cost alike.

    Source: docs/rules/pricing.md, rule 24.
    """
    gifts = sorted(
        (each for each in benefits if each.benefit.kind == GIFT and not each.benefit.is_flag),
        key=lambda each: (each.benefit.min_spend_minor or 0, each.decision_id),
    )
    whole = parts_of(lines, left_minor, parts)
    if not gifts:
        return TierGifts(whole)
    costs = [unit_cost(each[dearest_part(each)]) for each in whole]
    wanted = _wanted(gifts, lines, costs)
    given = _given(list(wanted.values()), sum(left_minor))
    decisions: list[Decision] = []
    shares: list[tuple[str, tuple[int, ...]]] = []
    for each in gifts:
        of_its_article = wanted.get(each.benefit.gift_sku or "")
        decisions.append(_decide(each, of_its_article, given, sum(left_minor)))
        if of_its_article in given and of_its_article.giver is each:
            taken = [0] * len(lines)
            taken[of_its_article.index] = of_its_article.cost_minor
            shares.append((each.decision_id, tuple(taken)))
    of_lines = {each.index for each in given}
    rest = [less_one(each) if index in of_lines else each for index, each in enumerate(whole)]
    return TierGifts(tuple(rest), tuple(decisions), tuple(shares))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An article in the cart that a benefit may give: the one that needs least.

    Attributes:
        index: position of the line whose unit costs most now.
        cost_minor: what that unit costs.
    """

    giver: BenefitInForce
    index: int
    cost_minor: int

    @property
    def needed_minor(self) -> int:
        """What other goods must cost."""
        return self.giver.benefit.min_spend_minor or 0


def _wanted(
    gifts: Sequence[BenefitInForce], lines: Sequence[CartLine], costs: Sequence[int]
) -> dict[str, _Wanted]:
    wanted: dict[str, _Wanted] = {}
    for each in gifts:
        sku = each.benefit.gift_sku or ""
        found = None if sku in wanted else _dearest(sku, lines, costs)
        if found is not None:
            wanted[sku] = _Wanted(each, *found)
    return wanted


def _given(wanted: Sequence[_Wanted], spent_minor: int) -> tuple[_Wanted, ...]:
    """Those that together give most, each being earned by what none of them gives."""
    dearest_first = sorted(
        (each for each in wanted if each.cost_minor),
        key=lambda each: (-each.cost_minor, each.giver.decision_id),
    )
    best: tuple[_Wanted, ...] = ()
    most = 0
    exact = dearest_first[:EXACT_MAX]
    for size in range(1, len(exact) + 1):
        for chosen in combinations(exact, size):
            worth = sum(each.cost_minor for each in chosen)
            if worth > most and _missing(chosen, spent_minor) <= 0:
                best, most = chosen, worth
    for each in dearest_first[EXACT_MAX:]:
        if _missing((*best, each), spent_minor) <= 0:
            best = (*best, each)
    return best


def _missing(given: Sequence[_Wanted], spent_minor: int) -> int:
    """How much more other goods must cost for all of them; 0 or less when they are earned."""
    rest = spent_minor - sum(each.cost_minor for each in given)
    return max(each.needed_minor for each in given) - rest


def _decide(
    each: BenefitInForce, wanted: _Wanted | None, given: Sequence[_Wanted], spent_minor: int
) -> Decision:
    if wanted is None:
        return refused(each, "GIFT_NOT_IN_CART", facts=(("zone", each.benefit.gift_sku or ""),))
    if wanted in given and wanted.giver is not each:
        return refused(each, "BETTER_BENEFIT", blocked_by=wanted.giver.decision_id)
    if wanted in given:
        cost, needed = wanted.cost_minor, wanted.needed_minor
        return decision_of(
            each,
            outcome=DecisionOutcome.APPLIED,
            says=GIVES,
            amount_minor=cost,
            facts=(("amount", cost), ("minSpend", needed)),
        )
    missing = _missing((*given, replace(wanted, giver=each)), spent_minor)
    if missing <= 0:
        return refused(each, "NO_EFFECT")
    return refused(
        each,
        "BELOW_MIN_SPEND",
        says="GIFT_BELOW",
        missing_minor=missing,
        facts=(("missing", missing),),
    )


def _dearest(sku: str, lines: Sequence[CartLine], costs: Sequence[int]) -> tuple[int, int] | None:
    """Position of the line whose unit costs most now, and what one unit of it costs."""
    units = [(costs[index], -index) for index, line in enumerate(lines) if line.sku == sku]
    if not units:
        return None
    cost, index = max(units)
    return -index, cost
