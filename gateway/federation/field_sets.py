"""Selections of fields as keys, `requires` and `provides` spell them."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import (
    FieldNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
)


class FieldSetRefused(Exception):
    """The text is not a selection of fields."""


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """A field, with what is selected below it (empty for leaves)."""

    name: str
    selections: tuple[Selection, ...] = ()
    arguments: str = ""
    has_directives: bool = False


@dataclass(frozen=True, slots=True)
class FragmentSelection:
    """Selections for objects of one type."""

    on: str
    selections: tuple[Selection, ...]


Selection = FieldSelection | FragmentSelection
FieldSet = tuple[Selection, ...]


def parse_field_set(text: str) -> FieldSet:
    """The selections that a field set spells, in order.

    Raises:
        FieldSetRefused: it is empty or not GraphQL.
    """
    try:
        document = parse("{" + text + "}", no_location=True)
    except GraphQLError as error:
        raise FieldSetRefused(error.message) from error
    operation = document.definitions[0]
    if len(document.definitions) != 1 or not isinstance(operation, OperationDefinitionNode):
        raise FieldSetRefused("It is more than a selection of fields.")
    return _selections(operation.selection_set)


def _selections(node: SelectionSetNode | None) -> FieldSet:
    found: list[Selection] = []
    for selection in node.selections if node else ():
        match selection:
            case FieldNode():
                if selection.alias is not None:
                    raise FieldSetRefused(f'The alias "{selection.alias.value}" is not allowed.')
                arguments = ", ".join(print_ast(one) for one in selection.arguments or ())
                found.append(
                    FieldSelection(
                        selection.name.value,
                        _selections(selection.selection_set),
                        arguments,
                        bool(selection.directives),
                    )
                )
            case InlineFragmentNode():
                inner = _selections(selection.selection_set)
                if selection.type_condition is None:
                    found.extend(inner)
                else:
                    found.append(FragmentSelection(selection.type_condition.name.value, inner))
            case _:
                raise FieldSetRefused("Named fragments are not allowed.")
    return tuple(found)


def top_level_fields(selections: FieldSet) -> frozenset[str]:
    """Names of the fields selected on the object itself, fragments included."""
    found: set[str] = set()
    for selection in selections:
        if isinstance(selection, FieldSelection):
            found.add(selection.name)
        else:
            found |= top_level_fields(selection.selections)
    return frozenset(found)
