"""The merged schema, and what each subgraph owns of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from graphql import (
    DocumentNode,
    GraphQLSchema,
    OperationType,
    SchemaDefinitionNode,
    parse,
)

from gateway.federation.merged_types import MergedType
from gateway.federation.public_schema import AccessRule, access_rules, derive_public_schema
from gateway.federation.supergraph_sdl import read_subgraphs, read_types, refuse_unserved


class Supergraph:
    """A supergraph document, read once; never changes after."""

    def __init__(self, document: DocumentNode) -> None:
        refuse_unserved(document)
        self.document = document
        self.subgraphs: Mapping[str, str] = dict(read_subgraphs(document).values())
        self.types: Mapping[str, MergedType] = read_types(document)
        self._access = access_rules(document)

    @classmethod
    def parse(cls, sdl: str) -> Supergraph:
        """The supergraph that an SDL describes.

        Raises:
            GraphQLSyntaxError: the SDL is not GraphQL.
            ValueError: it is GraphQL, but no supergraph, or has fields that can not be asked for.
        """
        return cls(parse(sdl, no_location=True))

    @cached_property
    def public_schema(self) -> GraphQLSchema:
        """The schema clients see: no federation parts, nothing inaccessible."""
        return derive_public_schema(self.document)

    @cached_property
    def override_labels(self) -> frozenset[str]:
        """Every label on which it depends which subgraph answers some field."""
        return frozenset(
            entry.label
            for merged in self.types.values()
            for field in merged.fields.values()
            for entry in field.subgraphs.values()
            if entry.label is not None
        )

    @cached_property
    def root_types(self) -> Mapping[str, str]:
        """Type name by operation kind."""
        for definition in self.document.definitions:
            if isinstance(definition, SchemaDefinitionNode):
                return {
                    root.operation.value: root.type.name.value
                    for root in definition.operation_types
                }
        defaults = {kind.value: kind.value.capitalize() for kind in OperationType}
        return {kind: name for kind, name in defaults.items() if name in self.types}

    def scopes(self, type_name: str, field_name: str | None = None) -> AccessRule:
        """Who may see a type (without `field_name`) or one of its fields.

        The rules of a field's own coordinate only: the caller joins those of its parent type and
        of the type it returns.
        """
        coordinate = type_name if field_name is None else f"{type_name}.{field_name}"
        return self._access.get(coordinate, AccessRule())
