"""Where objects stand, how they move between requests, and what that leaves over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from gateway.federation.graph import Provided
from gateway.federation.planner.choices import FREE, Choice, Hop, ObjectPlan, later, rank, waves_of
from gateway.federation.selections import Field, Selection

_HOP_WEIGHT = 100


class Stand(NamedTuple):
    """Where objects stand while their fields are looked for.

    Attributes:
        subgraph: whose request they are in; empty for the root, before any request.
        provided: selections that hold here although their fields are external.
        links: how many more moves may depend on each other; None for what the client wants,
            where the shortest chain that reaches a field is taken, however long.
    """

    subgraph: str
    provided: Provided
    links: int | None


Way = tuple[tuple[Selection, ...], ObjectPlan]
"""A representation (key, then required selections), and how its fields are had."""


def torn_fields(
    groups: list[list[ObjectPlan]], fields_by_type: list[tuple[Field, ...]]
) -> set[int]:
    """Field nodes wanted of several types of which only some can get them from here.

    Such a field must come from another subgraph for all types: two subgraphs that answer the
    same abstract field may mean different objects.
    """
    missing = {
        id(node)
        for plans in groups
        if plans
        for field in plans[0].remainder
        for node in field.nodes
    }
    if not missing:
        return missing
    wanted = [
        {id(node) for field in fields for node in field.nodes} & missing
        for fields in fields_by_type
    ]
    return {node for node in missing if sum(node in nodes for nodes in wanted) > 1}


def unresolved(field: Field) -> Choice:
    """The way that gets nothing of a field."""
    return Choice((), (), FREE, 0, remainder=field)


def with_hop(plan: ObjectPlan, hop: Choice) -> ObjectPlan:
    """A plan whose objects also move on."""
    return replace(
        plan,
        hops=plan.hops + hop.hops,
        cost=plan.cost | hop.cost,
        weight=plan.weight + hop.weight,
    )


def root_hop(type_name: str, target: str, choice: Choice, *, waves: int = 0) -> Choice:
    """A root field asked of a subgraph; so many waves later when met below another field."""
    plan = ObjectPlan(type_name, choice.fields, choice.hops, choice.cost, choice.weight)
    nothing = ObjectPlan(type_name, (), (), FREE, 0)
    return Choice(
        fields=(),
        hops=(Hop(target, waves, nothing, (), "", (plan,)),),
        cost=later(choice.cost, waves) | {(waves, target)},
        weight=choice.weight + (_HOP_WEIGHT if waves else 0),
        remainder=choice.remainder,
    )


def entity_hop(
    subgraph: str,
    sent_type: str,
    representation: tuple[Selection, ...],
    conditions: ObjectPlan,
    targets: Sequence[ObjectPlan],
) -> Choice:
    """Objects moved into a request for entities, as soon as the conditions are met."""
    waves = waves_of(conditions.cost) + 1
    below = FREE.union(*(target.cost for target in targets))
    # Fields count twice when fetched later: of two ways that cost the same requests, the one
    # that learns more from the earlier request is better.
    weight = 2 * sum(target.weight for target in targets)
    hop = Hop(subgraph, waves, conditions, representation, sent_type, tuple(targets))
    return Choice(
        fields=(),
        hops=(hop,),
        cost=conditions.cost | {(waves, subgraph)} | later(below, waves),
        weight=conditions.weight + weight + _HOP_WEIGHT,
    )


def by_remainder(choice: Choice) -> tuple[int, tuple[int, int, int]]:
    """Sort key of partial ways: least left over first."""
    return (_leaves(choice.remainder) if choice.remainder else 0), rank(choice)


def _leaves(field: Field) -> int:
    if field.selection is None or field.selection.only_types is None:
        return 1
    return sum(
        _leaves(inner)
        for name in field.selection.only_types
        for inner in field.selection.fields(name)
    )
