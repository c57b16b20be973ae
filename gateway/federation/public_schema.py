"""Derives what clients may see from a supergraph document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    value_from_ast_untyped,
)

from gateway.federation.linked_specs import names_of_element, namespaces
from gateway.federation.merged_types import named_type

_KEPT_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf"})
_BUILT_IN_DIRECTIVES = _KEPT_DIRECTIVES | {"skip", "include"}
_EXECUTABLE = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may see a coordinate of the schema.

    Attributes:
        authenticated: only callers who are somebody.
        scopes: alternatives, each a set of scopes that are all needed; empty for no rule.
        policies: likewise for policies.
    """

    authenticated: bool = False
    scopes: tuple[frozenset[str], ...] = ()
    policies: tuple[frozenset[str], ...] = ()


def access_rules(document: DocumentNode) -> dict[str, AccessRule]:
    """The rules of every coordinate (`Type` or `Type.field`) that has any."""
    authenticated = names_of_element(document, spec="authenticated", element="authenticated")
    scopes = names_of_element(document, spec="requiresScopes", element="requiresScopes")
    policies = names_of_element(document, spec="policy", element="policy")
    found: dict[str, AccessRule] = {}
    for coordinate, node in _coordinates(document):
        rule = AccessRule(
            authenticated=any(d.name.value in authenticated for d in node.directives or ()),
            scopes=_alternatives(node, scopes, "scopes"),
            policies=_alternatives(node, policies, "policies"),
        )
        if rule != AccessRule():
            found[coordinate] = rule
    return found


def _coordinates(document: DocumentNode) -> Iterable[tuple[str, Any]]:
    for definition in document.definitions:
        if isinstance(definition, TypeDefinitionNode):
            yield definition.name.value, definition
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            for field in definition.fields or ():
                yield f"{definition.name.value}.{field.name.value}", field


def _alternatives(node: Any, names: frozenset[str], argument: str) -> tuple[frozenset[str], ...]:
    for directive in node.directives or ():
        if directive.name.value in names:
            for given in directive.arguments or ():
                if given.name.value == argument:
                    value = value_from_ast_untyped(given.value)
                    return tuple(frozenset(group) for group in value)
    return ()


def derive_public_schema(document: DocumentNode) -> GraphQLSchema:
    """The schema without federation parts and inaccessible elements.

    Whoever composed it has checked it, by rules of his own: what GraphQL came to forbid since, or
    forbids of a part that lost another, is no reason not to serve it.
    """
    return build_ast_schema(
        DocumentNode(definitions=tuple(_PublicView(document).definitions())),
        assume_valid=True,
    )


class _PublicView:
    """Copies definitions, leaving out what clients may not see."""

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._hidden = names_of_element(document, spec="inaccessible", element="inaccessible")
        self._namespaces = namespaces(document)
        self._types = {
            definition.name.value
            for definition in document.definitions
            if isinstance(definition, TypeDefinitionNode) and self._is_public_type(definition)
        } | {"Int", "Float", "String", "Boolean", "ID"}

    def definitions(self) -> Iterable[DefinitionNode]:
        for definition in self._document.definitions:
            if isinstance(definition, DirectiveDefinitionNode):
                if self._is_public_directive(definition):
                    yield definition
            elif isinstance(definition, TypeDefinitionNode):
                if definition.name.value in self._types:
                    yield self._type(definition)
            elif isinstance(definition, SchemaDefinitionNode):
                roots = tuple(
                    root
                    for root in definition.operation_types
                    if root.type.name.value in self._types
                )
                yield SchemaDefinitionNode(
                    description=definition.description, directives=(), operation_types=roots
                )
            elif not isinstance(definition, SchemaExtensionNode):
                yield definition

    def _is_public_type(self, definition: TypeDefinitionNode) -> bool:
        prefix, separator, _ = definition.name.value.partition("__")
        return not (separator and prefix in self._namespaces) and not self._is_hidden(definition)

    def _is_public_directive(self, definition: DirectiveDefinitionNode) -> bool:
        name = definition.name.value
        prefix, separator, _ = name.partition("__")
        if name in _BUILT_IN_DIRECTIVES or (separator and prefix in self._namespaces):
            return False
        locations = {location.value for location in definition.locations}
        return bool(locations & _EXECUTABLE)

    def _is_hidden(self, node: Any) -> bool:
        return any(directive.name.value in self._hidden for directive in node.directives or ())

    def _shown(self, nodes: Any) -> tuple[Any, ...]:
        return tuple(
            self._stripped(node)
            for node in nodes or ()
            if not self._is_hidden(node)
            and (not hasattr(node, "type") or named_type(node.type) in self._types)
        )

    def _stripped(self, node: Any) -> Any:
        changes: dict[str, Any] = {
            "directives": tuple(
                directive
                for directive in node.directives or ()
                if directive.name.value in _KEPT_DIRECTIVES
            )
        }
        if getattr(node, "arguments", None):
            changes["arguments"] = self._shown(node.arguments)
        return _with(node, changes)

    def _type(self, definition: TypeDefinitionNode) -> DefinitionNode:
        node = self._stripped(definition)
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            interfaces = tuple(
                name for name in definition.interfaces or () if name.name.value in self._types
            )
            node = _with(node, {"fields": self._shown(definition.fields), "interfaces": interfaces})
        elif isinstance(definition, InputObjectTypeDefinitionNode):
            node = _with(node, {"fields": self._shown(definition.fields)})
        elif isinstance(definition, UnionTypeDefinitionNode):
            members = tuple(
                member for member in definition.types or () if member.name.value in self._types
            )
            node = _with(node, {"types": members})
        elif isinstance(definition, EnumTypeDefinitionNode):
            node = _with(node, {"values": self._shown(definition.values)})
        else:
            assert isinstance(definition, ScalarTypeDefinitionNode)
        return node  # type: ignore[no-any-return]


def _with(node: Node, changes: dict[str, Any]) -> Any:
    values = {key: getattr(node, key) for key in node.keys if key != "loc"}
    return type(node)(**{**values, **changes})
