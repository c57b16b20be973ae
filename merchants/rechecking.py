"""What a refund keeps back once the rest of the order no longer earns its coupon. Pure.

Source: docs/rules/refunds.md, rule 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kernel.units import units_share
from merchants.benefits.gifts import GIVES
from merchants.coupon_kinds import ZONE_KINDS
from merchants.offers import CouponKind, CouponTerms, Decision, DecisionKind, PricedLine
from merchants.pricing import points_earned
from merchants.refunding import PaidOrder, RefundShares

_BEFORE_COUPONS = (DecisionKind.PROMOTION, DecisionKind.MEMBER_PRICE, DecisionKind.TIER_BENEFIT)


@dataclass(frozen=True, slots=True)
class RecheckedCoupon:
    """A coupon whose minimum spend is tested again on what is left of its order.

    The gift of a tier is one too, named by its decision.
    """

    coupon_id: str
    terms: CouponTerms


def given_gifts(decisions: Sequence[Decision]) -> list[RecheckedCoupon]:
    """The gifts that tiers gave with an order, as they are tested again.

    Source: docs/rules/refunds.md, rule 10.
    """
    return [
        RecheckedCoupon(
            each.id,
            CouponTerms(
                title=each.title,
                kind=CouponKind.GIFT,
                min_spend_minor=int(dict(each.facts)["minSpend"]),
            ),
        )
        for each in decisions
        if each.says == GIVES
    ]


def with_recheck(
    shares: RefundShares,
    order: PaidOrder,
    coupons: Sequence[RecheckedCoupon],
    decisions: Sequence[Decision],
    *,
    deducted_before_minor: int,
) -> tuple[RefundShares, list[str]]:
    """The refund less what its coupons took off the rest, and the coupons that are undone.

    What is kept back is cumulative: units that come back later bring their part of it back, so
    that a full refund brings back exactly what was paid. The cash of one refund is never below 0;
    what it could not bear is kept back from the next.

    Args:
        deducted_before_minor: what earlier refunds kept back in all.
    """
    target, undone = 0, []
    back = _units_back(order, shares)
    for coupon in coupons:
        rest, benefit = _rest(order.lines, back, coupon, decisions)
        if benefit and rest < coupon.terms.min_spend_minor:
            target += benefit
            undone.append(coupon.coupon_id)
    if target == deducted_before_minor == 0:
        return shares, []
    kept_back = min(target - deducted_before_minor, shares.cash_minor)
    following = replace(shares, deducted_minor=kept_back)
    following = keeping_back(following, order, deducted_before_minor=deducted_before_minor)
    is_borne = deducted_before_minor + kept_back == target
    return following, undone if is_borne else []


def keeping_back(
    shares: RefundShares, order: PaidOrder, *, deducted_before_minor: int
) -> RefundShares:
    """The refund of an order with all that is kept back counted as cash that is left."""
    in_all = deducted_before_minor + shares.deducted_minor
    cash_left = sum(line.payable_minor for line in order.lines) - sum(
        each.cash_minor for each in (*order.refunded, *shares.lines)
    )
    return replace(
        shares,
        points_kept=points_earned(
            cash_left + in_all, per_major=order.earn_points_per_major_unit, bps=order.earn_bps
        ),
        qualifying_minor=shares.qualifying_minor + in_all,
        is_full=shares.is_full and in_all == 0,
    )


def _units_back(order: PaidOrder, shares: RefundShares) -> list[int]:
    """Units of each line that came back, this refund's included."""
    back = [0] * len(order.lines)
    for each in (*order.refunded, *shares.lines):
        back[each.index] += each.units
    return back


def _rest(
    lines: Sequence[PricedLine],
    back: Sequence[int],
    coupon: RecheckedCoupon,
    decisions: Sequence[Decision],
) -> tuple[int, int]:
    """What is left that counts for the coupon's minimum, and what it took off all that is left."""
    before = {
        each.id
        for each in decisions
        if each.kind in _BEFORE_COUPONS and each.id != coupon.coupon_id
    }
    rest = benefit = 0
    for line, units in zip(lines, back, strict=True):
        taken_off = sum(
            each.amount_minor for each in line.allocations if each.decision_id == coupon.coupon_id
        )
        benefit += taken_off - units_share(taken_off, units=units, of_units=line.quantity)
        if not _covers(coupon.terms, line, taken_off):
            continue
        price = line.list_minor - sum(
            each.amount_minor for each in line.allocations if each.decision_id in before
        )
        if coupon.terms.kind in ZONE_KINDS:
            price -= taken_off  # What is given does not count.
        rest += price - units_share(price, units=units, of_units=line.quantity)
    return rest, benefit


def _covers(terms: CouponTerms, line: PricedLine, taken_off: int) -> bool:
    """Whether the coupon covers the line.

    Orders keep no categories: of a coupon limited to some, the lines that it took something off
    are those that it covers. One that gives articles takes nothing off what it covers, so every
    line may be one.
    """
    if terms.category_ids is not None and terms.kind not in ZONE_KINDS:
        return taken_off > 0
    return terms.skus is None or line.sku in terms.skus
