"""A supergraph as join-specification SDL, the same text for the same subgraphs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from graphql.language.block_string import is_printable_as_block_string, print_block_string

from gateway.federation.composition.machinery import Machinery, find_machinery
from gateway.federation.composition.merged import (
    FieldOwner,
    MergedField,
    MergedInputField,
    MergedType,
    MergedValue,
    Supergraph,
    TypeOwner,
)
from gateway.federation.composition.retained import Retained
from gateway.federation.composition.sources import graph_values
from gateway.federation.subgraph import InputValue, Kind, Markers, ScopeSets

_WORDS = {
    Kind.OBJECT: "type",
    Kind.INTERFACE: "interface",
    Kind.UNION: "union",
    Kind.ENUM: "enum",
    Kind.SCALAR: "scalar",
    Kind.INPUT_OBJECT: "input",
}


def print_supergraph(supergraph: Supergraph, retained: Retained) -> str:
    """The SDL: the schema with its links, directives, then all types by name."""
    machinery = find_machinery(supergraph, retained)
    printer = _Printer(supergraph, machinery)
    blocks = [
        printer.schema(),
        *(f"directive {definition}" for definition in machinery.directives),
        *(f"scalar {name}" for name in machinery.scalars),
        printer.graphs(),
        machinery.link_purpose,
        *(printer.type(merged) for merged in supergraph.types.values()),
    ]
    return "\n\n".join(blocks) + "\n"


class _Printer:
    def __init__(self, supergraph: Supergraph, machinery: Machinery) -> None:
        self._supergraph = supergraph
        self._machinery = machinery
        self._graphs = graph_values([one.name for one in supergraph.subgraphs])

    def schema(self) -> str:
        roots = [
            f"  {word}: {name}"
            for word, name in (
                ("query", "Query"),
                ("mutation", "Mutation"),
                ("subscription", "Subscription"),
            )
            if name in self._supergraph.types
        ]
        links = [f"  {link}" for link in self._machinery.links]
        return "\n".join(["schema", *links, "{", *roots, "}"])

    def graphs(self) -> str:
        lines = [
            f"  {self._graphs[one.name]}"
            f" @join__graph(name: {_text(one.name)}, url: {_text(one.url)})"
            for one in self._supergraph.subgraphs
        ]
        return "\n".join(["enum join__Graph {", *lines, "}"])

    def type(self, merged: MergedType) -> str:
        interfaces = " & ".join(merged.interfaces)
        head = f"{_WORDS[merged.kind]} {merged.name}"
        if interfaces:
            head += f" implements {interfaces}"
        lines = [*_description(merged.description, ""), head]
        lines += [f"  {one}" for one in self._type_directives(merged)]
        match merged.kind:
            case Kind.UNION:
                lines.append(f"  = {' | '.join(merged.union_members)}")
            case Kind.SCALAR:
                pass
            case _:
                lines += ["{", *self._body(merged), "}"]
        return "\n".join(lines)

    def _type_directives(self, merged: MergedType) -> list[str]:
        return [
            *(self._type_owner(owner) for owner in merged.owners),
            *(
                f"@join__implements(graph: {self._graphs[subgraph]}, interface: {_text(name)})"
                for subgraph, name in merged.implements
            ),
            *(
                f"@join__unionMember(graph: {self._graphs[subgraph]}, member: {_text(name)})"
                for subgraph, name in merged.members
            ),
            *_markers(merged.markers),
        ]

    def _type_owner(self, owner: TypeOwner) -> str:
        return _directive(
            "join__type",
            {
                "graph": self._graphs[owner.subgraph],
                "key": None if owner.key is None else _text(owner.key),
                "extension": "true" if owner.extension else None,
                "resolvable": None if owner.resolvable else "false",
                "isInterfaceObject": "true" if owner.is_interface_object else None,
            },
        )

    def _body(self, merged: MergedType) -> list[str]:
        lines: list[str] = []
        for field in merged.fields.values():
            lines += self._field(field)
        for input_field in merged.input_fields.values():
            lines += self._input_field(input_field)
        for value in merged.values.values():
            lines += self._value(value)
        return lines

    def _field(self, field: MergedField) -> list[str]:
        owners = [self._field_owner(owner) for owner in field.owners]
        parts = [
            f"{field.name}{_arguments(field.arguments)}: {field.type}",
            *owners,
            *_markers(field.markers),
        ]
        return [*_description(field.description, "  "), "  " + " ".join(parts)]

    def _input_field(self, field: MergedInputField) -> list[str]:
        owners = [self._field_owner(owner) for owner in field.owners]
        parts = [_input_value(field.value), *owners, *_markers(field.value.markers)]
        return [*_description(field.value.description, "  "), "  " + " ".join(parts)]

    def _value(self, value: MergedValue) -> list[str]:
        owners = [
            f"@join__enumValue(graph: {self._graphs[subgraph]})" for subgraph in value.subgraphs
        ]
        line = "  " + " ".join([value.name, *owners, *_markers(value.markers)])
        return [*_description(value.description, "  "), line]

    def _field_owner(self, owner: FieldOwner) -> str:
        return _directive(
            "join__field",
            {
                "graph": None if owner.subgraph is None else self._graphs[owner.subgraph],
                "requires": _optional_text(owner.requires),
                "provides": _optional_text(owner.provides),
                "type": _optional_text(owner.type),
                "external": "true" if owner.external else None,
                "override": _optional_text(owner.override),
                "usedOverridden": "true" if owner.used_overridden else None,
                "overrideLabel": _optional_text(owner.override_label),
            },
        )


def _directive(name: str, arguments: Mapping[str, str | None]) -> str:
    given = ", ".join(f"{key}: {value}" for key, value in arguments.items() if value is not None)
    return f"@{name}({given})" if given else f"@{name}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _optional_text(value: str | None) -> str | None:
    return None if value is None else _text(value)


def _description(description: str | None, indent: str) -> list[str]:
    if description is None:
        return []
    if "\n" not in description or not is_printable_as_block_string(description):
        return [indent + _text(description)]
    block = print_block_string(description)
    return [indent + line if line else "" for line in block.split("\n")]


def _arguments(arguments: Mapping[str, InputValue]) -> str:
    if not arguments:
        return ""
    printed = []
    for one in arguments.values():
        described = f"{_text(one.description)} " if one.description is not None else ""
        printed.append(described + " ".join([_input_value(one), *_markers(one.markers)]))
    return f"({', '.join(printed)})"


def _input_value(value: InputValue) -> str:
    default = f" = {value.default}" if value.default is not None else ""
    return f"{value.name}: {value.type}{default}"


def _markers(markers: Markers) -> Iterable[str]:
    if markers.inaccessible:
        yield "@inaccessible"
    for tag in markers.tags:
        yield f"@tag(name: {_text(tag)})"
    if markers.authenticated:
        yield "@authenticated"
    if markers.scopes is not None:
        yield f"@requiresScopes(scopes: {_sets(markers.scopes)})"
    if markers.policies is not None:
        yield f"@policy(policies: {_sets(markers.policies)})"
    for applied in markers.applied:
        yield applied.text
    if markers.one_of:
        yield "@oneOf"
    if markers.specified_by is not None:
        yield f"@specifiedBy(url: {_text(markers.specified_by)})"
    if markers.deprecated is not None:
        reason = markers.deprecated
        default = reason == "No longer supported"
        yield "@deprecated" if default else f"@deprecated(reason: {_text(reason)})"


def _sets(sets: ScopeSets) -> str:
    return json.dumps([list(one) for one in sets], ensure_ascii=False)
