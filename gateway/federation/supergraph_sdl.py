"""Reads the join directives of a supergraph document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse_type,
    value_from_ast_untyped,
)

from gateway.federation.linked_specs import names_of_element
from gateway.federation.merged_types import (
    EntityKey,
    FieldInSubgraph,
    FieldOfType,
    MergedType,
    TypeInSubgraph,
)

Arguments = dict[str, Any]


def applied(node: Any, directive: str) -> Iterator[Arguments]:
    """The arguments of every application of a directive on a node, in order."""
    directives: Iterable[ConstDirectiveNode] = node.directives or ()
    for application in directives:
        if application.name.value == directive:
            yield {
                argument.name.value: value_from_ast_untyped(argument.value)
                for argument in application.arguments or ()
            }


def refuse_unserved(document: DocumentNode) -> None:
    """Nothing, when every field is asked for as this engine does.

    Raises:
        ValueError: a field that a connector answers, or that takes arguments from a context; or
            a supergraph of Federation 1, which says otherwise who answers what.
    """
    for definition in document.definitions:
        if isinstance(definition, DirectiveDefinitionNode):
            if definition.name.value == "join__owner":
                raise ValueError(
                    "The SDL is a supergraph of Federation 1 (it has @join__owner), which is not"
                    " supported; compose its subgraphs anew."
                )
            continue
        if not isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            continue
        name = definition.name.value
        _refuse_connectors(definition, name)
        for field in definition.fields or ():
            at = f"{name}.{field.name.value}"
            _refuse_connectors(field, at)
            for join in applied(field, "join__field"):
                if join.get("contextArguments"):
                    raise ValueError(
                        f"{at} takes arguments from a context in subgraph {join.get('graph')}"
                        " (@fromContext), which is not supported."
                    )


def _refuse_connectors(node: Any, at: str) -> None:
    for arguments in applied(node, "join__directive"):
        if str(arguments.get("name")).removeprefix("connect__") == "connect":
            graphs = arguments.get("graphs") or ()
            raise ValueError(
                f"{at} is answered by a connector in subgraph {', '.join(map(str, graphs))}"
                " (@connect), which is not supported."
            )


def read_subgraphs(document: DocumentNode) -> dict[str, tuple[str, str]]:
    """Name and URL of every subgraph, by its value in `join__Graph`.

    Raises:
        ValueError: the document has no `join__Graph`, so it is no supergraph.
    """
    for definition in document.definitions:
        if isinstance(definition, EnumTypeDefinitionNode) and definition.name.value == (
            "join__Graph"
        ):
            return {
                value.name.value: (graph["name"], graph.get("url", ""))
                for value in definition.values or ()
                for graph in applied(value, "join__graph")
            }
    raise ValueError("The SDL has no enum join__Graph: it is not a supergraph.")


def read_types(document: DocumentNode) -> dict[str, MergedType]:
    """Every type of the supergraph by name, federation's own types included."""
    names = {value: name for value, (name, _) in read_subgraphs(document).items()}
    hidden = names_of_element(document, spec="inaccessible", element="inaccessible")
    types = {
        definition.name.value: _read_type(definition, names, hidden)
        for definition in document.definitions
        if isinstance(definition, TypeDefinitionNode)
    }
    for definition in document.definitions:
        if isinstance(definition, UnionTypeDefinitionNode):
            union = types[definition.name.value]
            if not union.members:
                types[union.name] = replace(union, members=_common_members(definition, types))
    return types


def _common_members(
    definition: UnionTypeDefinitionNode, types: dict[str, MergedType]
) -> dict[str, frozenset[str]]:
    """Every member wherever its type is: before v0.3, join did not tell which are where."""
    members = [types[member.name.value] for member in definition.types or ()]
    return {
        subgraph: frozenset(one.name for one in members if subgraph in one.subgraphs)
        for subgraph in types[definition.name.value].subgraphs
    }


def _read_type(
    definition: TypeDefinitionNode, names: dict[str, str], hidden: frozenset[str]
) -> MergedType:
    keys: dict[str, list[EntityKey]] = {}
    interface_objects: set[str] = set()
    for arguments in applied(definition, "join__type"):
        subgraph = names[arguments["graph"]]
        keys.setdefault(subgraph, [])
        if arguments.get("key"):
            key = EntityKey(arguments["key"], resolvable=arguments.get("resolvable", True))
            keys[subgraph].append(key)
        if arguments.get("isInterfaceObject"):
            interface_objects.add(subgraph)
    return MergedType(
        name=definition.name.value,
        kind=_kind(definition),
        subgraphs={
            subgraph: TypeInSubgraph(tuple(found), subgraph in interface_objects)
            for subgraph, found in keys.items()
        },
        fields=_read_fields(definition, names, tuple(keys)),
        implements=_grouped(definition, "join__implements", "interface", names),
        members=_grouped(definition, "join__unionMember", "member", names),
        values=_read_values(definition, names),
        inaccessible=any(d.name.value in hidden for d in definition.directives or ()),
    )


def _kind(definition: TypeDefinitionNode) -> str:
    if isinstance(definition, ObjectTypeDefinitionNode):
        return "object"
    if isinstance(definition, InterfaceTypeDefinitionNode):
        return "interface"
    return "union" if isinstance(definition, UnionTypeDefinitionNode) else "leaf"


def _read_fields(
    definition: TypeDefinitionNode, names: dict[str, str], subgraphs: tuple[str, ...]
) -> dict[str, FieldOfType]:
    if not isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        return {}
    fields: dict[str, FieldOfType] = {}
    for node in definition.fields or ():
        fields[node.name.value] = FieldOfType(
            name=node.name.value,
            type=node.type,
            subgraphs=_field_in_subgraphs(node, names, subgraphs),
        )
    return fields


def _field_in_subgraphs(
    node: FieldDefinitionNode, names: dict[str, str], subgraphs: tuple[str, ...]
) -> dict[str, FieldInSubgraph]:
    joins = list(applied(node, "join__field"))
    if not joins:
        return {subgraph: FieldInSubgraph() for subgraph in subgraphs}
    takers = [join for join in joins if join.get("override")]
    taken_over = {join["override"] for join in takers if not join.get("overrideLabel")}
    labels = {join["override"]: join.get("overrideLabel") for join in takers}
    found: dict[str, FieldInSubgraph] = {}
    for join in joins:
        if not join.get("graph"):
            continue
        subgraph = names[join["graph"]]
        label = join.get("overrideLabel") or labels.get(subgraph)
        found[subgraph] = FieldInSubgraph(
            requires=join.get("requires") or None,
            provides=join.get("provides") or None,
            external=bool(join.get("external")),
            overridden=subgraph in taken_over or (bool(join.get("usedOverridden")) and not label),
            label=label,
            answers_with_label=bool(join.get("override")),
            type=parse_type(join["type"], no_location=True) if join.get("type") else None,
        )
    return found


def _grouped(
    definition: TypeDefinitionNode, directive: str, argument: str, names: dict[str, str]
) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for arguments in applied(definition, directive):
        found.setdefault(names[arguments["graph"]], set()).add(arguments[argument])
    return {subgraph: frozenset(values) for subgraph, values in found.items()}


def _read_values(
    definition: TypeDefinitionNode, names: dict[str, str]
) -> dict[str, frozenset[str]]:
    if not isinstance(definition, EnumTypeDefinitionNode):
        return {}
    found: dict[str, set[str]] = {}
    for value in definition.values or ():
        for arguments in applied(value, "join__enumValue"):
            found.setdefault(names[arguments["graph"]], set()).add(value.name.value)
    return {subgraph: frozenset(values) for subgraph, values in found.items()}
