"""How much an operation can cost, from its text and variables, before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from gateway.federation.engine import EngineRequest
from gateway.federation.requests import LeastRecentlyUsed, PreparedOperation

PAGE_ARGUMENTS = ("first", "last")
PAGE_SIZE_ASSUMED = 20
"""Size of a page when neither the operation nor the schema gives one."""

_OPERATIONS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _PageSize:
    """How many items a page has: a variable's value when it is a whole number, or `otherwise`."""

    otherwise: int
    variable: str | None = None

    def of(self, variables: Mapping[str, Any]) -> int:
        given = variables.get(self.variable) if self.variable is not None else None
        if isinstance(given, int) and not isinstance(given, bool):
            return max(given, 0)
        return self.otherwise


@dataclass(frozen=True, slots=True)
class _Part:
    """Fields that one object of the answer holds, and pages of further objects."""

    fields: int
    pages: tuple[tuple[_PageSize, _Part], ...]

    def cost(self, variables: Mapping[str, Any]) -> int:
        return self.fields + sum(
            size.of(variables) * below.cost(variables) for size, below in self.pages
        )


class OperationCosts:
    """Counts the fields that answers can hold; each operation's text is read once.

    Args:
        schema: the public schema.
        cost_max: refuse what costs more.
    """

    def __init__(self, schema: GraphQLSchema, *, cost_max: int) -> None:
        assert cost_max > 0
        self.cost_max = cost_max
        self._schema = schema
        self._known: LeastRecentlyUsed[tuple[str, str | None], _Part] = LeastRecentlyUsed(
            _OPERATIONS_KEPT
        )

    def of(self, request: EngineRequest, operation: PreparedOperation) -> int:
        """The most fields that the answer can hold, items of unpaged lists counted once.

        Args:
            operation: what the engine made of the request; valid, and within its limits.
        """
        key = (request.document, request.operation_name)
        part = self._known.get(key)
        if part is None:
            part = _Reader(self._schema, operation).part()
            self._known.put(key, part)
        return part.cost(request.variables)


class _Reader:
    def __init__(self, schema: GraphQLSchema, operation: PreparedOperation) -> None:
        self._schema = schema
        self._definition = operation.operation
        self._fragments = {
            d.name.value: d
            for d in operation.document.definitions
            if isinstance(d, FragmentDefinitionNode)
        }
        self._default_by_variable = {
            d.variable.name.value: d.default_value
            for d in operation.operation.variable_definitions or ()
        }

    def part(self) -> _Part:
        root = self._schema.get_root_type(self._definition.operation)
        return self._read(self._definition.selection_set, root)

    def _read(self, selection_set: SelectionSetNode, parent: Any) -> _Part:
        fields = 0
        pages: list[tuple[_PageSize, _Part]] = []
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                fields += 1
                below = self._below(selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                on = self._schema.type_map[condition.name.value] if condition else parent
                below = (None, self._read(selection.selection_set, on))
            else:
                assert isinstance(selection, FragmentSpreadNode)
                fragment = self._fragments[selection.name.value]
                on = self._schema.type_map[fragment.type_condition.name.value]
                below = (None, self._read(fragment.selection_set, on))
            if below is None:
                continue
            size, part = below
            if size is None:
                fields += part.fields
                pages += part.pages
            else:
                pages.append((size, part))
        return _Part(fields, tuple(pages))

    def _below(self, node: FieldNode, parent: Any) -> tuple[_PageSize | None, _Part] | None:
        field = getattr(parent, "fields", {}).get(node.name.value)
        if node.selection_set is None or field is None:
            return None  # A leaf, or the schema's description of itself.
        part = self._read(node.selection_set, get_named_type(field.type))
        return self._page_size(node, field), part

    def _page_size(self, node: FieldNode, field: GraphQLField) -> _PageSize | None:
        declared = [name for name in PAGE_ARGUMENTS if name in field.args]
        if not declared:
            return None
        for argument in node.arguments or ():
            if argument.name.value in declared:
                return self._given(argument.value)
        return _PageSize(_declared_default(field.args[declared[0]]))

    def _given(self, value: object) -> _PageSize:
        if isinstance(value, VariableNode):
            default = self._default_by_variable.get(value.name.value)
            return _PageSize(_literal(default), value.name.value)
        return _PageSize(_literal(value))


def _declared_default(argument: GraphQLArgument) -> int:
    # GraphQL-core 3.3 keeps defaults of SDL as literals in `default`, 3.2 as `default_value`.
    literal = getattr(getattr(argument, "default", None), "literal", None)
    if literal is not None:
        return _literal(literal)
    value = argument.default_value
    return value if isinstance(value, int) else PAGE_SIZE_ASSUMED


def _literal(value: object) -> int:
    return max(int(value.value), 0) if isinstance(value, IntValueNode) else PAGE_SIZE_ASSUMED
