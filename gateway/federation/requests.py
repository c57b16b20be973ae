"""Operations as clients send them, checked against the public schema and kept for repeats."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_variable_values,
    is_abstract_type,
    is_composite_type,
    parse,
    validate,
)
from graphql.utilities import value_from_ast_untyped

from gateway.federation.faults import Fault, FaultCode, RequestRefused

Coordinate = tuple[str, str]

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What a client asks.

    Attributes:
        document: GraphQL text.
        operation_name: may be None when the document has one operation.
        variables: JSON values as the client sent them.
        override_labels: labels that hold for this request, as the layer above decided; those
            that the supergraph does not know mean nothing.
    """

    document: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    override_labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """One valid operation of a document.

    Attributes:
        document: the whole document.
        operation: the operation that is to run.
        name: its name, or None.
        kind: `query` or `mutation`.
        coordinates: (type, field) of every field that may be read, whatever `@skip` and
            `@include` say; a field read through an interface counts for the interface and for
            every type that may stand behind it. `__typename` is left out.
        selected: those of `coordinates` that the document names itself.
        types: object, interface and union types that fields return or fragments name; what may
            stand behind an abstract one is not listed.
    """

    document: DocumentNode
    operation: OperationDefinitionNode
    name: str | None
    kind: str
    coordinates: frozenset[Coordinate]
    selected: frozenset[Coordinate]
    types: frozenset[str]


class LeastRecentlyUsed(Generic[_K, _V]):
    """A mapping that forgets what was not asked for longest.

    Args:
        size_max: entries to keep, at least 1.
    """

    __slots__ = ("_entries", "_size_max")

    def __init__(self, size_max: int) -> None:
        assert size_max >= 1
        self._entries: OrderedDict[_K, _V] = OrderedDict()
        self._size_max = size_max

    def get(self, key: _K) -> _V | None:
        """The value, now the last to be forgotten; None when there is none."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: _K, value: _V) -> None:
        """Keeps the value, and forgets another when there are too many."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size_max:
            self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)


def parsed(text: str, *, tokens_max: int | None) -> DocumentNode:
    """The document.

    Raises:
        RequestRefused: it is not GraphQL, or longer or deeper than is taken.
    """
    try:
        return parse(text, max_tokens=tokens_max)
    except GraphQLSyntaxError as error:
        raise RequestRefused([_fault(error, FaultCode.GRAPHQL_PARSE_FAILED)]) from None
    except RecursionError:
        fault = Fault("The document is nested too deeply.", FaultCode.GRAPHQL_PARSE_FAILED)
        raise RequestRefused([fault]) from None


def check_valid(document: DocumentNode, schema: GraphQLSchema) -> None:
    """Nothing, when the document is valid.

    Raises:
        RequestRefused: with a fault per error found.
    """
    try:
        errors = validate(schema, document)
    except RecursionError:
        message = "The document is nested too deeply."
        raise RequestRefused([Fault(message, FaultCode.GRAPHQL_VALIDATION_FAILED)]) from None
    if errors:
        raise RequestRefused([_fault(e, FaultCode.GRAPHQL_VALIDATION_FAILED) for e in errors])


def chosen_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation of that name, or the only one.

    Raises:
        RequestRefused: there is none, or the name does not decide.
    """
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name is None and len(operations) == 1:
        return operations[0]
    for operation in operations:
        if name is not None and operation.name is not None and operation.name.value == name:
            return operation
    if name is not None:
        message = f"The document has no operation {name}."
    elif operations:
        message = "The document has several operations; give operationName."
    else:
        message = "The document has no operation."
    raise RequestRefused([Fault(message, FaultCode.OPERATION_NOT_FOUND)])


def variables_to_send(
    operation: OperationDefinitionNode, given: Mapping[str, Any], schema: GraphQLSchema
) -> dict[str, Any]:
    """The client's own JSON values of the operation's variables, defaults filled in.

    Raises:
        RequestRefused: a value does not fit its type.
    """
    definitions = operation.variable_definitions
    if not definitions:
        return {}
    coerced = get_variable_values(schema, definitions, dict(given), max_errors=20)
    if isinstance(coerced, list):
        raise RequestRefused([_fault(error, FaultCode.BAD_USER_INPUT) for error in coerced])
    values: dict[str, Any] = {}
    for definition in definitions:
        name = definition.variable.name.value
        if name in given:
            values[name] = given[name]
        elif definition.default_value is not None:
            values[name] = value_from_ast_untyped(definition.default_value)
    return values


def _fault(error: GraphQLError, code: FaultCode) -> Fault:
    locations = tuple((place.line, place.column) for place in error.locations or ())
    return Fault(error.message, code, locations=locations)


def prepared(
    document: DocumentNode, operation: OperationDefinitionNode, schema: GraphQLSchema
) -> PreparedOperation:
    """The operation with everything that it may read; `document` is valid."""
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    use = _Use(schema, fragments)
    root = schema.get_root_type(operation.operation)
    assert root is not None
    use.visit(operation.selection_set, root)
    return PreparedOperation(
        document=document,
        operation=operation,
        name=operation.name.value if operation.name else None,
        kind=operation.operation.value,
        coordinates=frozenset(use.selected | use.implied),
        selected=frozenset(use.selected),
        types=frozenset(use.types),
    )


class _Use:
    """Collects what selections read; every fragment is visited once."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._visited: set[str] = set()
        self.selected: set[Coordinate] = set()
        self.implied: set[Coordinate] = set()
        self.types: set[str] = set()

    def visit(self, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> None:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                self._visit_field(selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                on = self._named(condition.name.value) if condition else parent
                self.visit(selection.selection_set, on)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in self._visited:
                    self._visited.add(name)
                    fragment = self._fragments[name]
                    on = self._named(fragment.type_condition.name.value)
                    self.visit(fragment.selection_set, on)

    def _named(self, name: str) -> GraphQLNamedType:
        self.types.add(name)
        return self._schema.type_map[name]

    def _visit_field(self, node: FieldNode, parent: GraphQLNamedType) -> None:
        name = node.name.value
        if name == "__typename":
            return
        self.selected.add((parent.name, name))
        for possible in self._behind(parent):
            self.implied.add((possible.name, name))
        if node.selection_set is None:
            return
        if name in ("__schema", "__type"):
            return  # What lies below is the schema's own description.
        assert isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType))
        returned = get_named_type(parent.fields[name].type)
        if is_composite_type(returned):
            self.types.add(returned.name)
            self.visit(node.selection_set, returned)

    def _behind(self, parent: GraphQLNamedType) -> Iterator[GraphQLObjectType]:
        if is_abstract_type(parent):
            yield from self._schema.get_possible_types(parent)
