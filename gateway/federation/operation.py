"""Normalises an operation: picks it, and makes its selections readable per runtime type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

from gateway.federation.faults import Fault, FaultCode, RequestRefused
from gateway.federation.selections import Field, Matches, Selection, SelectionReader

_INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, normalised.

    Attributes:
        kind: `query` or `mutation`.
        selection: what it wants from the root.
        declarations: by variable name, its declaration as printed in documents.
        introspection: the operation reduced to `__schema` and `__type`; None without them.
    """

    kind: str
    selection: Selection
    declarations: Mapping[str, str]
    introspection: DocumentNode | None


def pick_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run.

    Raises:
        RequestRefused: OPERATION_NOT_FOUND when there is none of that name, or several and no
            name was given; UNPLANNABLE for a subscription.
    """
    found = [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        and (not name or (definition.name is not None and definition.name.value == name))
    ]
    if len(found) != 1:
        message = (
            f"The document has no operation named {name!r}."
            if name
            else "The document must have exactly one operation, or the request name one."
        )
        raise RequestRefused([Fault(message, FaultCode.OPERATION_NOT_FOUND)])
    if found[0].operation is OperationType.SUBSCRIPTION:
        raise RequestRefused([Fault("Subscriptions are not served.", FaultCode.UNPLANNABLE)])
    return found[0]


def conditional_variables(document: DocumentNode, operation_name: str | None) -> tuple[str, ...]:
    """Names of the variables that decide `@skip` and `@include`, sorted: a plan's cache key.

    Raises:
        RequestRefused: as `pick_operation`.
    """
    operation = pick_operation(document, operation_name)
    collector = _ConditionCollector()
    visit(operation, collector)
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            visit(definition, collector)
    return tuple(sorted(collector.names))


class _ConditionCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in ("skip", "include"):
            for argument in node.arguments or ():
                if isinstance(argument.value, VariableNode):
                    self.names.add(argument.value.name.value)


def normalise(
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    *,
    matches: Matches,
    root_types: Mapping[str, str],
) -> Operation:
    """The operation as the planner reads it.

    Args:
        variables: values for `@skip` and `@include`; a missing one has its declared default.
        matches: whether objects of a type satisfy a type condition.
        root_types: type name by operation kind.
    """
    node = pick_operation(document, operation_name)
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    reader = SelectionReader(matches, fragments, {**_defaults(node), **variables})
    selection = reader.selection([node.selection_set])
    kind = node.operation.value
    return Operation(
        kind=kind,
        selection=selection,
        declarations={
            definition.variable.name.value: _declaration(definition)
            for definition in node.variable_definitions or ()
        },
        introspection=_introspection(node, selection.fields(root_types[kind]), fragments),
    )


def _defaults(node: OperationDefinitionNode) -> dict[str, bool]:
    return {
        definition.variable.name.value: definition.default_value.value
        for definition in node.variable_definitions or ()
        if isinstance(definition.default_value, BooleanValueNode)
    }


def _declaration(definition: Any) -> str:
    printed = f"${definition.variable.name.value}:{print_ast(definition.type)}"
    if definition.default_value is not None:
        printed += f"={print_ast(definition.default_value)}"
    return printed


def _introspection(
    node: OperationDefinitionNode,
    fields: tuple[Field, ...],
    fragments: Mapping[str, FragmentDefinitionNode],
) -> DocumentNode | None:
    nodes = [inner for field in fields if field.name in _INTROSPECTION for inner in field.nodes]
    if not nodes:
        return None
    used = _UsedNames()
    for inner in nodes:
        visit(inner, used)
    for name in used.fragments:
        visit(fragments[name], used)
    reduced = OperationDefinitionNode(
        operation=node.operation,
        name=NameNode(value=node.name.value) if node.name else None,
        variable_definitions=tuple(
            definition
            for definition in node.variable_definitions or ()
            if definition.variable.name.value in used.variables
        ),
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(nodes)),
    )
    return DocumentNode(
        definitions=(reduced, *(fragments[name] for name in used.fragments)),
    )


class _UsedNames(Visitor):
    """Variables and fragments that a node uses; the list grows while it is walked."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.fragments: list[str] = []

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: Any, *_: Any) -> None:
        if node.name.value not in self.fragments:
            self.fragments.append(node.name.value)
