"""Decides for every wanted field which subgraph it comes from, and how to get there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from gateway.federation.graph import Graph
from gateway.federation.planner.choices import (
    FREE,
    Choice,
    Cost,
    FieldPlan,
    ObjectPlan,
    best,
    combinations,
)
from gateway.federation.planner.interface_objects import split_by_type
from gateway.federation.planner.moves import (
    Stand,
    Way,
    by_remainder,
    entity_hop,
    root_hop,
    torn_fields,
    unresolved,
    with_hop,
)
from gateway.federation.selections import Field, Selection

CHAIN_MAX = 12
"""Longest chain of moves, each needing the one before, that is followed to reach one field."""

_PARTIAL_WAYS_MAX = 4

T = TypeVar("T")


class Resolver:
    """Resolves selections over one graph; remembers partial results for one operation.

    Attributes:
        out_of_reach: type and name of wanted leaves that some way did not lead to, for messages.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[tuple[object, ...], tuple[list[Any], bool]] = {}
        self._stopped_short = False
        self.out_of_reach: dict[tuple[str, str], None] = {}

    def root(self, type_name: str, fields: Iterable[Field]) -> ObjectPlan:
        """The cheapest way to get fields of a root type; may leave a remainder."""
        return self._objects(type_name, tuple(fields), Stand("", (), None))[0]

    def _objects(self, type_name: str, fields: tuple[Field, ...], stand: Stand) -> list[ObjectPlan]:
        groups = [self._choices(type_name, field, stand) or [unresolved(field)] for field in fields]
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

    def _choices(self, type_name: str, field: Field, stand: Stand) -> list[Choice]:
        return self._remembered(
            (type_name, field, stand), lambda: self._by_shortest_chain(type_name, field, stand)
        )

    def _remembered(self, question: tuple[object, ...], answer: Callable[[], list[T]]) -> list[T]:
        """The answer to a question, found out once, with whether it was cut short."""
        known = self._known.get(question)
        if known is None:
            before, self._stopped_short = self._stopped_short, False
            known = self._known[question] = (answer(), self._stopped_short)
            self._stopped_short = before
        self._stopped_short = self._stopped_short or known[1]
        return known[0]

    def _by_shortest_chain(self, type_name: str, field: Field, stand: Stand) -> list[Choice]:
        if stand.links is not None:
            return self._find_choices(type_name, field, stand, stand.links)
        found: list[Choice] = []
        for links in range(1, CHAIN_MAX + 1):
            self._stopped_short = False
            found = self._find_choices(type_name, field, stand, links)
            if not self._stopped_short or any(choice.remainder is None for choice in found):
                break
        is_hidden = self._graph.is_inaccessible(type_name)
        if not found and field.selection is None and not is_hidden:
            self.out_of_reach.setdefault((type_name, field.name))
        return found

    def _find_choices(self, type_name: str, field: Field, stand: Stand, links: int) -> list[Choice]:
        if field.name == "__typename":
            return [Choice((FieldPlan(field),), (), FREE, 0)]
        direct: list[Choice] = []
        if stand.subgraph and self._graph.resolves(
            type_name, stand.subgraph, field.name, stand.provided
        ):
            direct = self._direct(type_name, field, stand)
        if any(choice.remainder is None and not choice.cost for choice in direct):
            return best(choice for choice in direct if choice.remainder is None)
        options = direct + list(self._hops(type_name, field, stand, links))
        whole = [choice for choice in options if choice.remainder is None]
        return best(whole) if whole else self._covering(type_name, options, stand, links)

    def _covering(
        self, type_name: str, options: list[Choice], stand: Stand, links: int
    ) -> list[Choice]:
        """Ways that take several subgraphs for parts of one field; else the best partial one."""
        partial = sorted(options, key=by_remainder)[:_PARTIAL_WAYS_MAX]
        while partial:
            joined = [
                choice.joined(other)
                for choice in partial
                if choice.remainder is not None
                for other in self._hops(type_name, choice.remainder, stand, links)
            ]
            whole = [choice for choice in joined if choice.remainder is None]
            if whole:
                return best(whole)
            if not joined:
                return partial[:1]
            partial = sorted(joined, key=by_remainder)[:_PARTIAL_WAYS_MAX]
        return []

    def _direct(self, type_name: str, field: Field, stand: Stand) -> list[Choice]:
        """Ways to select the field in the request at hand."""
        selection = field.selection
        if selection is None:
            return [Choice((FieldPlan(field),), (), FREE, 1)]
        subgraph = stand.subgraph
        returns = self._graph.named_type(type_name, subgraph, field.name)
        provided = self._graph.provided_below(type_name, subgraph, field.name, stand.provided)
        possible = self._graph.possible(returns, subgraph)
        strangers = {
            name: fields
            for name in sorted(selection.only_types or ())
            if name not in possible and (fields := selection.fields(name))
        }
        choices: list[Choice] = []
        below = stand._replace(provided=provided)
        ways = self._remembered(
            (possible, selection, below), lambda: self._object_plans(possible, selection, below)
        )
        for plans, cost, weight in ways:
            left = {
                plan.type_name: plan.remainder
                for plan in plans
                if plan.remainder
                # Clients never see these objects, but representations may be made of them.
                and not (stand.links is None and self._graph.is_inaccessible(plan.type_name))
            }
            left.update(strangers)
            if left and all(plan.is_empty for plan in plans):
                continue
            choices.append(
                Choice(
                    fields=(FieldPlan(field, returns, plans),),
                    hops=(),
                    cost=cost,
                    weight=weight + 1,
                    remainder=field.narrowed(left) if left else None,
                )
            )
        return choices

    def _object_plans(
        self, types: tuple[str, ...], selection: Selection, stand: Stand
    ) -> list[tuple[tuple[ObjectPlan, ...], Cost, int]]:
        """Ways to fill objects that may be of several types: a plan per type, cost, weight."""
        groups = [
            self._interface_objects(name, selection, stand)
            if self._graph.is_interface_object(name, stand.subgraph)
            else self._objects(name, selection.fields(name), stand)
            for name in types
        ]
        torn = torn_fields(groups, [selection.fields(name) for name in types])
        if torn:
            groups = []
            for name in types:
                fields = selection.fields(name)
                kept = tuple(field for field in fields if torn.isdisjoint(map(id, field.nodes)))
                dropped = tuple(field for field in fields if field not in kept)
                plans = self._objects(name, kept, stand)
                groups.append([replace(plan, remainder=plan.remainder + dropped) for plan in plans])
        return [
            (
                tuple(pick for pick in combination.picks if isinstance(pick, ObjectPlan)),
                combination.cost,
                combination.weight,
            )
            for combination in combinations(groups)
        ]

    def _interface_objects(
        self, interface: str, selection: Selection, stand: Stand
    ) -> list[ObjectPlan]:
        """Ways to fill objects of which the subgraph knows only an interface."""
        wanted = split_by_type(self._graph, interface, stand.subgraph, selection)
        plans = self._objects(interface, wanted.for_all, stand)
        if not wanted.for_some:
            return plans
        found: list[ObjectPlan] = []
        for target in self._graph.concretising_subgraphs(interface):
            arrived = Stand(target, (), stand.links)
            groups = [
                self._objects(name, wanted.for_some.get(name, ()), arrived)
                for name in self._graph.possible(interface, target)
            ]
            combined = combinations(groups)
            for representation, conditions in self._concretising_ways(interface, target, stand):
                for combination in combined:
                    targets = [pick for pick in combination.picks if isinstance(pick, ObjectPlan)]
                    if any(plan.remainder for plan in targets):
                        continue
                    hop = entity_hop(target, interface, representation, conditions, targets)
                    found += [with_hop(plan, hop) for plan in plans]
        return best(found)

    def _concretising_ways(self, interface: str, target: str, stand: Stand) -> list[Way]:
        keys = self._graph.keys(interface, target)
        if stand.links == 0:
            self._stopped_short = True
            return []
        if stand.links is not None:
            return list(self._ways(interface, keys, (), stand, stand.links))
        for links in range(1, CHAIN_MAX + 1):
            found = list(self._ways(interface, keys, (), stand, links))
            if found:
                return found
        return []

    def _hops(self, type_name: str, field: Field, stand: Stand, links: int) -> Iterator[Choice]:
        """Ways to get the field by moving the object into another request."""
        owners = [(type_name, name) for name in self._graph.owners(type_name, field.name)]
        for sent, target in owners + self._graph.owners_as_interface(type_name, field.name):
            entry = self._graph.entry(sent, target, field.name)
            required = entry.requires if entry else None
            if target == stand.subgraph and required is None and sent == type_name:
                continue
            keys = self._graph.keys(sent, target)
            asks_root = self._graph.is_query_root(sent)
            if stand.subgraph and not keys and not asks_root:
                continue
            if stand.subgraph and links == 0:
                self._stopped_short = True
                return
            wanted = self._direct(sent, field, Stand(target, (), stand.links))
            if not stand.subgraph:
                yield from (root_hop(type_name, target, choice) for choice in wanted)
                continue
            if asks_root:
                yield from (root_hop(type_name, target, choice, waves=1) for choice in wanted)
                continue
            needs = (self._graph.field_set(required),) if required else ()
            ways = self._ways(type_name, keys, needs, stand, links) if wanted else ()
            sent_type = sent if sent != type_name else ""
            for representation, conditions in ways:
                for choice in wanted:
                    arrival = ObjectPlan(
                        type_name, choice.fields, choice.hops, choice.cost, choice.weight
                    )
                    hop = entity_hop(target, sent_type, representation, conditions, [arrival])
                    yield replace(hop, remainder=choice.remainder)

    def _ways(
        self,
        type_name: str,
        keys: tuple[Selection, ...],
        needs: tuple[Selection, ...],
        stand: Stand,
        links: int,
    ) -> Iterator[Way]:
        """Every key by which a subgraph takes the object, with how its fields are had here."""
        before = stand._replace(links=links - 1)
        for key in keys:
            representation = (key, *needs)
            wanted = tuple(
                field for selection in representation for field in selection.fields(type_name)
            )
            for plan in self._objects(type_name, wanted, before):
                if not plan.remainder:
                    yield representation, plan
                if not plan.remainder and not plan.cost:
                    return
