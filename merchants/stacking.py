"""Which coupons of a cart apply, and what each takes off each line. Pure.

Source: docs/rules/coupons.md, rules 5 to 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.units import WHOLE_BP, apportion, share_bp
from merchants.offers import (
    CartLine,
    CouponKind,
    CouponTerms,
    Decision,
    DecisionKind,
    DecisionOutcome,
    OfferedCoupon,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A coupon to be considered.

    Attributes:
        barred: reason code and code of the sentence when it can not be used at all.
    """

    coupon: OfferedCoupon
    barred: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AppliedCoupon:
    """A coupon that applies; `shares_minor` has one entry per line."""

    coupon: OfferedCoupon
    shares_minor: tuple[int, ...]

    @property
    def amount_minor(self) -> int:
        """What it takes off in all."""
        return sum(self.shares_minor)


@dataclass(frozen=True, slots=True)
class CouponLayer:
    """What the coupons of one issuer do; `left_minor` is each line afterwards."""

    applied: tuple[AppliedCoupon, ...]
    decisions: tuple[Decision, ...]
    left_minor: tuple[int, ...]


def coupon_layer(
    candidates: Sequence[Candidate],
    lines: Sequence[CartLine],
    *,
    channel: str,
    before_minor: Sequence[int],
    spend_minor: Sequence[int],
) -> CouponLayer:
    """The best coupon of each stacking group, one group after the other.

    The result does not depend on the order of `candidates`.

    Args:
        before_minor: what is left of each line when the layer begins.
        spend_minor: what minimum spends are tested on: each line after promotions.

    Source: docs/rules/coupons.md, rules 6 and 7.
    """
    by_group: dict[str, list[OfferedCoupon]] = {}
    decisions: list[Decision] = []
    for candidate in sorted(candidates, key=lambda each: each.coupon.coupon_id):
        refusal = _barred(candidate) or _unmet(candidate.coupon, lines, channel, spend_minor)
        if refusal is not None:
            decisions.append(refusal)
        else:
            group = candidate.coupon.terms.stacking_group or ""
            by_group.setdefault(group, []).append(candidate.coupon)

    left = list(before_minor)
    applied: list[AppliedCoupon] = []
    for group in sorted(by_group):
        winner = _best(by_group[group], lines, left)
        if winner.amount_minor:
            applied.append(winner)
            left = [each - share for each, share in zip(left, winner.shares_minor, strict=True)]
        decisions.extend(_decide(by_group[group], winner))
    decisions.sort(key=lambda decision: decision.id)
    return CouponLayer(tuple(applied), tuple(decisions), tuple(left))


def coupon_shares(
    terms: CouponTerms, lines: Sequence[CartLine], left_minor: Sequence[int]
) -> tuple[int, ...]:
    """What the coupon takes off each line; never more than is left of it.

    Source: docs/rules/coupons.md, rule 5.
    """
    weights = [
        left if in_scope(terms, line) else 0 for line, left in zip(lines, left_minor, strict=True)
    ]
    if terms.kind is CouponKind.PERCENT_OFF:
        weights = [share_bp(weight, terms.percent_off_bps or 0) for weight in weights]
        face = sum(weights)
    else:
        face = terms.amount_minor or 0
    total = min(face, sum(weights), face if terms.cap_minor is None else terms.cap_minor)
    if total == 0:
        return (0,) * len(weights)
    return tuple(apportion(total, weights))


def in_scope(terms: CouponTerms, line: CartLine) -> bool:
    """Whether the coupon is good for this line's article and category."""
    return (terms.skus is None or line.sku in terms.skus) and (
        terms.category_ids is None or line.category_id in terms.category_ids
    )


def refused(
    coupon: OfferedCoupon,
    reason: str,
    *,
    says: str | None = None,
    blocked_by: str | None = None,
    missing_minor: int | None = None,
    facts: tuple[tuple[str, int | str], ...] = (),
) -> Decision:
    """The decision of a coupon that does not apply."""
    return Decision(
        id=coupon.coupon_id,
        title=coupon.terms.title,
        kind=DecisionKind.COUPON,
        outcome=DecisionOutcome.REFUSED,
        says=says or reason,
        reason=reason,
        blocked_by=blocked_by,
        missing_minor=missing_minor,
        rule_version=1,
        facts=facts,
    )


def _barred(candidate: Candidate) -> Decision | None:
    if candidate.barred is None:
        return None
    reason, says = candidate.barred
    return refused(candidate.coupon, reason, says=says)


def _unmet(
    coupon: OfferedCoupon, lines: Sequence[CartLine], channel: str, spend_minor: Sequence[int]
) -> Decision | None:
    terms = coupon.terms
    if terms.channels is not None and channel not in terms.channels:
        return refused(coupon, "COUPON_WRONG_CHANNEL")
    scope = [in_scope(terms, line) for line in lines]
    if not any(scope):
        return refused(coupon, "OUT_OF_SCOPE")
    spend = sum(amount for amount, is_in in zip(spend_minor, scope, strict=True) if is_in)
    if spend < terms.min_spend_minor:
        missing = terms.min_spend_minor - spend
        return refused(
            coupon,
            "BELOW_MIN_SPEND",
            missing_minor=missing,
            facts=(("missing", missing),),
        )
    return None


def _best(
    rivals: Sequence[OfferedCoupon], lines: Sequence[CartLine], left: Sequence[int]
) -> AppliedCoupon:
    """Best for the member; ties by lower cost to the merchant, then by id."""

    def preference(each: AppliedCoupon) -> tuple[int, int, str]:
        own_bps = WHOLE_BP - each.coupon.terms.funder_alliance_bps
        return (-each.amount_minor, own_bps, each.coupon.coupon_id)

    return min(
        (AppliedCoupon(coupon, coupon_shares(coupon.terms, lines, left)) for coupon in rivals),
        key=preference,
    )


def _decide(rivals: Sequence[OfferedCoupon], winner: AppliedCoupon) -> list[Decision]:
    if winner.amount_minor == 0:
        return [refused(coupon, "NO_EFFECT") for coupon in rivals]
    decisions = []
    for coupon in rivals:
        if coupon is winner.coupon:
            decisions.append(
                Decision(
                    id=coupon.coupon_id,
                    title=coupon.terms.title,
                    kind=DecisionKind.COUPON,
                    outcome=DecisionOutcome.APPLIED,
                    says="TAKES_OFF",
                    amount_minor=winner.amount_minor,
                    rule_version=1,
                    facts=(("amount", winner.amount_minor),),
                )
            )
        else:
            decisions.append(
                refused(
                    coupon,
                    "STACKING_GROUP",
                    blocked_by=winner.coupon.coupon_id,
                    facts=(("winner", winner.coupon.terms.title),),
                )
            )
    return decisions
