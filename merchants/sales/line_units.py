"""What each unit of a sold line carries: those that were paid, and those that somebody gave. Pure.

Source: docs/rules/refunds.md, rules 1 and 11.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kernel.units import apportion, units_share
from merchants.offers import PricedLine
from merchants.pricing.spending import COINS, POINTS


@dataclass(frozen=True, slots=True)
class UnitGroup:
    """Units of one line that carry alike.

    Attributes:
        giver: the decision that gave them, a coupon's or a tier's; None for those that were paid.
        taken_minor: what each decision took off them, by its id.
    """

    giver: str | None
    units: int
    cash_minor: int
    points: int
    coins_minor: int
    taken_minor: Mapping[str, int]


@dataclass(slots=True)
class _Open:
    giver: str | None
    units: int
    left: int
    taken: dict[str, int] = field(default_factory=dict)

    def take(self, decision_id: str, amount: int) -> None:
        self.left -= amount
        self.taken[decision_id] = self.taken.get(decision_id, 0) + amount

    def part(self, giver: str, units: int, *, worth: int | None) -> _Open:
        """So many of the units, with what they carry so far, as units that `giver` gives.

        Args:
            worth: what they cost by now; None: as much as any of the units.
        """
        if worth is None:
            share_of, of_whole = units, self.units
            worth = units_share(self.left, units=units, of_units=self.units)
        else:
            worth = self.left if units == self.units else min(worth, self.left)
            share_of, of_whole = (worth, self.left) if self.left else (units, self.units)
        given = _Open(giver, units, worth)
        for decision_id, amount in self.taken.items():
            share = units_share(amount, units=share_of, of_units=of_whole)
            given.taken[decision_id] = share
            self.taken[decision_id] -= share
        self.left -= given.left
        self.units -= units
        return given


def unit_groups(line: PricedLine, gifts: Collection[str]) -> tuple[UnitGroup, ...]:
    """The units of a line in the order in which they come back: paid ones first, given ones last.

    Cash, points, coins and what each decision took off sum to the line's own.

    Args:
        gifts: ids of the decisions by which tiers gave a unit.
    """
    paid = _Open(None, line.quantity, line.list_minor)
    of_coupons: list[_Open] = []
    of_tiers: list[_Open] = []
    for each in line.allocations:
        is_tiers = each.decision_id in gifts
        units = min(paid.units, 1 if is_tiers else each.given_units)
        amount = each.amount_minor
        if units:
            # What a tier gives costs nothing any more, so it cost what the tier took off. What a
            # coupon gave orders keep; once they did not, and it counts as much as any unit.
            worth = amount if is_tiers else each.given_minor
            given = paid.part(each.decision_id, units, worth=worth)
            (of_tiers if is_tiers else of_coupons).append(given)
            own = min(amount, given.left)
            given.take(each.decision_id, own)
            amount -= own
        if amount:
            groups = [paid, *of_coupons, *of_tiers]
            for group, part in zip(
                groups, apportion(amount, [g.left for g in groups]), strict=True
            ):
                group.take(each.decision_id, part)
    groups = [group for group in (paid, *of_coupons, *of_tiers) if group.units]
    points = apportion(line.points, [group.taken.get(POINTS, 0) for group in groups])
    coins = apportion(line.coins_minor, [group.taken.get(COINS, 0) for group in groups])
    return tuple(
        UnitGroup(group.giver, group.units, group.left, points[at], coins[at], group.taken)
        for at, group in enumerate(groups)
    )


def first_units(groups: Sequence[UnitGroup], amounts: Sequence[int], *, units: int) -> int:
    """What the first units to come back carry of the groups' amounts, rounded down in a group."""
    total = 0
    for group, amount in zip(groups, amounts, strict=True):
        back = min(units, group.units)
        total += units_share(amount, units=back, of_units=group.units)
        units -= back
    return total
