"""Describes how the public answer is shaped from the merged data."""

from __future__ import annotations

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from gateway.federation.graph import Graph
from gateway.federation.plan import ProjectedField, Projection, TypeShape
from gateway.federation.planner.assembling import Places
from gateway.federation.planner.drafts import Place
from gateway.federation.planner.interface_objects import fields_for_all
from gateway.federation.selections import Field, Selection

_TYPENAME = TypeShape(nullable=False, name="String")


class Projector:
    """Makes projections, and thereby gives client fields their keys in the merged data."""

    def __init__(self, graph: Graph, places: Places) -> None:
        self._graph = graph
        self._schema: GraphQLSchema = graph.supergraph.public_schema
        self._places = places
        self._shapes: dict[GraphQLOutputType, TypeShape] = {}
        self._known: dict[tuple[str, int, int], Projection] = {}

    def projection(self, type_name: str, selection: Selection, place: Place) -> Projection:
        """How objects of a place are shaped for one selection."""
        identity = (type_name, id(selection), id(place))
        known = self._known.get(identity)
        if known is not None:
            return known
        declared = self._schema.type_map[type_name]
        possible = (
            [found.name for found in self._schema.get_possible_types(declared)]
            if is_abstract_type(declared)
            else [type_name]
        )
        fields_by_type = {
            name: tuple(self._field(name, field, place) for field in selection.fields(name))
            for name in possible
        }
        if type_name in self._graph.interface_objects:
            # Objects whose type nobody had to find out still carry the interface's name.
            fields_by_type[type_name] = tuple(
                self._field(type_name, field, place)
                for field in fields_for_all(self._graph, type_name, selection)
            )
        made = Projection(declared=type_name, fields_by_type=fields_by_type)
        self._known[identity] = made
        return made

    def _field(self, type_name: str, field: Field, place: Place) -> ProjectedField:
        if field.name == "__typename":
            return ProjectedField(field.response_key, "__typename", "__typename", _TYPENAME)
        if field.name in ("__schema", "__type"):
            shape = TypeShape(
                nullable=field.name == "__type", name=f"__{field.name[2:].capitalize()}"
            )
            return ProjectedField(field.response_key, field.response_key, field.name, shape)
        public = self._schema.type_map[type_name].fields[field.name].type  # type: ignore[attr-defined]
        source = self._places.key(place, type_name, field)
        below = None
        if field.selection is not None and is_composite_type(get_named_type(public)):
            below = self.projection(
                get_named_type(public).name,
                field.selection,
                self._places.below(place, type_name, field),
            )
        return ProjectedField(field.response_key, source, field.name, self._shape(public), below)

    def _shape(self, public: GraphQLOutputType) -> TypeShape:
        known = self._shapes.get(public)
        if known is None:
            known = self._shapes[public] = _type_shape(public)
        return known


def _type_shape(public: GraphQLOutputType) -> TypeShape:
    if isinstance(public, GraphQLNonNull):
        inner = _type_shape(public.of_type)
        return TypeShape(nullable=False, item=inner.item, name=inner.name)
    if isinstance(public, GraphQLList):
        return TypeShape(nullable=True, item=_type_shape(public.of_type))
    return TypeShape(nullable=True, name=get_named_type(public).name)
