"""The order in which a cart's lines are priced, whatever the order they came in; and back. Pure.

Source: docs/rules/pricing.md, rule 25.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from merchants.offers import Allocation, CartLine

Taken = Sequence[Allocation]
"""What decisions take off one line, in the order of taking."""


def by_content(lines: Sequence[CartLine]) -> list[int]:
    """Positions of the lines by article, category, unit price and quantity.

    Lines that are the same in all of it stay in the order they came in.
    """
    contents = [
        (line.sku, line.category_id or "", line.unit_price_minor, line.quantity) for line in lines
    ]
    return sorted(range(len(lines)), key=contents.__getitem__)


def as_given(
    lines: Sequence[CartLine], order: Sequence[int], taken: Sequence[Taken]
) -> tuple[int, ...]:
    """For each line of the cart, at which place of the order its outcome is.

    Lines alike but for odd minor units have their outcomes in the order in which they stand in the
    cart: each outcome is one of a line at the same unit price and of the same quantity, so no sum
    moves.

    Args:
        order: position of the line at each place, see `by_content`.
        taken: by place, what decisions take off the line.
    """
    place_of = [0] * len(lines)
    at_one_price: dict[tuple[int, int], list[int]] = {}
    for place, position in enumerate(order):
        place_of[position] = place
        line = lines[position]
        at_one_price.setdefault((line.unit_price_minor, line.quantity), []).append(place)
    for places in at_one_price.values():
        for alike in _alike(places, taken) if len(places) > 1 else ():
            positions = sorted([order[place] for place in alike])
            for place, position in zip(alike, positions, strict=True):
                place_of[position] = place
    return tuple(place_of)


def _alike(places: Sequence[int], taken: Sequence[Taken]) -> Iterator[list[int]]:
    """The places in groups: of each the same decisions take the same, but for a minor unit."""
    by_decisions: dict[tuple[tuple[str, int], ...], list[list[int]]] = {}
    for place in places:
        decisions = tuple([(each.decision_id, each.given_units) for each in taken[place]])
        groups = by_decisions.setdefault(decisions, [])
        for group in groups:
            if _is_a_rounding(taken[group[0]], taken[place]):
                group.append(place)
                break
        else:
            groups.append([place])
    for groups in by_decisions.values():
        yield from groups


def _is_a_rounding(one: Taken, other: Taken) -> bool:
    """Whether the same decisions take no more than a minor unit more or less."""
    return all(
        abs(mine.amount_minor - theirs.amount_minor) <= 1
        and abs((mine.given_minor or 0) - (theirs.given_minor or 0)) <= 1
        for mine, theirs in zip(one, other, strict=True)
    )
