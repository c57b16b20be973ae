"""Decides for every wanted field which subgraph it comes from, and how to get there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gateway.federation.graph import Graph, Provided
from gateway.federation.planner.choices import (
    FREE,
    Choice,
    Combination,
    FieldPlan,
    Hop,
    ObjectPlan,
    best,
    combinations,
    later,
    rank,
    waves_of,
)
from gateway.federation.planner.interface_objects import split_by_type
from gateway.federation.selections import Field, Selection

Guard = frozenset[tuple[str, str, str]]
"""Moves whose conditions are being resolved: (type, subgraph, field for which it requires)."""

_NO_GUARD: Guard = frozenset()
_HOP_WEIGHT = 100


class Resolver:
    """Resolves selections over one graph; remembers partial results for one operation.

    Attributes:
        out_of_reach: coordinates of wanted leaves that some way did not lead to, for messages.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[object, tuple[list[Choice], Field]] = {}
        self.out_of_reach: dict[str, None] = {}

    def root(self, type_name: str, fields: Iterable[Field]) -> ObjectPlan:
        """The cheapest way to get fields of a root type; may leave a remainder."""
        return self._objects(type_name, "", tuple(fields), (), _NO_GUARD)[0]

    def _objects(
        self,
        type_name: str,
        subgraph: str,
        fields: tuple[Field, ...],
        provided: Provided,
        guard: Guard,
    ) -> list[ObjectPlan]:
        groups = [
            self._choices(type_name, subgraph, field, provided, guard) or [_unresolved(field)]
            for field in fields
        ]
        plans: list[ObjectPlan] = []
        for combination in combinations(groups):
            picks = [pick for pick in combination.picks if isinstance(pick, Choice)]
            plans.append(
                ObjectPlan(
                    type_name=type_name,
                    fields=tuple(plan for pick in picks for plan in pick.fields),
                    hops=tuple(hop for pick in picks for hop in pick.hops),
                    cost=combination.cost,
                    weight=combination.weight,
                    remainder=tuple(pick.remainder for pick in picks if pick.remainder),
                )
            )
        return plans

    def _choices(
        self, type_name: str, subgraph: str, field: Field, provided: Provided, guard: Guard
    ) -> list[Choice]:
        identity = (type_name, subgraph, id(field), tuple(map(id, provided)), guard)
        known = self._known.get(identity)
        if known is None:
            found = self._find_choices(type_name, subgraph, field, provided, guard)
            known = self._known[identity] = (found, field)
            if not found and not guard and field.selection is None:
                self.out_of_reach.setdefault(f"{type_name}.{field.name}")
        return known[0]

    def _find_choices(
        self, type_name: str, subgraph: str, field: Field, provided: Provided, guard: Guard
    ) -> list[Choice]:
        if field.name == "__typename":
            return [Choice((FieldPlan(field),), (), FREE, 0)]
        direct: list[Choice] = []
        if subgraph and self._graph.resolves(type_name, subgraph, field.name, provided):
            direct = self._direct(type_name, subgraph, field, provided, guard)
        if any(choice.remainder is None and not choice.cost for choice in direct):
            return best(choice for choice in direct if choice.remainder is None)
        options = direct + list(self._hops(type_name, subgraph, field, provided, guard))
        whole = [choice for choice in options if choice.remainder is None]
        if whole:
            return best(whole)
        return self._covering(type_name, subgraph, options, provided, guard)

    def _covering(
        self,
        type_name: str,
        subgraph: str,
        options: list[Choice],
        provided: Provided,
        guard: Guard,
    ) -> list[Choice]:
        """Ways that take several subgraphs for parts of one field; else the best partial one."""
        partial = sorted(options, key=_by_remainder)[:4]
        while partial:
            joined = [
                choice.joined(other)
                for choice in partial
                if choice.remainder is not None
                for other in self._hops(type_name, subgraph, choice.remainder, provided, guard)
            ]
            whole = [choice for choice in joined if choice.remainder is None]
            if whole:
                return best(whole)
            if not joined:
                return partial[:1]
            partial = sorted(joined, key=_by_remainder)[:4]
        return []

    def _direct(
        self, type_name: str, subgraph: str, field: Field, provided: Provided, guard: Guard
    ) -> list[Choice]:
        """Ways to select the field in the request at hand."""
        selection = field.selection
        if selection is None:
            return [Choice((FieldPlan(field),), (), FREE, 1)]
        returns = self._graph.named_type(type_name, subgraph, field.name)
        below = self._graph.provided_below(type_name, subgraph, field.name, provided)
        possible = self._graph.possible(returns, subgraph)
        strangers = {
            name: fields
            for name in sorted(selection.only_types or ())
            if name not in possible and (fields := selection.fields(name))
        }
        choices: list[Choice] = []
        for combination in self._object_plans(possible, subgraph, selection, below, guard):
            plans = tuple(pick for pick in combination.picks if isinstance(pick, ObjectPlan))
            left = {
                plan.type_name: plan.remainder
                for plan in plans
                if plan.remainder and not self._graph.is_inaccessible(plan.type_name)
            }
            left.update(strangers)
            if left and all(plan.is_empty for plan in plans):
                continue
            choices.append(
                Choice(
                    fields=(FieldPlan(field, returns, plans),),
                    hops=(),
                    cost=combination.cost,
                    weight=combination.weight + 1,
                    remainder=field.narrowed(left) if left else None,
                )
            )
        return choices

    def _object_plans(
        self,
        types: tuple[str, ...],
        subgraph: str,
        selection: Selection,
        provided: Provided,
        guard: Guard,
    ) -> list[Combination]:
        """Ways to fill objects that may be of several types, one plan per type in each."""
        groups = [
            self._interface_objects(name, subgraph, selection, provided, guard)
            if self._graph.is_interface_object(name, subgraph)
            else self._objects(name, subgraph, selection.fields(name), provided, guard)
            for name in types
        ]
        torn = _torn_fields(groups, [selection.fields(name) for name in types])
        if not torn:
            return combinations(groups)
        groups = []
        for name in types:
            fields = selection.fields(name)
            kept = tuple(field for field in fields if torn.isdisjoint(map(id, field.nodes)))
            dropped = tuple(field for field in fields if field not in kept)
            groups.append(
                [
                    replace(plan, remainder=plan.remainder + dropped)
                    for plan in self._objects(name, subgraph, kept, provided, guard)
                ]
            )
        return combinations(groups)

    def _interface_objects(
        self,
        interface: str,
        subgraph: str,
        selection: Selection,
        provided: Provided,
        guard: Guard,
    ) -> list[ObjectPlan]:
        """Ways to fill objects of which the subgraph knows only an interface."""
        wanted = split_by_type(self._graph, interface, subgraph, selection)
        plans = self._objects(interface, subgraph, wanted.for_all, provided, guard)
        if not wanted.for_some:
            return plans
        found: list[ObjectPlan] = []
        for target in self._graph.concretising_subgraphs(interface):
            edge = (interface, target, "__typename")
            if edge in guard:
                continue
            groups = [
                self._objects(name, target, wanted.for_some.get(name, ()), (), guard)
                for name in self._graph.possible(interface, target)
            ]
            approaches = self._approaches(
                interface,
                subgraph,
                self._graph.keys(interface, target),
                (),
                provided,
                guard | {edge},
            )
            for representation, conditions in approaches:
                for combination in combinations(groups):
                    targets = [pick for pick in combination.picks if isinstance(pick, ObjectPlan)]
                    if any(plan.remainder for plan in targets):
                        continue
                    hop = _entity_hop(target, interface, representation, conditions, targets)
                    found += [_with_hop(plan, hop) for plan in plans]
        return best(found)

    def _hops(
        self, type_name: str, subgraph: str, field: Field, provided: Provided, guard: Guard
    ) -> Iterator[Choice]:
        """Ways to get the field by moving the object into another request."""
        owners = [(type_name, name) for name in self._graph.owners(type_name, field.name)]
        for sent, target in owners + self._graph.owners_as_interface(type_name, field.name):
            entry = self._graph.entry(sent, target, field.name)
            required = entry.requires if entry else None
            edge = (sent, target, field.name if required else "")
            if edge in guard or (target == subgraph and required is None and sent == type_name):
                continue
            wanted = self._direct(sent, target, field, (), guard)
            if not subgraph:
                yield from (_root_hop(type_name, target, choice) for choice in wanted)
                continue
            needs = (self._graph.field_set(required),) if required else ()
            approaches = self._approaches(
                type_name, subgraph, self._graph.keys(sent, target), needs, provided, guard | {edge}
            )
            for representation, conditions in approaches if wanted else ():
                for choice in wanted:
                    arrival = ObjectPlan(
                        type_name, choice.fields, choice.hops, choice.cost, choice.weight
                    )
                    sent_type = sent if sent != type_name else ""
                    hop = _entity_hop(target, sent_type, representation, conditions, [arrival])
                    yield replace(hop, remainder=choice.remainder)

    def _approaches(
        self,
        type_name: str,
        subgraph: str,
        keys: tuple[Selection, ...],
        needs: tuple[Selection, ...],
        provided: Provided,
        guard: Guard,
    ) -> Iterator[tuple[tuple[Selection, ...], ObjectPlan]]:
        """Every key by which a target takes the object, with how its fields are had here."""
        for key in keys:
            representation = (key, *needs)
            wanted = tuple(
                field for selection in representation for field in selection.fields(type_name)
            )
            for plan in self._objects(type_name, subgraph, wanted, provided, guard):
                if not plan.remainder:
                    yield representation, plan


