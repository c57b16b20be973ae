"""What a refund keeps back once the rest of the order no longer earns its coupon. Pure.

Source: docs/rules/refunds.md, rules 9 to 11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kernel.units import units_share
from merchants.benefits.gifts import GIVES
from merchants.offers import (
    CouponKind,
    CouponTerms,
    Decision,
    DecisionKind,
    KeptBack,
    KeptBackReason,
    PricedLine,
)
from merchants.pricing.coupon_kinds import ZONE_KINDS, is_told_by_shares
from merchants.pricing.prices import points_earned
from merchants.pricing.spending import POINTS
from merchants.sales.line_units import UnitGroup, unit_groups
from merchants.sales.refunding import PaidOrder, RefundShares

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


def ids_of_gifts(decisions: Sequence[Decision]) -> frozenset[str]:
    """Ids of the decisions by which tiers gave something."""
    return frozenset(each.id for each in decisions if each.says == GIVES)


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A refund after its order's minimum spends were tested again.

    Attributes:
        undone: coupons that are undone, all of what they took off the rest being kept back.
    """

    shares: RefundShares
    undone: tuple[str, ...] = ()


def with_recheck(
    shares: RefundShares,
    order: PaidOrder,
    coupons: Sequence[RecheckedCoupon],
    decisions: Sequence[Decision],
    *,
    before: KeptBack,
) -> Rechecked:
    """The refund less what its coupons and gifts took off the rest without being earned by it.

    What is kept back is cumulative: units that come back later bring their part of it back, so
    that a full refund brings back exactly what was paid. It is kept from cash, then from coins,
    then from points. No refund is below 0; what it could not bear is kept back from the next.

    Args:
        before: what earlier refunds kept back in all.
    """
    gifts = ids_of_gifts(decisions)
    target, unearned = 0, []
    back = _units_back(order, shares)
    for coupon in coupons:
        rest, benefit = _rest(order, back, coupon, decisions)
        if benefit and rest < coupon.terms.min_spend_minor:
            target += benefit
            unearned.append(coupon.coupon_id)
    if target == 0 and before.is_nothing:
        return Rechecked(shares)
    worth = _Worth.of(order)
    owed = target - before.cash_minor - before.coins_minor - worth.minor(before.points)
    reasons = {_reason(each in gifts) for each in unearned}
    kept = _keep(shares, owed, worth) if owed >= 0 else _give_back(before, -owed, worth, target)
    if owed < 0 or not reasons:
        reasons |= {*before.reasons}
    kept = replace(kept, reasons=() if kept.is_nothing else tuple(sorted(reasons)))
    following = keeping_back(replace(shares, kept_back=kept), order, before=before)
    unborne = owed - kept.cash_minor - kept.coins_minor - worth.minor(kept.points)
    is_borne = unborne <= 0 or unborne < worth.minor(1)
    undone = tuple(each for each in unearned if each not in gifts)
    return Rechecked(following, undone if is_borne else ())


def keeping_back(shares: RefundShares, order: PaidOrder, *, before: KeptBack) -> RefundShares:
    """The refund of an order with all that is kept back counted as left in it."""
    in_all = before.and_then(shares.kept_back)
    cash_left = sum(line.payable_minor for line in order.lines) - sum(
        each.cash_minor for each in (*order.refunded, *shares.lines)
    )
    return replace(
        shares,
        points_kept=points_earned(
            cash_left + in_all.cash_minor,
            per_major=order.earn_points_per_major_unit,
            bps=order.earn_bps,
        ),
        qualifying_minor=shares.qualifying_minor + in_all.cash_minor + in_all.coins_minor,
        is_full=shares.is_full and in_all.is_nothing,
    )


@dataclass(frozen=True, slots=True)
class _Worth:
    """What all points of an order paid, in minor units."""

    points: int
    paid_minor: int

    @classmethod
    def of(cls, order: PaidOrder) -> _Worth:
        return cls(
            sum(line.points for line in order.lines),
            sum(
                each.amount_minor
                for line in order.lines
                for each in line.allocations
                if each.decision_id == POINTS
            ),
        )

    def minor(self, points: int) -> int:
        """What so many points paid, rounded down."""
        return points * self.paid_minor // self.points if self.points else 0

    def most_points(self, minor: int) -> int:
        """The most points that paid no more than this."""
        return minor * self.points // self.paid_minor if self.paid_minor else 0


