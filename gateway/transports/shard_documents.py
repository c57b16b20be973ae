"""Cuts an operation down to some of its root fields, and reads their arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from graphql.utilities import value_from_ast_untyped

_PARTS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class RootField:
    """One root field of an operation.

    Attributes:
        response_key: its key in the answer.
        name: its name in the schema.
        representations: for `_entities`, the variable with the representations; else None.
    """

    response_key: str
    name: str
    representations: str | None
    node: FieldNode


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """An operation with fewer root fields.

    Attributes:
        text: the same object each time, so that it may key a cache.
        variables: names that it declares; no others may be sent with it.
    """

    text: str
    variables: frozenset[str]


class SplittableDocument:
    """An operation as a plan writes it: one operation, whose root selections are fields.

    Args:
        text: valid GraphQL.

    Raises:
        ValueError: a root selection is a fragment, so that its fields can not be told apart.
    """

    __slots__ = ("_defaults", "_fragments", "_operation", "_parts", "_text", "root_fields")

    def __init__(self, text: str) -> None:
        document = parse(text, no_location=True)
        self._text = text
        self._operation = next(
            d for d in document.definitions if isinstance(d, OperationDefinitionNode)
        )
        self._fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self._defaults = {
            d.variable.name.value: value_from_ast_untyped(d.default_value)
            for d in self._operation.variable_definitions or ()
            if d.default_value is not None
        }
        self.root_fields: tuple[RootField, ...] = tuple(
            _root_field(selection) for selection in self._operation.selection_set.selections
        )
        self._parts: dict[frozenset[int], DocumentPart] = {}

    def part(self, numbers: frozenset[int]) -> DocumentPart:
        """The operation with only those root fields, and with nothing that they do not use."""
        part = self._parts.get(numbers)
        if part is None:
            if len(self._parts) >= _PARTS_MAX:
                self._parts.clear()
            part = self._parts[numbers] = self._cut(numbers)
        return part

    def argument(self, field: RootField, path: Sequence[str], variables: Mapping[str, Any]) -> Any:
        """The value of an argument, or of a field inside it; None when it is not given."""
        nodes: tuple[ArgumentNode, ...] = tuple(field.node.arguments or ())
        found: ValueNode | None = next((a.value for a in nodes if a.name.value == path[0]), None)
        rest = list(path[1:])
        while rest and isinstance(found, ObjectValueNode):
            name = rest.pop(0)
            found = next((f.value for f in found.fields if f.name.value == name), None)
        if found is None:
            return None
        if isinstance(found, VariableNode):
            name = found.name.value
            value = variables.get(name, self._defaults.get(name))
        else:
            value = value_from_ast_untyped(found, dict(variables))
        for name in rest:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _cut(self, numbers: frozenset[int]) -> DocumentPart:
        operation = self._operation
        definitions = operation.variable_definitions or ()
        if len(numbers) == len(self.root_fields):
            names = frozenset(d.variable.name.value for d in definitions)
            return DocumentPart(self._text, names)
        use = _Use(self._fragments)
        kept = [self.root_fields[number].node for number in sorted(numbers)]
        for node in (*kept, *(operation.directives or ())):
            use.read(node)
        cut = OperationDefinitionNode(
            operation=operation.operation,
            name=operation.name,
            directives=operation.directives,
            variable_definitions=tuple(
                d for d in definitions if d.variable.name.value in use.variables
            ),
            selection_set=SelectionSetNode(selections=tuple(kept)),
        )
        fragments = [self._fragments[name] for name in self._fragments if name in use.fragments]
        text = print_ast(DocumentNode(definitions=(cut, *fragments)))
        return DocumentPart(text, frozenset(use.variables))


def _root_field(selection: Node) -> RootField:
    if not isinstance(selection, FieldNode):
        raise ValueError("A sharded operation has fields at its root, and no fragments.")
    name = selection.name.value
    representations = None
    if name == "_entities":
        for argument in selection.arguments or ():
            if isinstance(argument.value, VariableNode):
                representations = argument.value.name.value
    response_key = selection.alias.value if selection.alias else name
    return RootField(response_key, name, representations, selection)


class _Use(Visitor):
    """Collects variables and fragments that nodes use, directly and through fragments."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        super().__init__()
        self._definitions = fragments
        self.variables: set[str] = set()
        self.fragments: set[str] = set()

    def read(self, node: Node) -> None:
        visit(node, self)

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        name = node.name.value
        if name not in self.fragments:
            self.fragments.add(name)
            self.read(self._definitions[name])
