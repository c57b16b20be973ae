"""Which promotions on whole orders apply, and what they take off: the second layer. Pure.

Source: docs/rules/pricing.md, rule 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.units import apportion, share_bp
from merchants.offers import CartLine
from merchants.promotions.terms import Promotion, PromotionKind, covers

EXACT_MAX = 10
"""Promotions among which the best set is looked for in every way; more are taken greedily."""


@dataclass(frozen=True, slots=True)
class OrderPromotion:
    """A promotion on a whole order that a cart has the spending for.

    Attributes:
        shares_minor: what it takes off each line.
        lines: positions that it covers.
    """

    promotion: Promotion
    shares_minor: tuple[int, ...]
    lines: frozenset[int]

    @property
    def amount_minor(self) -> int:
        """What it takes off in all."""
        return sum(self.shares_minor)


@dataclass(frozen=True, slots=True)
class OrderPromotions:
    """The second layer: those that apply, those that lost to them, and those out of reach.

    Attributes:
        lost: each with the first applied one that covers a line of its own.
        missing: how much more spending each promotion out of reach needs; None when the cart
            holds nothing that it covers.
    """

    applied: tuple[OrderPromotion, ...] = ()
    lost: tuple[tuple[OrderPromotion, OrderPromotion | None], ...] = ()
    missing: tuple[tuple[Promotion, int | None], ...] = ()

    @property
    def total(self) -> int:
        """What is taken off in all."""
        return sum(each.amount_minor for each in self.applied)


def order_promotions(
    promotions: Sequence[Promotion], lines: Sequence[CartLine], left_minor: Sequence[int]
) -> OrderPromotions:
    """The set that takes most off, where no line is in two of its promotions.

    Args:
        left_minor: each line after the prices of goods; thresholds are tested on it.

    Source: docs/rules/pricing.md, rule 16.
    """
    within: list[OrderPromotion] = []
    missing: list[tuple[Promotion, int | None]] = []
    for promotion in sorted(promotions, key=lambda each: each.promotion_id):
        terms = promotion.terms
        covered = frozenset(index for index, line in enumerate(lines) if covers(terms, line))
        spending = sum(left_minor[index] for index in covered)
        short = (terms.threshold_minor or 0) - spending
        if short > 0:
            missing.append((promotion, short if covered else None))
        else:
            shares = _shares(promotion, covered, left_minor)
            within.append(OrderPromotion(promotion, shares, covered))
    applied = _best_set([each for each in within if each.amount_minor])
    lost = tuple((each, _winner(each, applied)) for each in within if each not in applied)
    return OrderPromotions(applied, lost, tuple(missing))


def _shares(
    promotion: Promotion, covered: frozenset[int], left_minor: Sequence[int]
) -> tuple[int, ...]:
    terms = promotion.terms
    weights = [left if index in covered else 0 for index, left in enumerate(left_minor)]
    if terms.kind is PromotionKind.THRESHOLD_PERCENT:
        return tuple(share_bp(weight, terms.percent_off_bps or 0) for weight in weights)
    total = min(terms.off_minor or 0, sum(weights))
    return tuple(apportion(total, weights)) if total else (0,) * len(weights)


def _best_set(candidates: Sequence[OrderPromotion]) -> tuple[OrderPromotion, ...]:
    if len(candidates) <= EXACT_MAX:
        by_id = sorted(candidates, key=lambda each: each.promotion.promotion_id)
        return _exact(by_id, frozenset())[1]
    ranked = sorted(candidates, key=lambda each: (-each.amount_minor, each.promotion.promotion_id))
    chosen: list[OrderPromotion] = []
    for each in ranked:
        if all(each.lines.isdisjoint(other.lines) for other in chosen):
            chosen.append(each)
    return tuple(chosen)


def _exact(
    ranked: Sequence[OrderPromotion], used: frozenset[int]
) -> tuple[int, tuple[OrderPromotion, ...]]:
    """The best total and its set; equals go to the one with the earlier members."""
    if not ranked:
        return 0, ()
    first, rest = ranked[0], ranked[1:]
    without = _exact(rest, used)
    if not first.lines.isdisjoint(used):
        return without
    more, others = _exact(rest, used | first.lines)
    with_it = (first.amount_minor + more, (first, *others))
    return with_it if with_it[0] >= without[0] else without


def _winner(loser: OrderPromotion, applied: Sequence[OrderPromotion]) -> OrderPromotion | None:
    return next((each for each in applied if not each.lines.isdisjoint(loser.lines)), None)
