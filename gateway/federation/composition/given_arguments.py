"""Checks the arguments that a field set gives to a field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    parse_value,
    print_ast,
)

from gateway.federation.subgraph import (
    InputValue,
    Kind,
    ListRef,
    NonNullRef,
    Subgraph,
    TypeRef,
    named_type,
)

_INT_BOUND = 2**31
_LITERALS: Mapping[str, tuple[type[ValueNode], ...]] = {
    "Int": (IntValueNode,),
    "Float": (IntValueNode, FloatValueNode),
    "String": (StringValueNode,),
    "Boolean": (BooleanValueNode,),
    "ID": (StringValueNode, IntValueNode),
}


def argument_faults(
    subgraph: Subgraph, given: str, declared: Mapping[str, InputValue], *, at: str
) -> Iterator[str]:
    """What is wrong with arguments, one sentence each.

    Args:
        given: as written between the parentheses; empty for none.
        at: coordinate of the field.
    """
    node = parse_value(f"{{{given}}}", no_location=True)
    assert isinstance(node, ObjectValueNode)
    values = {field.name.value: field.value for field in node.fields}
    for name in values.keys() - declared.keys():
        yield f'"{at}" takes no argument "{name}".'
    for name, argument in declared.items():
        value = values.get(name)
        if value is None:
            if argument.is_required:
                yield f'"{at}" needs its argument "{name}".'
        elif not _fits(subgraph, value, argument.type):
            written = print_ast(value)
            yield f'Argument "{name}" of "{at}" is of type "{argument.type}", not {written}.'


def _fits(subgraph: Subgraph, value: ValueNode, ref: TypeRef) -> bool:
    if isinstance(ref, NonNullRef):
        return not isinstance(value, NullValueNode) and _fits(subgraph, value, ref.of)
    if isinstance(value, NullValueNode):
        return True
    if isinstance(ref, ListRef):
        # One value stands for a list of it.
        items = value.values if isinstance(value, ListValueNode) else (value,)
        return all(_fits(subgraph, item, ref.of) for item in items)
    name = named_type(ref)
    if name in _LITERALS:
        is_small = name != "Int" or not isinstance(value, IntValueNode) or _is_int(value)
        return isinstance(value, _LITERALS[name]) and is_small
    declared = subgraph.types.get(name)
    if declared is not None and declared.kind is Kind.ENUM:
        return isinstance(value, EnumValueNode) and value.value in declared.values
    if declared is not None and declared.kind is Kind.INPUT_OBJECT:
        return isinstance(value, ObjectValueNode) and _fits_input(
            subgraph, value, declared.input_fields
        )
    return _is_constant(value)


def _is_int(value: IntValueNode) -> bool:
    return -_INT_BOUND <= int(value.value) < _INT_BOUND


def _fits_input(
    subgraph: Subgraph, value: ObjectValueNode, declared: Mapping[str, InputValue]
) -> bool:
    values = {field.name.value: field.value for field in value.fields}
    return values.keys() <= declared.keys() and all(
        _fits(subgraph, values[name], field.type) if name in values else not field.is_required
        for name, field in declared.items()
    )


def _is_constant(value: ValueNode) -> bool:
    """Whether a scalar of the subgraph's own may be this: there are no variables to refer to."""
    if isinstance(value, ListValueNode):
        return all(map(_is_constant, value.values))
    if isinstance(value, ObjectValueNode):
        return all(_is_constant(field.value) for field in value.fields)
    return not isinstance(value, VariableNode)
