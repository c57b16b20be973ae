"""Where a value can be fetched from: moves between subgraphs by keys, fields, and type tests.

A `Stand` is one way to hold a value: an object of some type in some subgraph. A value is known by
a set of stands, since a planner may choose among them, and ask several.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.federation.composition.merged import Supergraph
from gateway.federation.composition.sources import Sources
from gateway.federation.field_sets import (
    FieldSelection,
    FieldSet,
    FragmentSelection,
    parse_field_set,
)
from gateway.federation.subgraph import Field, Key, Kind, Subgraph, SubgraphType, named_type


@dataclass(frozen=True, slots=True)
class Stand:
    """A value in the hands of one subgraph.

    Attributes:
        type: its type as that subgraph knows it; an interface object stands for any of its
            implementations.
        provided: external fields that this path answers all the same.
    """

    subgraph: str
    type: str
    provided: FieldSet = ()


Stands = frozenset[Stand]


class Routes:
    """Moves between the subgraphs of one supergraph.

    With `labels_hold`, fields overridden under a label belong to the new subgraph, else to the old.
    """

    def __init__(self, supergraph: Supergraph, sources: Sources, *, labels_hold: bool) -> None:
        self._types = supergraph.types
        self._by_name = {subgraph.name: subgraph for subgraph in supergraph.subgraphs}
        self._sources = sources
        self._labels_hold = labels_hold
        self._spread: dict[tuple[str, Stands], Stands] = {}
        self._spreading: set[tuple[str, Stands]] = set()
        self._requiring: set[tuple[str, str, str]] = set()
        self._cuts = 0

    def spread(self, type_name: str, stands: Stands) -> Stands:
        """All stands that can be had of a value, by root types and keys, from those given."""
        question = (type_name, stands)
        if question in self._spread:
            return self._spread[question]
        if question in self._spreading:
            self._cuts += 1
            return stands
        self._spreading.add(question)
        cuts = self._cuts
        reached = self._grow(type_name, stands)
        self._spreading.discard(question)
        if cuts == self._cuts:
            self._spread[question] = reached
        return reached

    def _grow(self, type_name: str, stands: Stands) -> Stands:
        reached = set(stands)
        grows = True
        while grows:
            grows = False
            for target, keys in self._targets(type_name):
                if target in reached:
                    continue
                if type_name == "Query" or any(
                    self.can_select(type_name, parse_field_set(key.fields), frozenset(reached))
                    for key in keys
                ):
                    reached.add(target)
                    grows = True
        return frozenset(reached)

    def _targets(self, type_name: str) -> Iterator[tuple[Stand, list[Key]]]:
        """Stands that an object of the type could move to, with the keys that would do."""
        for subgraph in self._by_name.values():
            for name in (type_name, *self._types[type_name].interfaces):
                declared = subgraph.types.get(name)
                if declared is None or (name != type_name and not declared.is_interface_object):
                    continue
                keys = [key for key in declared.keys if key.resolvable]
                if keys or type_name == "Query":
                    yield Stand(subgraph.name, name), keys

    def can_select(self, type_name: str, selections: FieldSet, stands: Stands) -> bool:
        """Whether the stands, without moving first, answer every selection between them."""
        return all(self._can_select_one(type_name, one, stands) for one in selections)

    def _can_select_one(
        self, type_name: str, selection: FieldSelection | FragmentSelection, stands: Stands
    ) -> bool:
        match selection:
            case FieldSelection(name="__typename"):
                return True
            case FieldSelection():
                return self._can_select_field(type_name, selection, stands)
            case FragmentSelection():
                return all(
                    self.can_select(one, selection.selections, self.spread(one, narrowed))
                    for one in self.concrete_types(selection.on)
                    if (narrowed := self.narrow(stands, one))
                )

    def _can_select_field(self, type_name: str, selection: FieldSelection, stands: Stands) -> bool:
        below = self.advance(type_name, selection.name, stands)
        if not below:
            concrete = [] if self._is_object(type_name) else self.concrete_types(type_name)
            narrowed = [(one, self.narrow(stands, one)) for one in concrete]
            held = [(one, those) for one, those in narrowed if those]
            return bool(held) and all(
                self._can_select_one(one, selection, self.spread(one, those)) for one, those in held
            )
        if not selection.selections:
            return True
        merged = self._types[type_name].fields.get(selection.name)
        if merged is None:
            return False
        result = named_type(merged.type)
        return self.can_select(result, selection.selections, self.spread(result, below))

    def advance(self, type_name: str, field_name: str, stands: Stands) -> Stands:
        """Stands of the field's value, from those stands that answer the field themselves."""
        found = set()
        for stand in stands:
            field = self.direct_field(stand, field_name)
            if field is None:
                continue
            if field.requires and not self.can_require(type_name, stand, field, stands):
                continue
            provided = _below(stand.provided, field_name)
            if field.provides:
                provided += parse_field_set(field.provides)
            found.add(Stand(stand.subgraph, named_type(field.type), provided))
        return frozenset(found)

    def direct_field(self, stand: Stand, name: str) -> Field | None:
        """The field, if the subgraph answers it where it stands; requirements are not looked at."""
        subgraph = self._by_name[stand.subgraph]
        declared = subgraph.types[stand.type]
        field = declared.fields.get(name)
        if field is None:
            return None
        if declared.kind is Kind.INTERFACE:
            # An interface answers only what each of its objects answers by itself.
            objects = [subgraph.types[one] for one in subgraph.possible_types(stand.type)]
        else:
            objects = [declared]
        usable = all(self._is_answered(subgraph, one, name, stand) for one in objects)
        return field if usable else None

    def _is_answered(
        self, subgraph: Subgraph, declared: SubgraphType, name: str, stand: Stand
    ) -> bool:
        field = declared.fields[name]
        if field.external:
            provided = _applicable(stand.provided, subgraph, declared.name)
            return any(one.name == name for one in provided)
        if field.override and field.override.label and not self._labels_hold:
            return not self._is_elsewhere(field, declared, name)
        taken = self._sources.overridden.get((subgraph.name, declared.name, name))
        return taken is None or (taken.label is not None and not self._labels_hold)

    def _is_elsewhere(self, field: Field, declared: SubgraphType, name: str) -> bool:
        assert field.override is not None
        return (field.override.source, declared.name, name) in self._sources.overridden

    def can_require(self, type_name: str, stand: Stand, field: Field, stands: Stands) -> bool:
        """Whether the stands answer what the field requires, and can come back with it."""
        question = (stand.subgraph, stand.type, field.name)
        if question in self._requiring:
            self._cuts += 1
            return False
        assert field.requires is not None
        self._requiring.add(question)
        try:
            required = parse_field_set(field.requires)
            return self.can_return(type_name, stand, stands) and self.can_select(
                type_name, required, stands
            )
        finally:
            self._requiring.discard(question)

    def can_return(self, type_name: str, stand: Stand, stands: Stands) -> bool:
        """Whether the subgraph can be asked again for the value, with more about it."""
        declared = self._by_name[stand.subgraph].types[stand.type]
        # Keys that are not resolvable count here: other composers take them, with a hint.
        return any(
            self.can_select(type_name, parse_field_set(key.fields), stands) for key in declared.keys
        )

    def narrow(self, stands: Stands, concrete: str) -> Stands:
        """Stands of a value that turns out to be of one object type."""
        found = set()
        for stand in stands:
            subgraph = self._by_name[stand.subgraph]
            declared = subgraph.types[stand.type]
            if declared.is_interface_object:
                if stand.type in self._types[concrete].interfaces or stand.type == concrete:
                    found.add(stand)
            elif concrete in subgraph.possible_types(stand.type):
                provided = _applicable_set(stand.provided, subgraph, concrete)
                found.add(Stand(stand.subgraph, concrete, provided))
        return frozenset(found)

    def concrete_types(self, name: str) -> list[str]:
        """Object types of the supergraph that a value of the type may be."""
        merged = self._types[name]
        if merged.kind is Kind.OBJECT:
            return [name]
        if merged.kind is Kind.UNION:
            return sorted(merged.union_members)
        return [
            one.name
            for one in self._types.values()
            if one.kind is Kind.OBJECT and name in one.interfaces
        ]

    def is_interface_object(self, stand: Stand) -> bool:
        """Whether the stand does not know the object's real type."""
        return self._by_name[stand.subgraph].types[stand.type].is_interface_object

    def _is_object(self, name: str) -> bool:
        return self._types[name].kind is Kind.OBJECT


def _below(selections: FieldSet, name: str) -> FieldSet:
    found: FieldSet = ()
    for selection in selections:
        if isinstance(selection, FragmentSelection):
            found += _below(selection.selections, name)
        elif selection.name == name:
            found += selection.selections
    return found


def _applicable(
    selections: FieldSet, subgraph: Subgraph, type_name: str
) -> Iterable[FieldSelection]:
    for selection in selections:
        if isinstance(selection, FieldSelection):
            yield selection
        elif type_name in (selection.on, *subgraph.possible_types(selection.on)):
            yield from _applicable(selection.selections, subgraph, type_name)


def _applicable_set(selections: FieldSet, subgraph: Subgraph, type_name: str) -> FieldSet:
    return tuple(_applicable(selections, subgraph, type_name))
