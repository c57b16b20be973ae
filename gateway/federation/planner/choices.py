"""Ways to fill objects, what they cost, and the choice of the cheapest together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gateway.federation.selections import Field, Selection

Cost = frozenset[tuple[int, str]]
"""The requests something needs: (waves after the request it stands in, subgraph).

A request to one subgraph in one wave serves any number of places, so costs add up as sets.
"""

FREE: Cost = frozenset()

_ALTERNATIVES_MAX = 6


@dataclass(frozen=True, slots=True, eq=False)
class FieldPlan:
    """A field selected in the request at hand.

    Attributes:
        returns: named type that the subgraph returns; empty for leaves.
        objects: one per runtime type that the subgraph may return.
    """

    field: Field
    returns: str = ""
    objects: tuple[ObjectPlan, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """A move of an object into a later request.

    Attributes:
        subgraph: where to.
        waves: how many waves after the request at hand.
        conditions: how the key and the required fields are had; empty for fields of the root,
            which needs none.
        representation: the key, then the required selections; empty for fields of the root.
        sent_type: `__typename` to send; empty for the runtime type.
        targets: what the request fetches: one plan for the type itself, or one per object type
            when the request finds out which of them an interface object is.
    """

    subgraph: str
    waves: int
    conditions: ObjectPlan
    representation: tuple[Selection, ...]
    sent_type: str
    targets: tuple[ObjectPlan, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectPlan:
    """How objects of one runtime type are filled, standing in one subgraph's request.

    Attributes:
        remainder: fields that no subgraph in reach resolves from here.
    """

    type_name: str
    fields: tuple[FieldPlan, ...]
    hops: tuple[Hop, ...]
    cost: Cost
    weight: int
    remainder: tuple[Field, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it fetches nothing."""
        return not self.fields and not self.hops


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One way to get one field.

    Attributes:
        weight: breaks ties between equal costs: hops and fields, fewer is better.
        remainder: the part of the field that this way does not get.
    """

    fields: tuple[FieldPlan, ...]
    hops: tuple[Hop, ...]
    cost: Cost
    weight: int
    remainder: Field | None = None

    def joined(self, other: Choice) -> Choice:
        """Both ways, where the other one gets (part of) this one's remainder."""
        return Choice(
            self.fields + other.fields,
            self.hops + other.hops,
            self.cost | other.cost,
            self.weight + other.weight,
            other.remainder,
        )


class Costed(Protocol):
    """Anything that can be weighed."""

    @property
    def cost(self) -> Cost: ...

    @property
    def weight(self) -> int: ...


T = TypeVar("T", bound=Costed)


def later(cost: Cost, waves: int) -> Cost:
    """The same requests, so many waves later."""
    return frozenset((wave + waves, subgraph) for wave, subgraph in cost) if cost else FREE


def waves_of(cost: Cost) -> int:
    """How many waves the requests span."""
    return max((wave for wave, _ in cost), default=0)


def rank(option: Costed) -> tuple[int, int, int]:
    """Sort key: fewest requests, then fewest waves, then least weight."""
    return len(option.cost), waves_of(option.cost), option.weight


def best(options: Iterable[T]) -> list[T]:
    """The options worth keeping, best first: none needs all requests of a better one."""
    kept: list[T] = []
    for option in sorted(options, key=rank):
        if not any(better.cost <= option.cost for better in kept):
            kept.append(option)
            if len(kept) == _ALTERNATIVES_MAX:
                break
    return kept


@dataclass(frozen=True, slots=True, eq=False)
class Combination:
    """One option of each group, taken together."""

    picks: tuple[Costed, ...]
    cost: Cost
    weight: int


def combinations(groups: Sequence[Sequence[Costed]]) -> list[Combination]:
    """The best ways to take one option of every group, requests counted once."""
    found = [Combination((), FREE, 0)]
    for group in groups:
        extended = [
            Combination(
                (*combination.picks, option),
                combination.cost | option.cost if option.cost else combination.cost,
                combination.weight + option.weight,
            )
            for combination in found
            for option in group
        ]
        found = extended if len(extended) == 1 else best(extended)
    return found
