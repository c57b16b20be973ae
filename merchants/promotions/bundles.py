"""Which bundles a cart holds: the packing that saves most. Pure.

Source: docs/rules/pricing.md, rule 13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from merchants.offers import CartLine

PACKINGS_MAX = 2_000
"""Packings that are tried; a cart with more of them is packed greedily."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A set of articles at one price; an article is in `skus` as often as it is in the bundle."""

    decision_id: str
    price_minor: int
    skus: tuple[str, ...]
    stacks: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """Copies of one bundle, made from `units` of lines: (position, units) pairs."""

    bundle: Bundle
    copies: int
    units: tuple[tuple[int, int], ...]

    def saving_minor(self, lines: Sequence[CartLine]) -> int:
        """What the copies take off the public prices of their units, at least 0."""
        public = sum(units * lines[index].unit_price_minor for index, units in self.units)
        return max(0, public - self.copies * self.bundle.price_minor)


def pack(
    bundles: Sequence[Bundle], lines: Sequence[CartLine], reference_minor: Sequence[int]
) -> tuple[Pack, ...]:
    """The packs that save most against `reference_minor`, what each line costs otherwise.

    Exact as long as there are at most PACKINGS_MAX ways to choose copies; beyond, the bundle that
    saves most a copy is packed first, as often as it goes. Ties go to fewer copies, then to the
    lower id.
    """
    stock = _units_by_sku(bundles, lines, reference_minor)
    held = [bundle for bundle in bundles if _most_copies(bundle, stock)]
    ordered = sorted(held, key=lambda each: each.decision_id)
    limits = [_most_copies(bundle, stock) for bundle in ordered]
    ways = 1
    for limit in limits:
        ways *= limit + 1
    if ways <= PACKINGS_MAX:
        return max(_every_packing(ordered, limits, stock), key=_preference)[1]
    return _greedy(ordered, stock)


@dataclass(slots=True)
class _Units:
    """Units of one article: (position, units, cost of a unit) of each line, dearest first."""

    by_line: list[tuple[int, int, int]]

    @property
    def count(self) -> int:
        return sum(units for _, units, _ in self.by_line)


_Stock = dict[str, _Units]


def _units_by_sku(
    bundles: Sequence[Bundle], lines: Sequence[CartLine], reference_minor: Sequence[int]
) -> _Stock:
    """The units of every article that is in a bundle, none where the cart has none."""
    stock: _Stock = {sku: _Units([]) for bundle in bundles for sku in bundle.skus}
    for index, line in enumerate(lines):
        units = stock.get(line.sku)
        if units is not None:
            unit = reference_minor[index] // line.quantity
            units.by_line.append((index, line.quantity, unit))
    for units in stock.values():
        units.by_line.sort(key=lambda each: (-each[2], each[0]))
    return stock


def _most_copies(bundle: Bundle, stock: _Stock) -> int:
    return min(stock[sku].count // count for sku, count in Counter(bundle.skus).items())


def _take(bundle: Bundle, copies: int, stock: _Stock) -> tuple[Pack, int, _Stock] | None:
    """The pack, what it saves, and what is left; None when there are too few units."""
    left = dict(stock)
    taken: list[tuple[int, int]] = []
    cost = 0
    for sku, count in Counter(bundle.skus).items():
        wanted = count * copies
        if left[sku].count < wanted:
            return None
        rest = []
        for index, units, unit in left[sku].by_line:
            used = min(wanted, units)
            wanted -= used
            cost += used * unit
            if used:
                taken.append((index, used))
            if units > used:
                rest.append((index, units - used, unit))
        left[sku] = _Units(rest)
    packed = Pack(bundle, copies, tuple(sorted(taken)))
    return packed, cost - copies * bundle.price_minor, left


def _every_packing(
    bundles: Sequence[Bundle], limits: Sequence[int], stock: _Stock
) -> Iterator[tuple[int, tuple[Pack, ...]]]:
    if not bundles:
        yield 0, ()
        return
    for copies in range(limits[0] + 1):
        if copies == 0:
            yield from _every_packing(bundles[1:], limits[1:], stock)
            continue
        taken = _take(bundles[0], copies, stock)
        if taken is None or taken[1] <= 0:
            return
        packed, saving, left = taken
        for more, packs in _every_packing(bundles[1:], limits[1:], left):
            yield saving + more, (packed, *packs)


def _preference(packing: tuple[int, tuple[Pack, ...]]) -> tuple[int, int]:
    saving, packs = packing
    return saving, -sum(each.copies for each in packs)


def _greedy(bundles: Sequence[Bundle], stock: _Stock) -> tuple[Pack, ...]:
    def saving_of_one(bundle: Bundle) -> int:
        taken = _take(bundle, 1, stock)
        return 0 if taken is None else taken[1]

    packs: list[Pack] = []
    for bundle in sorted(bundles, key=lambda each: (-saving_of_one(each), each.decision_id)):
        copies = _most_copies(bundle, stock)
        taken = _take(bundle, copies, stock) if copies else None
        if taken is not None and taken[1] > 0:
            packs.append(taken[0])
            stock = taken[2]
    return tuple(packs)
