"""Brings a subgraph's document to one shape: no extensions, usual root names, no machinery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldDefinitionNode,
    GraphQLError,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    NamedTypeNode,
    NameNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    Visitor,
    build_ast_schema,
    parse,
    validate_schema,
    visit,
)
from graphql.validation.validate import validate_sdl

from gateway.federation.links import Names, is_machinery

_DEFINITION_BY_EXTENSION: dict[type[TypeExtensionNode], type[TypeDefinitionNode]] = {
    ObjectTypeExtensionNode: ObjectTypeDefinitionNode,
    InterfaceTypeExtensionNode: InterfaceTypeDefinitionNode,
    UnionTypeExtensionNode: UnionTypeDefinitionNode,
    EnumTypeExtensionNode: EnumTypeDefinitionNode,
    InputObjectTypeExtensionNode: InputObjectTypeDefinitionNode,
    ScalarTypeExtensionNode: ScalarTypeDefinitionNode,
}
_LISTS = ("directives", "interfaces", "fields", "values", "types")

_EVERYWHERE = (
    "SCHEMA | SCALAR | OBJECT | FIELD_DEFINITION | ARGUMENT_DEFINITION | INTERFACE | UNION"
    " | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)
# Wider than the federation's own where the meaning is known that tells what is wrong there.
_GUARDED = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
_PLACES = {
    "key": "OBJECT | INTERFACE",
    "requires": "FIELD_DEFINITION",
    "provides": "FIELD_DEFINITION",
    "external": "OBJECT | INTERFACE | FIELD_DEFINITION",
    "shareable": "OBJECT | INTERFACE | FIELD_DEFINITION",
    "override": "FIELD_DEFINITION",
    "interfaceObject": "OBJECT | INTERFACE",
    "authenticated": _GUARDED,
    "requiresScopes": _GUARDED,
    "policy": _GUARDED,
}
_ARGUMENTS = {
    "key": "(fields: _FieldSet!, resolvable: Boolean = true)",
    "requires": "(fields: _FieldSet!)",
    "provides": "(fields: _FieldSet!)",
    "external": "(reason: String)",
    "override": "(from: String!, label: String)",
    "tag": "(name: String!)",
    "requiresScopes": "(scopes: [[_FieldSet!]!]!)",
    "policy": "(policies: [[_FieldSet!]!]!)",
    "composeDirective": "(name: String!)",
    "cost": "(weight: Int!)",
    "listSize": "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
    " requireOneSlicingArgument: Boolean = true)",
    "cacheTag": "(format: String!)",
}
_REPEATABLE = frozenset({"key", "tag", "composeDirective", "cacheTag"})


@dataclass(frozen=True, slots=True)
class NormalDocument:
    """A document of definitions only, and the types that were only extended in it."""

    document: DocumentNode
    extended: frozenset[str]


def normalise_document(document: DocumentNode, names: Names) -> NormalDocument:
    """The document with extensions merged in, roots renamed and machinery left out."""
    renamed = _rename_roots(document)
    definitions: dict[str, list[TypeDefinitionNode]] = {}
    extensions: dict[str, list[TypeExtensionNode]] = {}
    others: list[DefinitionNode] = []
    for node in renamed.definitions:
        match node:
            case TypeDefinitionNode():
                definitions.setdefault(node.name.value, []).append(node)
            case TypeExtensionNode():
                extensions.setdefault(node.name.value, []).append(node)
            case SchemaDefinitionNode() | SchemaExtensionNode():
                continue
            case DirectiveDefinitionNode():
                if node.name.value not in (*names.meaning_by_directive, "link", "core"):
                    others.append(node)
            case _:
                others.append(node)
    types: list[Any] = []
    for name in dict.fromkeys([*definitions, *extensions]):
        if is_machinery(name, names.links):
            continue
        merged = _merge(definitions.get(name, []), extensions.get(name, []))
        types.extend(_without_service(one) for one in merged)
    extended = frozenset(extensions.keys() - definitions.keys())
    return NormalDocument(DocumentNode(definitions=(*types, *others)), extended)


def misused_root_names(document: DocumentNode) -> list[tuple[str, str]]:
    """Pairs of a usual root name that another type bears, and the root's actual name."""
    declared = {
        node.name.value for node in document.definitions if isinstance(node, TypeDefinitionNode)
    }
    return [(usual, name) for name, usual in _renamed_roots(document).items() if usual in declared]


def _renamed_roots(document: DocumentNode) -> dict[str, str]:
    usual = {}
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            for root in definition.operation_types or ():
                usual[root.type.name.value] = root.operation.value.capitalize()
    return {name: root for name, root in usual.items() if name != root}


