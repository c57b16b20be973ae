"""Subgraphs written out in a test, composed and served together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from gateway.assembly.engine import assemble_engine
from gateway.federation.composition import SubgraphSdl, compose
from gateway.federation.engine import Engine
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest
from tests.federation.composition.subgraphs import FEDERATION_2

DIRECTIVES = """
scalar FieldSet
scalar _Any
directive @key(fields: FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @shareable on FIELD_DEFINITION | OBJECT
directive @external on FIELD_DEFINITION
directive @requires(fields: FieldSet!) on FIELD_DEFINITION
directive @provides(fields: FieldSet!) on FIELD_DEFINITION
directive @override(from: String!, label: String) on FIELD_DEFINITION
directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | ENUM_VALUE
directive @inaccessible on FIELD_DEFINITION | OBJECT | ENUM_VALUE
directive @interfaceObject on OBJECT
"""


@dataclass
class Written:
    """A subgraph that answers from plain objects, and refuses what its schema does not allow.

    Attributes:
        root: values of root fields.
        entities: found by whatever a representation has in common with them.
        resolvers: by `Type.field`, of the object; what a representation brought is in it.
        asked: every document it got.
    """

    sdl: str
    root: Mapping[str, Any] = field(default_factory=dict)
    entities: Sequence[Mapping[str, Any]] = ()
    resolvers: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    federation_1: bool = False
    asked: list[str] = field(default_factory=list)

    def schema(self) -> GraphQLSchema:
        """What it runs: its types, and `_entities` for those with a key."""
        own = self.sdl.replace("extend type", "type")
        entities = [
            node.name.value
            for node in parse(own).definitions
            if isinstance(node, (ObjectTypeDefinitionNode, ObjectTypeExtensionNode))
            and any(one.name.value == "key" for one in node.directives or ())
        ]
        assert not any(
            isinstance(node, InterfaceTypeDefinitionNode) and node.name.value in entities
            for node in parse(own).definitions
        )
        if entities:
            own += f" union _Entity = {' | '.join(entities)}"
            query = "extend type Query" if "type Query" in own else "type Query"
            own += f" {query} {{ _entities(representations: [_Any!]!): [_Entity]! }}"
        return build_schema(DIRECTIVES + own, assume_valid=True)

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        """Its answer to a document that must be valid."""
        self.asked.append(request.document)
        schema, document = self.schema(), parse(request.document)
        assert validate(schema, document) == [], request.document
        result = execute_sync(
            schema,
            document,
            variable_values=dict(request.variables),
            field_resolver=self._resolved,
            type_resolver=lambda source, *_: source["__typename"],
        )
        assert result.errors is None, (request.document, result.errors)
        return SubgraphReply(result.data)

    def _resolved(self, source: Any, info: Any, **arguments: Any) -> Any:
        if info.field_name == "_entities":
            return [self._entity(given) for given in arguments["representations"]]
        resolver = self.resolvers.get(f"{info.parent_type.name}.{info.field_name}")
        if resolver is not None:
            return resolver(source, **arguments)
        return (self.root if source is None else source).get(info.field_name)

    def _entity(self, given: Mapping[str, Any]) -> Mapping[str, Any] | None:
        for entity in self.entities:
            same = given.keys() & entity.keys()
            if f"interface {given['__typename']} " in self.sdl:
                same -= {"__typename"}  # Whatever has the interface is meant.
            if all(entity[name] == given[name] for name in same):
                return {**given, **entity}
        return None


def engine_over(subgraphs: Mapping[str, Written]) -> Engine:
    """An engine over the composition of the subgraphs."""
    composition = compose(
        [
            SubgraphSdl(
                name, f"http://{name}", ("" if one.federation_1 else FEDERATION_2) + one.sdl
            )
            for name, one in subgraphs.items()
        ]
    )
    return assemble_engine(Supergraph.parse(composition.supergraph_sdl), subgraphs)
