"""Prices found by trying everything, unit by unit: slow, plain, and without the rules' own code.

Amounts are chosen so that nothing is rounded: see `round_carts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import Any

from hypothesis import strategies as st

from merchants.offers import CartLine
from merchants.promotions.goods import MemberRate
from merchants.promotions.terms import Promotion
from tests.merchants.offers import promotion

_UNIT = 1_600
_SKUS = ("a", "a", "b", "c")

lines = st.lists(
    st.builds(
        CartLine,
        sku=st.sampled_from(_SKUS),
        quantity=st.integers(1, 3),
        unit_price_minor=st.integers(1, 6).map(lambda each: each * _UNIT),
    ),
    min_size=2,
    max_size=3,
)
"""Lines of round prices: a quarter of a quarter of them is a whole number."""

some = st.sampled_from([None, ("a",), ("b",), ("b", "c")])
quarters = st.sampled_from([2_500, 5_000, 7_500])
round_prices = st.integers(0, 8).map(lambda each: each * _UNIT)
_faces: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["LIMITED_PRICE", "MEMBER_PRICE"]),
            "percent_off_bps": quarters,
            "skus": some,
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["LIMITED_PRICE", "MEMBER_PRICE"]),
            "price_minor": round_prices,
            "skus": st.sampled_from([("a",), ("b", "c")]),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("FLASH_SALE"),
            "price_minor": round_prices,
            "skus": st.just(("c",)),
            "left": st.integers(0, 4),
        }
    ),
)
_bundles: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "kind": st.just("BUNDLE"),
        "price_minor": st.integers(0, 12).map(lambda each: each * _UNIT),
        "skus": st.sampled_from([("a", "b"), ("a", "a"), ("a", "b", "b"), ("b", "b")]),
    }
)
_rates = st.one_of(
    st.builds(MemberRate, st.just(""), st.just("rate"), st.just(1), off_bps=quarters, skus=some),
    st.builds(
        MemberRate, st.just(""), st.just("price"), st.just(1), price_minor=round_prices, skus=some
    ),
)


@st.composite
def item_promotions(draw: st.DrawFn) -> tuple[Promotion, ...]:
    """Promotions on goods; those that may stack do now and then, bundles never.

    No article is in a bundle and in a flash sale: what its units cost otherwise depends on how
    many the flash sale still has, and the rule takes their average.
    """
    made = []
    faces = draw(st.lists(_bundles, min_size=1, max_size=2)) + draw(st.lists(_faces, max_size=2))
    for index, face in enumerate(faces):
        given = dict(face)
        kind = given.pop("kind")
        may_stack = kind in ("LIMITED_PRICE", "FLASH_SALE")
        made.append(
            promotion(kind, f"prm-{index}", stacks=may_stack and draw(st.booleans()), **given)
        )
    return tuple(made)


@st.composite
def member_rates(draw: st.DrawFn) -> tuple[MemberRate, ...]:
    """What tiers give."""
    drawn = draw(st.lists(_rates, max_size=2))
    return tuple(
        MemberRate(f"tier:{index}", each.title, 1, each.off_bps, each.price_minor, each.skus, None)
        for index, each in enumerate(drawn)
    )


@dataclass(frozen=True)
class Offers:
    """What a buyer may have on goods."""

    promotions: Sequence[Promotion]
    rates: Sequence[MemberRate]

    def unit_cost(self, line: CartLine, flash: Promotion | None = None) -> int:
        """A unit's lowest price, or its price in a flash sale."""
        public = line.unit_price_minor
        off = self._percentage(line)
        if flash is not None:
            costs = [_after(flash, public, off)]
        else:
            costs = [public - public * off // 10_000]
            costs += [
                each.price_minor
                for each in self.rates
                if each.price_minor is not None and _covers(each, line)
            ]
            costs += [
                _after(each, public, off)
                for each in self.promotions
                if each.terms.kind in ("LIMITED_PRICE", "MEMBER_PRICE")
                and _covers(each.terms, line)
            ]
        return min(public, *costs)

    def _percentage(self, line: CartLine) -> int:
        rates = [each.off_bps for each in self.rates if _covers(each, line)]
        rates += [
            each.terms.percent_off_bps or 0
            for each in self.promotions
            if each.terms.kind == "MEMBER_PRICE" and _covers(each.terms, line)
        ]
        return max(rates, default=0)

    def lowest(self, bought: Sequence[CartLine]) -> int:
        """What all goods cost at least, over every way to pack bundles."""
        return min(self._costs(bought))

    def _costs(self, bought: Sequence[CartLine]) -> Iterator[int]:
        bundles = [each for each in self.promotions if each.terms.kind == "BUNDLE"]
        most = sum(line.quantity for line in bought) // 2
        for copies in product(range(most + 1), repeat=len(bundles)):
            wanted: Counter[str] = Counter()
            for bundle, count in zip(bundles, copies, strict=True):
                for sku in bundle.terms.skus or ():
                    wanted[sku] += count
            price = sum(
                (bundle.terms.price_minor or 0) * count
                for bundle, count in zip(bundles, copies, strict=True)
            )
            for taken in _ways(bought, wanted):
                rest = [line.quantity - units for line, units in zip(bought, taken, strict=True)]
                yield price + self._unpacked(bought, rest)

    def _unpacked(self, bought: Sequence[CartLine], rest: list[int]) -> int:
        """What units cost that are in no bundle: dearest units first into flash sales."""
        total = 0
        flashes = [each for each in self.promotions if each.terms.kind == "FLASH_SALE"]
        flashes.sort(key=lambda each: (each.terms.price_minor, each.promotion_id))
        for flash in flashes:
            left = flash.stock_left or 0
            order = sorted(
                (index for index, line in enumerate(bought) if _covers(flash.terms, line)),
                key=lambda index: (
                    -bought[index].unit_price_minor,
                    -self.unit_cost(bought[index]),
                    bought[index].sku,
                    index,
                ),
            )
            for index in order:
                cost = self.unit_cost(bought[index], flash)
                if cost < self.unit_cost(bought[index]):
                    units = min(left, rest[index])
                    total += units * cost
                    rest[index] -= units
                    left -= units
        return total + sum(
            units * self.unit_cost(line) for line, units in zip(bought, rest, strict=True)
        )


def best_sets(
    amounts: Sequence[tuple[str, int, frozenset[int]]],
) -> tuple[int, tuple[str, ...]]:
    """The highest sum of amounts whose lines do not overlap; of equals the one of lowest names."""
    every = chain.from_iterable(combinations(amounts, size) for size in range(len(amounts) + 1))
    sets = [
        (-sum(each[1] for each in chosen), tuple(sorted(each[0] for each in chosen)))
        for chosen in every
        if all(one[2].isdisjoint(other[2]) for one, other in combinations(chosen, 2))
        and all(each[1] for each in chosen)
    ]
    total, names = min(sets)
    return -total, names


def _covers(limits: Any, line: CartLine) -> bool:
    return limits.skus is None or line.sku in limits.skus


def _after(offer: Promotion, public: int, off: int) -> int:
    """What a unit costs with an offer, and with the member's percentage where both go."""
    terms = offer.terms
    cost = public - public * (terms.percent_off_bps or 0) // 10_000
    if terms.price_minor is not None:
        cost = min(public, terms.price_minor)
    return cost - cost * off // 10_000 if terms.stacks else cost


def _ways(bought: Sequence[CartLine], wanted: Counter[str]) -> Iterator[tuple[int, ...]]:
    """Every way to take the wanted units of articles from the lines."""
    for taken in product(*(range(line.quantity + 1) for line in bought)):
        got: Counter[str] = Counter()
        for line, units in zip(bought, taken, strict=True):
            got[line.sku] += units
        if +got == +wanted:
            yield taken
