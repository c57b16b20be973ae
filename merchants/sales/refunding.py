"""What a refund hands back: shares of lines, or an amount spread over them. Pure.

Source: docs/rules/refunds.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kernel.refusals import InvalidInput
from kernel.units import apportion, units_share
from merchants.offers import KeptBack, PricedLine
from merchants.port import RefundLine
from merchants.pricing.prices import points_earned
from merchants.refusals import RefundExceedsOrder
from merchants.sales.line_units import UnitGroup, first_units, unit_groups


@dataclass(frozen=True, slots=True)
class LineRefund:
    """What one refund takes from one line.

    Attributes:
        units: units that came back; 0 for a price adjustment.
    """

    index: int
    units: int
    cash_minor: int
    points: int
    coins_minor: int


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """An order as refunds see it; `refunded` are the line refunds so far, in order.

    Attributes:
        gifts: ids of the decisions by which tiers gave a unit.
    """

    lines: tuple[PricedLine, ...]
    refunded: tuple[LineRefund, ...]
    shipping_minor: int
    shipping_refunded_minor: int
    earn_points_per_major_unit: int
    earn_bps: int
    currency: str
    gifts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RefundShares:
    """What a refund hands back, line by line, and what the order is afterwards.

    Attributes:
        points_kept: points that the cash left in the lines earns.
        qualifying_minor: cash and coins left in the lines; what counts for ladders.
        is_full: nothing of the order is left with the merchant.
        kept_back: what this refund keeps back; negative what an earlier one kept and it returns.
    """

    lines: tuple[LineRefund, ...]
    shipping_minor: int
    points_kept: int
    qualifying_minor: int
    is_full: bool
    kept_back: KeptBack = KeptBack()

    @property
    def cash_minor(self) -> int:
        """Cash to hand back, shipping included."""
        gross = sum(line.cash_minor for line in self.lines) + self.shipping_minor
        return gross - self.kept_back.cash_minor

    @property
    def points(self) -> int:
        """Spent points that return."""
        return sum(line.points for line in self.lines) - self.kept_back.points

    @property
    def coins_minor(self) -> int:
        """Spent coins that return."""
        return sum(line.coins_minor for line in self.lines) - self.kept_back.coins_minor


@dataclass(slots=True)
class _LineLeft:
    """What is left of one line."""

    line: PricedLine
    groups: tuple[UnitGroup, ...]
    units: int
    cash: int
    points: int
    coins: int
    is_adjusted: bool = False


def refund_lines(order: PaidOrder, asked: Sequence[RefundLine]) -> RefundShares:
    """What comes back for units of lines; all refunds of a line sum to what it paid.

    Raises:
        InvalidInput: a line is not in the order, is named twice, or with less than one unit.
        RefundExceedsOrder: more units than are left.

    Source: docs/rules/refunds.md, rules 1, 2 and 4.
    """
    left = _left_of(order)
    _check_lines(asked, line_count=len(left))
    if any(each.quantity > left[each.line_index].units for each in asked):
        raise RefundExceedsOrder(refundable_minor(order), order.currency)
    taken = [_take_units(left[each.line_index], each.quantity) for each in asked]
    is_whole = all(each.units == 0 for each in left)
    shipping = order.shipping_minor - order.shipping_refunded_minor if is_whole else 0
    return _shares(order, left, taken, shipping_minor=shipping, is_full=is_whole)


def refund_amount(order: PaidOrder, amount_minor: int) -> RefundShares:
    """What a price adjustment hands back: cash only, spread over the lines' remaining cash.

    Raises:
        InvalidInput: the amount is not above 0.
        RefundExceedsOrder: more than the cash that is left.

    Source: docs/rules/refunds.md, rule 3.
    """
    if amount_minor < 1:
        raise InvalidInput.at("amount", "must be above 0")
    if amount_minor > refundable_minor(order):
        raise RefundExceedsOrder(refundable_minor(order), order.currency)
    left = _left_of(order)
    from_lines = min(amount_minor, sum(each.cash for each in left))
    parts = apportion(from_lines, [each.cash for each in left])
    taken = []
    for each, part in zip(left, parts, strict=True):
        if part:
            each.cash -= part
            taken.append(LineRefund(each.line.index, 0, part, 0, 0))
    shipping = amount_minor - from_lines
    is_drained = (
        amount_minor == refundable_minor(order)
        and sum(each.points + each.coins for each in left) == 0
    )
    return _shares(order, left, taken, shipping_minor=shipping, is_full=is_drained)


def refundable_minor(order: PaidOrder) -> int:
    """Cash that can still be refunded, shipping included."""
    paid = sum(line.payable_minor for line in order.lines) + order.shipping_minor
    return paid - sum(each.cash_minor for each in order.refunded) - order.shipping_refunded_minor


def _check_lines(asked: Sequence[RefundLine], *, line_count: int) -> None:
    problems = []
    seen = set()
    for position, each in enumerate(asked):
        if not 0 <= each.line_index < line_count:
            problems.append(
                [
                    f"lines.{position}.lineIndex",
                    f"must be a line of the order, which has {line_count}",
                ]
            )
        elif each.line_index in seen:
            problems.append([f"lines.{position}.lineIndex", "must name each line once"])
        if each.quantity < 1:
            problems.append([f"lines.{position}.quantity", "must be at least one unit"])
        seen.add(each.line_index)
    if problems:
        raise InvalidInput(problems)


def _left_of(order: PaidOrder) -> list[_LineLeft]:
    left = [
        _LineLeft(
            line,
            unit_groups(line, order.gifts),
            line.quantity,
            line.payable_minor,
            line.points,
            line.coins_minor,
        )
        for line in order.lines
    ]
    for refund in order.refunded:
        each = left[refund.index]
        each.units -= refund.units
        each.cash -= refund.cash_minor
        each.points -= refund.points
        each.coins -= refund.coins_minor
        each.is_adjusted = each.is_adjusted or refund.units == 0
    return left


def _take_units(each: _LineLeft, units: int) -> LineRefund:
    line, groups = each.line, each.groups
    before = line.quantity - each.units

    def due(amounts: list[int], left: int) -> int:
        part = first_units(groups, amounts, units=before + units)
        return max(0, part - (sum(amounts) - left))

    if each.is_adjusted:
        cash = _of_adjusted(each, before, units)
    else:
        cash = due([group.cash_minor for group in groups], each.cash)
    points = due([group.points for group in groups], each.points)
    coins = due([group.coins_minor for group in groups], each.coins)
    taken = LineRefund(line.index, units, cash, points, coins)
    each.units -= units
    each.cash -= taken.cash_minor
    each.points -= taken.points
    each.coins -= taken.coins_minor
    return taken


def _of_adjusted(each: _LineLeft, before: int, units: int) -> int:
    """The part of the cash that a price adjustment left, which the next units carry."""
    groups = []
    for group in each.groups:
        back = min(before, group.units)
        before -= back
        if back < group.units:
            carried = group.cash_minor - units_share(
                group.cash_minor, units=back, of_units=group.units
            )
            groups.append(replace(group, units=group.units - back, cash_minor=carried))
    parts = apportion(each.cash, [group.cash_minor for group in groups])
    return first_units(groups, parts, units=units)


def _shares(
    order: PaidOrder,
    left: Sequence[_LineLeft],
    taken: Sequence[LineRefund],
    *,
    shipping_minor: int,
    is_full: bool,
) -> RefundShares:
    cash_left = sum(each.cash for each in left)
    return RefundShares(
        lines=tuple(taken),
        shipping_minor=shipping_minor,
        points_kept=points_earned(
            cash_left, per_major=order.earn_points_per_major_unit, bps=order.earn_bps
        ),
        qualifying_minor=cash_left + sum(each.coins for each in left),
        is_full=is_full,
    )
