"""The reference implementation shapes the same data; both must agree, null rules included."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.federation.plan import ProjectedField, Projection, TypeShape
from gateway.federation.projection import compile_projection

SCHEMA = build_schema(
    """
    enum Size { SMALL LARGE }
    interface Thing { id: ID!  size: Size }
    type Shirt implements Thing { id: ID!  size: Size  must: Size!  next: Thing!  rows: [[Int!]]! }
    type Book implements Thing { id: ID!  size: Size  pages: Int!  all: [Thing!]!  some: [Thing] }
    type Query { thing: Thing  must: Thing!  all: [Thing!]  some: [Thing]! }
    """
)
BELOW = "__typename ... on Shirt { id must rows } ... on Book { pages }"
DEEP = f"""id ... on Shirt {{ must next {{ {BELOW} }} rows }}
  ... on Book {{ pages all {{ {BELOW} }} some {{ {BELOW} }} }} size"""
DOCUMENT = parse(
    f"{{ thing {{ {DEEP} }} m: must {{ {BELOW} }} all {{ {DEEP} }} some {{ {BELOW} }} }}"
)


def shape(type_: Any) -> TypeShape:
    if isinstance(type_, GraphQLNonNull):
        inner = shape(type_.of_type)
        return TypeShape(False, inner.item, inner.name)
    if isinstance(type_, GraphQLList):
        return TypeShape(True, shape(type_.of_type))
    return TypeShape(True, None, type_.name)


def fields_for(selections: SelectionSetNode, runtime: GraphQLObjectType) -> list[ProjectedField]:
    fields: list[ProjectedField] = []
    for node in selections.selections:
        if isinstance(node, InlineFragmentNode):
            assert node.type_condition
            if node.type_condition.name.value == runtime.name:
                fields += fields_for(node.selection_set, runtime)
            continue
        assert isinstance(node, FieldNode)
        name = node.name.value
        key = node.alias.value if node.alias else name
        if name == "__typename":
            fields.append(ProjectedField(key, name, name, TypeShape(False, None, "String")))
            continue
        type_ = runtime.fields[name].type
        below = (
            projection(node.selection_set, get_named_type(type_)) if node.selection_set else None
        )
        fields.append(ProjectedField(key, name, name, shape(type_), below))
    return fields


def projection(selections: SelectionSetNode, declared: Any) -> Projection:
    assert is_composite_type(declared)
    runtimes = SCHEMA.get_possible_types(declared) if is_abstract_type(declared) else [declared]
    return Projection(
        declared.name, {one.name: tuple(fields_for(selections, one)) for one in runtimes}
    )


sizes = st.sampled_from(["SMALL", "LARGE", "LARGE", None, "HUGE"])
ids = st.sampled_from(["1", "2", "3", "4", None])
rows = st.none() | st.lists(st.none() | st.lists(st.sampled_from([1, 2, 3, None]), max_size=2))


def shirts(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"__typename": st.just("Shirt")},
        optional={"id": ids, "size": sizes, "must": sizes, "next": below, "rows": rows},
    )


def books(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.none() | st.lists(below, max_size=3)
    return st.fixed_dictionaries(
        {"__typename": st.just("Book")},
        optional={"id": ids, "size": sizes, "pages": st.just(3), "all": lists, "some": lists},
    )


things = st.recursive(
    st.none() | st.just({"__typename": "Secret"}),
    lambda below: shirts(below) | books(below),
    max_leaves=8,
)
roots = st.fixed_dictionaries(
    {"must": things},
    optional={"thing": things, "all": st.lists(things, max_size=3), "some": st.lists(things)},
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(roots)
def test_data_is_shaped_as_the_reference_implementation_shapes_it(data: dict[str, Any]) -> None:
    operation = DOCUMENT.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    project = compile_projection(projection(operation.selection_set, SCHEMA.query_type), SCHEMA)
    reference = execute(SCHEMA, DOCUMENT, root_value=data)
    assert isinstance(reference, ExecutionResult)

    answer, faults = project(data, [])

    assert answer == reference.data
    assert bool(faults) == bool(reference.errors)
