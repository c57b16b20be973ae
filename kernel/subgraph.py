"""The one way to build a subgraph schema, and to run an operation on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig

from kernel.graphql import SCALARS, SHARED_REFUSALS, RefusalPayload, refusal_handlers
from kernel.plain_values import build_inputs_plainly, read_attributes_plainly
from kernel.refusals import Refusal


@dataclass(frozen=True, slots=True)
class SubgraphSchema:
    """One subgraph's schema.

    Attributes:
        name: its name in the supergraph.
        strawberry: the schema as Strawberry built it.
        executable: the same for graphql-core.
        sdl: its SDL with federation directives, as `_service { sdl }` gives it.
    """

    name: str
    strawberry: strawberry.federation.Schema
    executable: GraphQLSchema
    sdl: str


def build_subgraph(
    name: str,
    *,
    query: type,
    mutation: type | None,
    types: Sequence[type],
    refusals: dict[type[Refusal], type[RefusalPayload]],
    schema_directives: Iterable[object] = (),
) -> SubgraphSchema:
    """The subgraph schema of these root types.

    Args:
        types: object types that no field returns by name (entities, interface members).
        refusals: this subgraph's own refusals and the types that tell them; those of
            `kernel.graphql` are added.

    Extensions are left out: what a client may ask is limited once, in front of the gateway.
    """
    payload_by_refusal = {**SHARED_REFUSALS, **refusals}
    schema = strawberry.federation.Schema(
        query=query,
        mutation=mutation,
        types=[*types, *payload_by_refusal.values()],
        federation_version="2.5",
        config=StrawberryConfig(scalar_map=SCALARS),
        exception_handlers=refusal_handlers(payload_by_refusal),
        schema_directives=schema_directives,
    )
    executable = graphql_schema_of(schema)
    _leave_out_null_defaults(executable)
    read_attributes_plainly(executable)
    build_inputs_plainly(schema, executable)
    return SubgraphSchema(
        name=name,
        strawberry=schema,
        executable=executable,
        sdl=schema.as_str(),
    )


def graphql_schema_of(schema: Any) -> GraphQLSchema:
    """The graphql-core schema behind a Strawberry schema."""
    executable = schema._schema
    assert isinstance(executable, GraphQLSchema)
    return executable


def _leave_out_null_defaults(schema: GraphQLSchema) -> None:
    """Makes what may be left out say so by its type alone: `after: String`, not `= null`."""
    for named in schema.type_map.values():
        if isinstance(named, GraphQLInputObjectType):
            places: list[GraphQLArgument | GraphQLInputField] = list(named.fields.values())
        elif isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            places = [place for field in named.fields.values() for place in field.args.values()]
        else:
            continue
        for place in places:
            if place.default_value is None:
                place.default_value = Undefined
