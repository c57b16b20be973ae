"""Compares default values by what they mean, however they are written."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal

from graphql import (
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    parse_value,
    print_ast,
)


def meaning_of(default: str | None) -> Hashable:
    """The same for two defaults in GraphQL text that mean the same; None for none."""
    return None if default is None else _meaning(parse_value(default, no_location=True))


def _meaning(value: ValueNode) -> Hashable:
    match value:
        case IntValueNode() | FloatValueNode():
            return Decimal(value.value)
        case StringValueNode():
            return ("text", value.value)
        case ListValueNode():
            return tuple(_meaning(item) for item in value.values)
        case ObjectValueNode():
            return frozenset((field.name.value, _meaning(field.value)) for field in value.fields)
        case _:
            return print_ast(value)