def _torn_fields(
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


def _unresolved(field: Field) -> Choice:
    return Choice((), (), FREE, 0, remainder=field)


def _with_hop(plan: ObjectPlan, hop: Choice) -> ObjectPlan:
    return replace(
        plan,
        hops=plan.hops + hop.hops,
        cost=plan.cost | hop.cost,
        weight=plan.weight + hop.weight,
    )


def _root_hop(type_name: str, target: str, choice: Choice) -> Choice:
    plan = ObjectPlan(type_name, choice.fields, choice.hops, choice.cost, choice.weight)
    return Choice(
        fields=(),
        hops=(Hop(target, 0, None, (), "", (plan,)),),
        cost=choice.cost | {(0, target)},
        weight=choice.weight,
        remainder=choice.remainder,
    )


def _entity_hop(
    subgraph: str,
    sent_type: str,
    representation: tuple[Selection, ...],
    conditions: ObjectPlan,
    targets: Sequence[ObjectPlan],
) -> Choice:
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


def _by_remainder(choice: Choice) -> tuple[int, tuple[int, int, int]]:
    return (_leaves(choice.remainder) if choice.remainder else 0), rank(choice)


def _leaves(field: Field) -> int:
    if field.selection is None or field.selection.only_types is None:
        return 1
    return sum(
        _leaves(inner)
        for name in field.selection.only_types
        for inner in field.selection.fields(name)
    )
