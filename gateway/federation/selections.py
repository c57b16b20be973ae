"""Selections of fields, looked at one runtime type at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    print_ast,
)

Matches = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field wanted from objects of one type.

    Attributes:
        response_key: key that whoever asked expects.
        arguments: printed, sorted by name, with parentheses; empty for none.
        variables: client variables that the arguments use.
        selection: None for leaves.
        nodes: what it was merged from.
    """

    response_key: str
    name: str
    arguments: str = ""
    variables: frozenset[str] = frozenset()
    selection: Selection | None = None
    nodes: tuple[FieldNode, ...] = ()

    def narrowed(self, fields_by_type: Mapping[str, tuple[Field, ...]]) -> Field:
        """The same field with only these selections below it."""
        return Field(
            self.response_key,
            self.name,
            self.arguments,
            self.variables,
            Selection(fields_by_type=fields_by_type),
        )


class Selection:
    """What is wanted from objects of one place, whatever their runtime type.

    Compared by identity: a reader hands out one object for the same selection sets.
    """

    __slots__ = ("_by_type", "_read", "only_types")

    def __init__(
        self,
        read: Callable[[str], tuple[Field, ...]] | None = None,
        *,
        fields_by_type: Mapping[str, tuple[Field, ...]] | None = None,
    ) -> None:
        self._read = read
        self._by_type: dict[str, tuple[Field, ...]] = dict(fields_by_type or {})
        self.only_types = None if fields_by_type is None else frozenset(fields_by_type)

    def fields(self, type_name: str) -> tuple[Field, ...]:
        """The fields wanted from objects of a type, merged by response key, in order."""
        found = self._by_type.get(type_name)
        if found is None:
            found = self._by_type[type_name] = self._read(type_name) if self._read else ()
        return found


class SelectionReader:
    """Merges selection sets the way execution does: fragments, type conditions, skip, include.

    Args:
        matches: whether objects of a type satisfy a type condition.
        fragments: by name.
        variables: values of those that decide `@skip` and `@include`.
    """

    def __init__(
        self,
        matches: Matches,
        fragments: Mapping[str, FragmentDefinitionNode] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        self._matches = matches
        self._fragments = fragments or {}
        self._variables = variables or {}
        self._selections: dict[tuple[int, ...], tuple[Selection, Any]] = {}

    def selection(self, sets: Iterable[SelectionSetNode]) -> Selection:
        """The selection that these sets make together; one object for the same sets."""
        nodes = tuple(sets)
        identity = tuple(id(node) for node in nodes)
        known = self._selections.get(identity)
        if known is None:
            selection = Selection(lambda type_name: self._fields(nodes, type_name))
            known = self._selections[identity] = (selection, nodes)
        return known[0]

    def _fields(self, sets: tuple[SelectionSetNode, ...], type_name: str) -> tuple[Field, ...]:
        collected: dict[str, list[FieldNode]] = {}
        for node in sets:
            self._collect(node, type_name, collected, set())
        return tuple(self._field(key, nodes) for key, nodes in collected.items())

    def _collect(
        self,
        node: SelectionSetNode,
        type_name: str,
        collected: dict[str, list[FieldNode]],
        spread: set[str],
    ) -> None:
        for selection in node.selections:
            if not self._is_included(selection.directives or ()):
                continue
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                collected.setdefault(key, []).append(selection)
                continue
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name in spread:
                    continue
                spread.add(name)
            condition, below = self._fragment(selection)
            if condition is None or self._matches(type_name, condition):
                self._collect(below, type_name, collected, spread)

    def _fragment(self, selection: SelectionNode) -> tuple[str | None, SelectionSetNode]:
        if isinstance(selection, FragmentSpreadNode):
            fragment = self._fragments[selection.name.value]
            return fragment.type_condition.name.value, fragment.selection_set
        assert isinstance(selection, InlineFragmentNode)
        condition = selection.type_condition
        return (condition.name.value if condition else None), selection.selection_set

    def _field(self, key: str, nodes: list[FieldNode]) -> Field:
        first = nodes[0]
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        variables: set[str] = set()
        return Field(
            response_key=key,
            name=first.name.value,
            arguments=printed_arguments(first.arguments or (), variables),
            variables=frozenset(variables),
            selection=self.selection(sets) if sets else None,
            nodes=tuple(nodes),
        )

    def _is_included(self, directives: Iterable[DirectiveNode]) -> bool:
        for directive in directives:
            name = directive.name.value
            if name not in ("skip", "include") or not directive.arguments:
                continue
            if self._truth(directive.arguments[0].value) == (name == "skip"):
                return False
        return True

    def _truth(self, value: ValueNode) -> bool:
        if isinstance(value, VariableNode):
            return bool(self._variables.get(value.name.value))
        return isinstance(value, BooleanValueNode) and value.value


def printed_arguments(arguments: Iterable[ArgumentNode], variables: set[str]) -> str:
    """Arguments without needless white space, sorted by name; adds the variables they use."""
    printed = sorted(
        f"{argument.name.value}:{printed_value(argument.value, variables)}"
        for argument in arguments
    )
    return f"({','.join(printed)})" if printed else ""


def printed_value(value: ValueNode, variables: set[str]) -> str:
    """A value on one line; adds the variables it uses."""
    if isinstance(value, VariableNode):
        variables.add(value.name.value)
        return f"${value.name.value}"
    if isinstance(value, ListValueNode):
        return f"[{','.join(printed_value(item, variables) for item in value.values)}]"
    if isinstance(value, ObjectValueNode):
        entries = (
            f"{entry.name.value}:{printed_value(entry.value, variables)}" for entry in value.fields
        )
        return f"{{{','.join(entries)}}}"
    if isinstance(value, StringValueNode):
        return json.dumps(value.value, ensure_ascii=False)
    return print_ast(value)
