"""Tells what is wanted of every type of an interface object from what only some types need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.federation.graph import Graph
from gateway.federation.selections import Field, Selection


@dataclass(frozen=True, slots=True)
class WantedOfInterface:
    """A selection on an interface object, taken apart.

    Attributes:
        for_all: fields that can be asked without knowing the object type.
        for_some: fields by object type, for types that must be told apart first; empty when
            none must.
    """

    for_all: tuple[Field, ...]
    for_some: Mapping[str, tuple[Field, ...]]


def fields_for_all(graph: Graph, interface: str, selection: Selection) -> tuple[Field, ...]:
    """The fields that a selection wants alike of all object types of an interface object."""
    types = graph.interface_objects.get(interface, ())
    if not types:
        return selection.fields(interface)
    first, *others = types
    wanted = [{_identity(field) for field in selection.fields(name)} for name in others]
    return tuple(
        field
        for field in selection.fields(first)
        if (field.name == "__typename" or graph.is_had_as_interface(interface, field.name))
        and all(_identity(field) in fields for fields in wanted)
    )


def split_by_type(
    graph: Graph, interface: str, subgraph: str, selection: Selection
) -> WantedOfInterface:
    """What a selection wants of an interface object that stands in one subgraph."""
    if selection.only_types is not None and interface in selection.only_types:
        return WantedOfInterface(selection.fields(interface), {})
    for_all = [
        field for field in fields_for_all(graph, interface, selection) if field.name != "__typename"
    ]
    known = {_identity(field) for field in for_all}
    for_some: dict[str, tuple[Field, ...]] = {}
    for name in graph.interface_objects.get(interface, ()):
        specific: list[Field] = []
        for field in selection.fields(name):
            if _identity(field) in known:
                continue
            # Nobody else resolves it, and it is at hand: asking it of all saves a request.
            if not graph.owners(name, field.name) and graph.resolves(
                interface, subgraph, field.name, ()
            ):
                for_all.append(field)
                known.add(_identity(field))
            else:
                specific.append(field)
        for_some[name] = tuple(specific)
    if all(not _differs(selection.fields(name), for_all) for name in for_some):
        return WantedOfInterface(tuple(for_all), {})
    return WantedOfInterface(tuple(for_all), for_some)


def _identity(field: Field) -> tuple[str, str, str, int]:
    return field.response_key, field.name, field.arguments, id(field.selection)


def _differs(fields: tuple[Field, ...], for_all: list[Field]) -> bool:
    """Whether a type wants not all that is asked of all, so that its name matters."""
    return {_identity(field) for field in fields} != {_identity(field) for field in for_all}
