"""Which subgraph resolves what: types within subgraphs, and the moves between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

from graphql import OperationDefinitionNode, TypeNode, parse

from gateway.federation.merged_types import FieldInSubgraph, MergedType, named_type, under_labels
from gateway.federation.selections import Selection, SelectionReader
from gateway.federation.supergraph import Supergraph

Provided = tuple[Selection, ...]
"""Selections resolvable at a place although the subgraph declares their fields external."""


class Graph:
    """Answers the planner's questions about a supergraph; remembers the answers.

    Args:
        labels: the override labels that hold.
    """

    def __init__(self, supergraph: Supergraph, labels: Collection[str] = ()) -> None:
        self.supergraph = supergraph
        self._types: Mapping[str, MergedType] = supergraph.types
        if supergraph.override_labels:
            self._types = under_labels(supergraph.types, labels)
        self._reader = SelectionReader(self.matches)
        self._field_sets: dict[str, Selection] = {}
        self._possible: dict[tuple[str, str], tuple[str, ...]] = {}
        self._keys: dict[tuple[str, str], tuple[Selection, ...]] = {}
        self._interfaces: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {}

    def kind(self, type_name: str) -> str:
        """`object`, `interface`, `union` or `leaf`."""
        found = self._types.get(type_name)
        return found.kind if found else "leaf"

    def is_abstract(self, type_name: str) -> bool:
        """Whether it is an interface or a union of the merged schema."""
        return self.kind(type_name) in ("interface", "union")

    def is_inaccessible(self, type_name: str) -> bool:
        """Whether clients never see objects of a type."""
        return self._types[type_name].inaccessible

    def is_query_root(self, type_name: str) -> bool:
        """Whether any subgraph that has the type answers its fields without a reference."""
        return self.supergraph.root_types.get("query") == type_name

    def matches(self, type_name: str, condition: str) -> bool:
        """Whether objects of a type satisfy a type condition in any subgraph."""
        return type_name == condition or condition in self._supertypes.get(type_name, ())

    @cached_property
    def _supertypes(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for merged in self._types.values():
            for interfaces in merged.implements.values():
                found.setdefault(merged.name, set()).update(interfaces)
            for members in merged.members.values():
                for member in members:
                    found.setdefault(member, set()).add(merged.name)
        return found

    def field_set(self, text: str) -> Selection:
        """The selection that a `@key`, `@requires` or `@provides` argument writes."""
        found = self._field_sets.get(text)
        if found is None:
            operation = parse(f"{{{text}}}", no_location=True).definitions[0]
            assert isinstance(operation, OperationDefinitionNode)
            found = self._field_sets[text] = self._reader.selection([operation.selection_set])
        return found

    def entry(self, type_name: str, subgraph: str, field_name: str) -> FieldInSubgraph | None:
        """What a subgraph says about a field; None when it does not have it."""
        merged = self._types.get(type_name)
        field = merged.fields.get(field_name) if merged else None
        return field.subgraphs.get(subgraph) if field else None

    def public_type(self, type_name: str, field_name: str) -> TypeNode:
        """A field's merged type."""
        return self._types[type_name].fields[field_name].type

    def named_type(self, type_name: str, subgraph: str, field_name: str) -> str:
        """The named type that a subgraph returns for a field."""
        entry = self.entry(type_name, subgraph, field_name)
        if entry and entry.type:
            return named_type(entry.type)
        return named_type(self.public_type(type_name, field_name))

    def merged_named_type(self, type_name: str, field_name: str) -> str:
        """The named type of a field in the merged schema."""
        return named_type(self.public_type(type_name, field_name))

    def type_variants(self, type_name: str, field_name: str) -> tuple[TypeNode, ...]:
        """A field's merged type, then those that single subgraphs declare otherwise.

        A field that may be had on an interface object counts as the interface's, so that it is
        the same field for all of its types.
        """
        for interface, types in self.interface_objects.items():
            if type_name in types and field_name in self._types[interface].fields:
                type_name = interface
        field = self._types[type_name].fields[field_name]
        return (field.type, *(entry.type for entry in field.subgraphs.values() if entry.type))

    def owners(self, type_name: str, field_name: str) -> tuple[str, ...]:
        """Subgraphs that resolve a field by themselves or with required fields."""
        merged = self._types.get(type_name)
        field = merged.fields.get(field_name) if merged else None
        if field is None:
            return ()
        return tuple(name for name, entry in field.subgraphs.items() if _is_resolved(entry))

    def resolves(self, type_name: str, subgraph: str, field_name: str, provided: Provided) -> bool:
        """Whether a subgraph resolves a field where it stands, with nothing from others."""
        entry = self.entry(type_name, subgraph, field_name)
        if entry is None:
            return False
        if _is_resolved(entry):
            return entry.requires is None
        if entry.overridden and not entry.external:
            return False
        return any(
            field.name == field_name
            for selection in provided
            for field in selection.fields(type_name)
        )

    def provided_below(
        self, type_name: str, subgraph: str, field_name: str, provided: Provided
    ) -> Provided:
        """What is provided below a field, given what is provided beside it."""
        below = [
            field.selection
            for selection in provided
            for field in selection.fields(type_name)
            if field.name == field_name and field.selection is not None
        ]
        entry = self.entry(type_name, subgraph, field_name)
        if entry and entry.provides:
            below.append(self.field_set(entry.provides))
        return tuple(below)

    def possible(self, type_name: str, subgraph: str) -> tuple[str, ...]:
        """Runtime types that a subgraph may return for a named type, in a stable order."""
        known = self._possible.get((type_name, subgraph))
        if known is None:
            known = self._possible[type_name, subgraph] = self._find_possible(type_name, subgraph)
        return known

    def _find_possible(self, type_name: str, subgraph: str) -> tuple[str, ...]:
        merged = self._types[type_name]
        if merged.kind == "union":
            return tuple(sorted(merged.members.get(subgraph, ())))
        if merged.kind != "interface" or self.is_interface_object(type_name, subgraph):
            return (type_name,)
        found = sorted(
            other.name
            for other in self._types.values()
            if other.kind == "object" and type_name in other.implements.get(subgraph, ())
        )
        return tuple(found) or (type_name,)

    def is_interface_object(self, type_name: str, subgraph: str) -> bool:
        """Whether a subgraph treats this interface as an object."""
        here = self._types[type_name].subgraphs.get(subgraph)
        return here is not None and here.is_interface_object

    @cached_property
    def interface_objects(self) -> Mapping[str, tuple[str, ...]]:
        """Interfaces that some subgraph treats as an object, with their public object types."""
        return {
            merged.name: tuple(
                sorted(
                    other.name
                    for other in self._types.values()
                    if other.kind == "object"
                    and not other.inaccessible
                    and self.matches(other.name, merged.name)
                )
            )
            for merged in self._types.values()
            if any(here.is_interface_object for here in merged.subgraphs.values())
        }

    def runtime_types(self, type_name: str) -> tuple[str, ...]:
        """Type names that objects planned as a type may carry in the merged data."""
        return (type_name, *self.interface_objects.get(type_name, ()))

    def owners_as_interface(self, type_name: str, field_name: str) -> list[tuple[str, str]]:
        """Pairs (interface, subgraph) that resolve a type's field on an interface object."""
        return [
            (interface, subgraph)
            for interface, types in self.interface_objects.items()
            if type_name in types
            for subgraph in self.owners(interface, field_name)
            if self.is_interface_object(interface, subgraph)
        ]

    def concretising_subgraphs(self, interface: str) -> tuple[str, ...]:
        """Subgraphs that know the object types of an interface and take it by a key."""
        return tuple(
            subgraph
            for subgraph, here in self._types[interface].subgraphs.items()
            if not here.is_interface_object and self.keys(interface, subgraph)
        )

    def keys(self, type_name: str, subgraph: str) -> tuple[Selection, ...]:
        """Keys by which a subgraph resolves references to a type, in the order written."""
        known = self._keys.get((type_name, subgraph))
        if known is None:
            here = self._types[type_name].subgraphs.get(subgraph)
            known = self._keys[type_name, subgraph] = tuple(
                self.field_set(key.fields) for key in (here.keys if here else ()) if key.resolvable
            )
        return known

    def is_had_as_interface(self, interface: str, field_name: str) -> bool:
        """Whether objects whose type nobody knows yet can be asked for a field."""
        return any(
            self.is_interface_object(interface, subgraph) or self.keys(interface, subgraph)
            for subgraph in self.owners(interface, field_name)
        )

    def has_interface_field(self, interface: str, subgraph: str, field_name: str) -> bool:
        """Whether a field may be selected on the interface itself in a subgraph's document."""
        return self.entry(interface, subgraph, field_name) is not None

    def interfaces_in(self, subgraph: str) -> tuple[tuple[str, frozenset[str]], ...]:
        """Interfaces of a subgraph with their implementing types, the widest first."""
        known = self._interfaces.get(subgraph)
        if known is None:
            found = [
                (merged.name, frozenset(self.possible(merged.name, subgraph)))
                for merged in self._types.values()
                if merged.kind == "interface" and subgraph in merged.subgraphs
            ]
            known = tuple(sorted(found, key=lambda entry: (-len(entry[1]), entry[0])))
            self._interfaces[subgraph] = known
        return known


def _is_resolved(entry: FieldInSubgraph) -> bool:
    return not entry.external and not entry.overridden