def _rename_roots(document: DocumentNode) -> DocumentNode:
    usual = _renamed_roots(document)
    if not usual:
        return document

    class Rename(Visitor):
        def enter_name(self, node: NameNode, _key: Any, parent: Any, *_: Any) -> NameNode | None:
            is_type = isinstance(parent, NamedTypeNode | TypeDefinitionNode | TypeExtensionNode)
            if is_type and node.value in usual:
                return NameNode(value=usual[node.value], loc=node.loc)
            return None

    renamed: DocumentNode = visit(document, Rename())
    return renamed


def _merge(
    definitions: list[TypeDefinitionNode], extensions: list[TypeExtensionNode]
) -> list[TypeDefinitionNode]:
    if not extensions:
        return definitions
    if definitions:
        first, *rest = definitions
        kind = type(first)
        parts: list[Any] = [first]
    else:
        rest = []
        kind = _DEFINITION_BY_EXTENSION[type(extensions[0])]
        parts = []
    fitting = [one for one in extensions if _DEFINITION_BY_EXTENSION[type(one)] is kind]
    parts.extend(fitting)
    lists = {
        name: tuple(item for part in parts for item in getattr(part, name, None) or ())
        for name in _LISTS
        if name in kind.keys
    }
    merged = kind(
        name=parts[0].name,
        description=getattr(parts[0], "description", None),
        loc=parts[0].loc,
        **lists,
    )
    # An extension of another kind becomes a namesake, for the validation to object to.
    unfit = [_empty(one) for one in extensions if one not in fitting]
    return [merged, *rest, *unfit]


def _empty(extension: TypeExtensionNode) -> TypeDefinitionNode:
    kind = _DEFINITION_BY_EXTENSION[type(extension)]
    lists: dict[str, Any] = {name: () for name in _LISTS if name in kind.keys}
    return kind(name=extension.name, loc=extension.loc, **lists)


def _without_service(node: TypeDefinitionNode) -> TypeDefinitionNode:
    if not isinstance(node, ObjectTypeDefinitionNode) or node.name.value != "Query":
        return node
    fields: tuple[FieldDefinitionNode, ...] = tuple(
        one for one in node.fields or () if one.name.value not in ("_service", "_entities")
    )
    return ObjectTypeDefinitionNode(
        name=node.name,
        description=node.description,
        interfaces=node.interfaces,
        directives=node.directives,
        fields=fields,
        loc=node.loc,
    )


def schema_faults(document: DocumentNode, names: Names) -> tuple[GraphQLError, ...]:
    """Every way in which the document is not a valid GraphQL schema."""
    complete = DocumentNode(
        definitions=(*_checkable(document), *_machinery(names, _has_query(document)).definitions)
    )
    faults = validate_sdl(complete)
    if faults:
        return tuple(faults)
    try:
        schema = build_ast_schema(without_deprecations(complete), assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        return (error if isinstance(error, GraphQLError) else GraphQLError(str(error)),)
    return tuple(validate_schema(schema))


def without_deprecations(document: DocumentNode) -> DocumentNode:
    """The document where no field is deprecated.

    GraphQL came to forbid that a field is deprecated which its interface's is not. Federation
    allows it, and graphs in use have it.
    """

    class Undeprecate(Visitor):
        def enter_field_definition(
            self, node: FieldDefinitionNode, *_: Any
        ) -> FieldDefinitionNode | None:
            kept = tuple(d for d in node.directives or () if d.name.value != "deprecated")
            if len(kept) == len(node.directives or ()):
                return None
            return FieldDefinitionNode(
                name=node.name,
                type=node.type,
                arguments=node.arguments,
                directives=kept,
                loc=node.loc,
            )

    undeprecated: DocumentNode = visit(document, Undeprecate())
    return undeprecated


def _has_query(document: DocumentNode) -> bool:
    return any(
        isinstance(node, ObjectTypeDefinitionNode) and node.name.value == "Query" and node.fields
        for node in document.definitions
    )


def _checkable(document: DocumentNode) -> tuple[Any, ...]:
    """Definitions without root types that have no field left, which subgraphs may declare."""
    return tuple(
        node
        for node in document.definitions
        if not (
            isinstance(node, ObjectTypeDefinitionNode)
            and node.name.value in ("Query", "Mutation", "Subscription")
            and not node.fields
        )
    )


def _machinery(names: Names, has_query: bool) -> DocumentNode:
    lines = ["scalar _FieldSet"]
    if not has_query:
        lines.append("type Query { _service: String }")
    for used, meaning in sorted(names.meaning_by_directive.items()):
        repeatable = " repeatable" if meaning in _REPEATABLE else ""
        places = _EVERYWHERE if names.is_federation_1 else _PLACES.get(meaning, _EVERYWHERE)
        lines.append(f"directive @{used}{_ARGUMENTS.get(meaning, '')}{repeatable} on {places}")
    return parse("\n".join(lines), no_location=True)
