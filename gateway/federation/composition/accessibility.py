"""Checks that what is left after `@inaccessible` is still a schema that clients can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import ConstValueNode, EnumValueNode, ListValueNode, ObjectValueNode, parse_const_value

from gateway.federation.composition.conflicts import Findings
from gateway.federation.composition.merged import MergedType, Supergraph
from gateway.federation.subgraph import InputValue, Kind, TypeRef, named_type


def check_accessibility(supergraph: Supergraph, findings: Findings) -> None:
    """Notes every public element that needs one which clients can not see."""
    _Check(supergraph, findings).run()


class _Check:
    def __init__(self, supergraph: Supergraph, findings: Findings) -> None:
        self._supergraph = supergraph
        self._types = supergraph.types
        self._findings = findings

    def run(self) -> None:
        for merged in self._types.values():
            if merged.markers.inaccessible:
                if merged.name == "Query":
                    self._note("QUERY_ROOT_TYPE_INACCESSIBLE", "Query itself is hidden.", "Query")
                continue
            self._check_children(merged)
            for field in merged.fields.values():
                if not field.markers.inaccessible:
                    at = f"{merged.name}.{field.name}"
                    self._check_reference(field.type, at)
                    self._check_inputs(field.arguments, at, "{at}({name}:)")
            inputs = {name: one.value for name, one in merged.input_fields.items()}
            self._check_inputs(inputs, merged.name, "{at}.{name}")
            for name in merged.interfaces:
                interface = self._types.get(name)
                # Absent when subgraphs do not agree on its kind, which is noted already.
                if interface is not None and not interface.markers.inaccessible:
                    self._check_implementation(merged, interface)

    def _check_children(self, merged: MergedType) -> None:
        hidden = [
            *(one.markers.inaccessible for one in merged.fields.values()),
            *(one.value.markers.inaccessible for one in merged.input_fields.values()),
            *(one.markers.inaccessible for one in merged.values.values()),
            *(self._is_hidden(name) for name in merged.union_members),
        ]
        if hidden and all(hidden):
            self._note(
                "ONLY_INACCESSIBLE_CHILDREN",
                f'"{merged.name}" is public, but all that it holds is hidden.',
                merged.name,
            )

    def _check_reference(self, ref: TypeRef, at: str) -> None:
        if self._is_hidden(named_type(ref)):
            self._note(
                "REFERENCED_INACCESSIBLE",
                f'"{at}" is public, but its type "{named_type(ref)}" is hidden.',
                at,
            )

    def _check_inputs(self, inputs: Mapping[str, InputValue], at: str, pattern: str) -> None:
        for name, value in inputs.items():
            place = pattern.format(at=at, name=name)
            if not value.markers.inaccessible:
                self._check_reference(value.type, place)
                self._check_default(value, place)
            elif value.is_required:
                self._note(
                    "REQUIRED_INACCESSIBLE",
                    f'"{place}" is hidden, but required by "{at}", which is public.',
                    place,
                )

    def _check_default(self, value: InputValue, at: str) -> None:
        if value.default is None:
            return
        for hidden in self._hidden_in(parse_const_value(value.default), value.type):
            self._note(
                "DEFAULT_VALUE_USES_INACCESSIBLE",
                f'The default of "{at}" uses "{hidden}", which is hidden.',
                at,
            )

    def _hidden_in(self, node: ConstValueNode, ref: TypeRef) -> Iterator[str]:
        merged = self._types.get(named_type(ref))
        match node:
            case ListValueNode():
                for item in node.values:
                    yield from self._hidden_in(item, ref)
            case EnumValueNode() if merged is not None and node.value in merged.values:
                if merged.values[node.value].markers.inaccessible:
                    yield f"{merged.name}.{node.value}"
            case ObjectValueNode() if merged is not None:
                for entry in node.fields:
                    field = merged.input_fields.get(entry.name.value)
                    if field is None:
                        continue
                    if field.value.markers.inaccessible:
                        yield f"{merged.name}.{entry.name.value}"
                    yield from self._hidden_in(entry.value, field.value.type)
            case _:
                return

    def _check_implementation(self, merged: MergedType, interface: MergedType) -> None:
        for name, promised in interface.fields.items():
            field = merged.fields.get(name)
            if field is None or promised.markers.inaccessible:
                continue
            at = f"{merged.name}.{name}"
            if field.markers.inaccessible:
                self._note(
                    "IMPLEMENTED_BY_INACCESSIBLE",
                    f'"{at}" is hidden, but "{interface.name}.{name}", which it implements,'
                    " is public.",
                    at,
                )
            for argument, value in field.arguments.items():
                wanted = promised.arguments.get(argument)
                if wanted and value.markers.inaccessible and not wanted.markers.inaccessible:
                    self._note(
                        "IMPLEMENTED_BY_INACCESSIBLE",
                        f'Argument "{argument}" of "{at}" is hidden, but public on'
                        f' "{interface.name}.{name}", which it implements.',
                        f"{at}({argument}:)",
                    )

    def _is_hidden(self, name: str) -> bool:
        merged = self._types.get(name)
        return merged is not None and merged.markers.inaccessible

    def _note(self, code: str, message: str, at: str) -> None:
        type_name, _, rest = at.partition(".")
        field = rest.split("(")[0]
        self._findings.conflict(code, message, subgraphs=self._concerned(type_name, field), at=at)

    def _concerned(self, type_name: str, field: str) -> list[str]:
        """Subgraphs that declare the type, and the field if there is one."""
        return [
            subgraph.name
            for subgraph in self._supergraph.subgraphs
            if (declared := subgraph.types.get(type_name)) is not None
            and (not field or declared.kind is Kind.INPUT_OBJECT or field in declared.fields)
        ]