def _keep(shares: RefundShares, owed_minor: int, worth: _Worth) -> KeptBack:
    cash = min(owed_minor, shares.cash_minor)
    coins = min(owed_minor - cash, shares.coins_minor)
    points = min(worth.most_points(owed_minor - cash - coins), shares.points)
    return KeptBack(cash, coins, points)


def _give_back(before: KeptBack, excess_minor: int, worth: _Worth, target: int) -> KeptBack:
    """What is kept no longer: cash first, in the order in which it was kept."""
    if target == 0:
        return KeptBack(-before.cash_minor, -before.coins_minor, -before.points)
    cash = min(excess_minor, before.cash_minor)
    coins = min(excess_minor - cash, before.coins_minor)
    points = min(worth.most_points(excess_minor - cash - coins), before.points)
    return KeptBack(-cash, -coins, -points)


def _units_back(order: PaidOrder, shares: RefundShares) -> list[int]:
    """Units of each line that came back, this refund's included."""
    back = [0] * len(order.lines)
    for each in (*order.refunded, *shares.lines):
        back[each.index] += each.units
    return back


def _rest(
    order: PaidOrder,
    back: Sequence[int],
    tested: RecheckedCoupon,
    decisions: Sequence[Decision],
) -> tuple[int, int]:
    """What is left that counts for the minimum, and what it took off all that is left.

    As at the sale: a coupon's minimum is tested as if tiers had given nothing, a gift's on what
    is left beside all that they gave.
    """
    gifts = ids_of_gifts(decisions)
    is_gift = tested.coupon_id in gifts
    before = {
        each.id
        for each in decisions
        if each.kind in _BEFORE_COUPONS and (is_gift or each.id not in gifts)
    }
    covered = _covered(tested, order.lines)
    rest = benefit = 0
    for line, units in zip(order.lines, back, strict=True):
        for group, left in _units_left(unit_groups(line, order.gifts), units):
            taken_off = group.taken_minor.get(tested.coupon_id, 0)
            benefit += _carried(taken_off, group, left)
            if line.index not in covered or group.giver == tested.coupon_id:
                continue  # What is given does not count.
            price = group.cash_minor + sum(
                amount for each, amount in group.taken_minor.items() if each not in before
            )
            if tested.terms.kind in ZONE_KINDS and not is_gift:
                price -= taken_off
            rest += _carried(price, group, left)
    return rest, benefit


def _units_left(groups: Sequence[UnitGroup], back: int) -> Iterator[tuple[UnitGroup, int]]:
    """Each group, and how many of its units did not come back."""
    for group in groups:
        of_group = min(back, group.units)
        back -= of_group
        yield group, group.units - of_group


def _carried(amount: int, group: UnitGroup, left: int) -> int:
    """What so many of the group's last units carry of its amount."""
    return amount - units_share(amount, units=group.units - left, of_units=group.units)


def _reason(is_gift: bool) -> KeptBackReason:
    return KeptBackReason.TIER_GIFT if is_gift else KeptBackReason.COUPON


def _covered(tested: RecheckedCoupon, lines: Sequence[PricedLine]) -> frozenset[int]:
    """Positions of the lines that the coupon covers.

    Orders keep no categories: of a coupon limited to some, the lines of which it has a share are
    those that it covers, be the share 0; once orders kept no shares of 0. One that gives articles
    may give what it does not cover, so of it only shares of 0 tell; of an order that has none of
    them every line may be covered.
    """
    terms = tested.terms
    of_articles = frozenset(
        line.index for line in lines if terms.skus is None or line.sku in terms.skus
    )
    if not is_told_by_shares(terms):
        return of_articles
    is_zones = terms.kind in ZONE_KINDS
    told = frozenset(
        line.index
        for line in lines
        for each in line.allocations
        if each.decision_id == tested.coupon_id
        and not (is_zones and (each.amount_minor or each.given_units))
    )
    return told or of_articles if is_zones else told
