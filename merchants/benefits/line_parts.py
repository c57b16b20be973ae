"""Units of one line that cost alike, while tiers and coupons give some of them. Pure.

What a sale finds here its refunds find again: `merchants.sales.line_units` spreads alike.

Source: docs/rules/coupons.md, rule 30; docs/rules/refunds.md, rule 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.units import apportion, units_share
from merchants.offers import CartLine
from merchants.promotions.items import Parts


@dataclass(frozen=True, slots=True)
class GivenUnits:
    """Units of one line that a coupon gives; at least one, and each costs more than it does then.

    Attributes:
        picked: how many of which part, by its position.
        worth_minor: what they cost without the coupon.
    """

    index: int
    picked: tuple[tuple[int, int], ...]
    worth_minor: int

    @property
    def units(self) -> int:
        """How many."""
        return sum([units for _, units in self.picked])


@dataclass(frozen=True, slots=True)
class LineParts:
    """One line between two coupons.

    Attributes:
        open: units that nobody gave, those that cost alike together; their positions stay.
        given_minor: what is left to pay of the units that each coupon gave.
        taken_minor: what each coupon took off the open units.
    """

    open: Parts
    given_minor: tuple[int, ...] = ()
    taken_minor: tuple[int, ...] = ()

    @property
    def open_minor(self) -> int:
        """What is left to pay of the open units."""
        return sum([left for _, left in self.open])

    def worth(self, position: int, units: int) -> int:
        """What so many units of a part cost now, rounded down."""
        of_units, left = self.open[position]
        return units_share(left, units=units, of_units=of_units)

    def before_coupons(self, worth_minor: int) -> int:
        """What open units cost before coupons that cost so much now."""
        return (
            worth_minor + sum(self._parts_taken(worth_minor)) if self.taken_minor else worth_minor
        )

    def less(self, amount_minor: int) -> LineParts:
        """The line after a coupon took so much off it: spread by what its units cost."""
        if len(self.open) == 1 and not self.given_minor:  # Most lines, and found much faster.
            [(units, left)] = self.open
            return LineParts(((units, left - amount_minor),), (), (*self.taken_minor, amount_minor))
        own, *given = apportion(amount_minor, [self.open_minor, *self.given_minor])
        spread = apportion(own, [left for _, left in self.open])
        return LineParts(
            tuple(
                (units, left - off) for (units, left), off in zip(self.open, spread, strict=True)
            ),
            tuple(left - off for left, off in zip(self.given_minor, given, strict=True)),
            (*self.taken_minor, own),
        )

    def without(self, given: GivenUnits, *, amount_minor: int) -> LineParts:
        """The line after a coupon gave these units, and took so much off them."""
        still_open = list(self.open)
        for position, units in given.picked:
            of_units, left = still_open[position]
            still_open[position] = (of_units - units, left - self.worth(position, units))
        parts = self._parts_taken(given.worth_minor)
        return LineParts(
            tuple(still_open),
            (*self.given_minor, given.worth_minor - amount_minor),
            tuple(taken - part for taken, part in zip(self.taken_minor, parts, strict=True)),
        )

    def _parts_taken(self, worth_minor: int) -> list[int]:
        """Of what each coupon took off the open units, what it took off those of this worth."""
        open_minor = self.open_minor
        return [
            units_share(taken, units=worth_minor, of_units=open_minor) if open_minor else 0
            for taken in self.taken_minor
        ]


def parts_of(
    lines: Sequence[CartLine], left_minor: Sequence[int], parts: Sequence[Parts] = ()
) -> tuple[Parts, ...]:
    """The parts of every line: all its units together where they cost alike.

    Args:
        parts: by line, its units where they do not all cost alike; empty where they do.
    """
    return tuple(
        (parts[index] if parts else ()) or ((line.quantity, left_minor[index]),)
        for index, line in enumerate(lines)
    )


def dearest_part(parts: Parts) -> int:
    """Position of the part whose unit costs most, rounded down; of equals the first."""
    costs = [unit_cost(part) for part in parts]
    return costs.index(max(costs))


def unit_cost(part: tuple[int, int]) -> int:
    """What one unit of a part costs, rounded down."""
    units, left = part
    return units_share(left, units=1, of_units=units) if units else 0


def less_one(parts: Parts) -> Parts:
    """The parts without the dearest unit."""
    dearest = dearest_part(parts)
    return tuple(
        (units - 1, left - unit_cost((units, left))) if position == dearest else (units, left)
        for position, (units, left) in enumerate(parts)
    )
