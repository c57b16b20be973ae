from __future__ import annotations

import pytest
from graphql import GraphQLInputObjectType, build_schema, validate_schema

from gateway.federation.supergraph import Supergraph
from tests.federation.composition.subgraphs import composed, element, has


def test_an_object_has_the_fields_of_every_subgraph() -> None:
    composition = composed(
        'type Query { a: A } type A @key(fields: "id") { id: ID! x: Int }',
        'type A @key(fields: "id") { id: ID! y: Int }',
    )

    assert element(composition, "A.id") == "id: ID!"
    assert element(composition, "A.x") == "x: Int @join__field(graph: A)"
    assert element(composition, "A.y") == "y: Int @join__field(graph: B)"


def test_a_type_carries_one_join_type_per_key_and_subgraph() -> None:
    composition = composed(
        'type Query { a: A } type A @key(fields: "id") @key(fields: "sku", resolvable: false)'
        " { id: ID! sku: ID! }",
        'type A @key(fields: "sku") { sku: ID! }',
    )

    assert element(composition, "A") == (
        'type A @join__type(graph: A, key: "id")'
        ' @join__type(graph: A, key: "sku", resolvable: false)'
        ' @join__type(graph: B, key: "sku")'
    )


def test_every_subgraph_is_asked_through_query() -> None:
    composition = composed(
        'type Query { a: A } type A @key(fields: "id") { id: ID! }',
        'type A @key(fields: "id") { id: ID! y: Int }',
    )

    assert element(composition, "Query") == (
        "type Query @join__type(graph: A) @join__type(graph: B)"
    )
    assert element(composition, "Query.a") == "a: A @join__field(graph: A)"


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ("Int!", "Int", "Int"),
        ("[Int!]!", "[Int]", "[Int]"),
        ("[[Int!]!]", "[[Int]]", "[[Int]]"),
    ],
)
def test_an_answer_is_nullable_where_any_subgraph_says_so(
    one: str, other: str, merged: str
) -> None:
    composition = composed(
        f"type Query {{ x: {one} @shareable }}", f"type Query {{ x: {other} @shareable }}"
    )

    assert element(composition, "Query.x") == (
        f'x: {merged} @join__field(graph: A, type: "{one}") @join__field(graph: B, type: "{other}")'
    )


def test_an_answer_has_the_abstract_type_when_others_give_a_member() -> None:
    shared = "union U = A | B type A @shareable { x: Int } type B @shareable { x: Int }"

    composition = composed(
        f"type Query {{ u: A @shareable }} {shared}", f"type Query {{ u: U @shareable }} {shared}"
    )

    assert element(composition, "Query.u").startswith("u: U @join__field(graph: A")


def test_arguments_are_those_that_every_subgraph_takes_at_their_strictest() -> None:
    composition = composed(
        "type Query { f(x: Int, y: Int): Int @shareable }",
        "type Query { f(y: Int!): Int @shareable }",
    )

    assert element(composition, "Query.f") == "f(y: Int!): Int"
    assert [hint.coordinate for hint in composition.hints] == ["Query.f(x:)"]


def test_a_default_that_one_subgraph_lacks_is_dropped() -> None:
    composition = composed(
        "type Query { f(x: Int = 1): Int @shareable }", "type Query { f(x: Int): Int @shareable }"
    )

    assert element(composition, "Query.f") == "f(x: Int): Int"


def test_inputs_have_the_fields_that_every_subgraph_takes() -> None:
    composition = composed(
        "type Query { f(i: I): Int } input I { x: Int y: Int }",
        "type Query { g(i: I): Int } input I { x: Int! z: Int }",
    )

    assert element(composition, "I.x") == (
        'x: Int! @join__field(graph: A, type: "Int") @join__field(graph: B, type: "Int!")'
    )
    assert not has(composition, "I.y")
    assert not has(composition, "I.z")


@pytest.mark.parametrize(
    ("used_by_a", "used_by_b", "values"),
    [
        ("x: E", "y: E", {"P", "Q", "R"}),
        ("x(e: E): Int", "y(e: E): Int", {"Q"}),
        ("x: Int", "y: Int", {"P", "Q", "R"}),
    ],
    ids=["answered", "asked", "unused"],
)
def test_enum_values_depend_on_who_uses_the_enum(
    used_by_a: str, used_by_b: str, values: set[str]
) -> None:
    composition = composed(
        f"type Query {{ {used_by_a} }} enum E {{ P Q }}",
        f"type Query {{ {used_by_b} }} enum E {{ Q R }}",
    )

    assert {value for value in "PQR" if has(composition, f"E.{value}")} == values
    assert element(composition, "E.Q") == (
        "Q @join__enumValue(graph: A) @join__enumValue(graph: B)"
    )


def test_a_hidden_enum_value_may_be_missing_elsewhere() -> None:
    composition = composed(
        "type Query { x(e: E): Int } enum E { P @inaccessible Q }",
        "type Query { y: E } enum E { Q }",
    )

    assert element(composition, "E.P") == "P @join__enumValue(graph: A) @inaccessible"


def test_a_union_has_the_members_of_every_subgraph() -> None:
    composition = composed(
        "type Query { u: U } union U = A | B type A { x: Int } type B @shareable { x: Int }",
        "type Query { v: U } union U = B | C type B @shareable { x: Int } type C { x: Int }",
    )

    assert element(composition, "U") == (
        "union U @join__type(graph: A) @join__type(graph: B)"
        ' @join__unionMember(graph: A, member: "A") @join__unionMember(graph: A, member: "B")'
        ' @join__unionMember(graph: B, member: "B") @join__unionMember(graph: B, member: "C")'
        " = A | B | C"
    )


def test_an_interface_names_who_implements_it_where() -> None:
    composition = composed(
        'type Query { i: I } interface I { id: ID! } type A implements I @key(fields: "id")'
        " { id: ID! }",
        'type A @key(fields: "id") { id: ID! n: Int }',
    )

    assert element(composition, "A") == (
        'type A implements I @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")'
        ' @join__implements(graph: A, interface: "I")'
    )


def test_external_required_and_provided_fields_are_written_down() -> None:
    composition = composed(
        'type Query { a: A @provides(fields: "w") } type A @key(fields: "id")'
        ' { id: ID! n: Int @external w: Int @external m: Int @requires(fields: "n") }',
        'type A @key(fields: "id") { id: ID! n: Int w: Int @shareable }',
    )

    assert element(composition, "Query.a") == 'a: A @join__field(graph: A, provides: "w")'
    assert element(composition, "A.n") == (
        "n: Int @join__field(graph: A, external: true) @join__field(graph: B)"
    )
    assert element(composition, "A.m") == 'm: Int @join__field(graph: A, requires: "n")'


def test_an_overridden_field_belongs_to_the_new_subgraph_alone() -> None:
    composition = composed(
        'type Query { a: A } type A @key(fields: "id") { id: ID! n: Int @override(from: "b") }',
        'type A @key(fields: "id") { id: ID! n: Int }',
    )

    assert element(composition, "A.n") == 'n: Int @join__field(graph: A, override: "b")'


def test_an_overridden_field_that_a_key_uses_stays_marked() -> None:
    composition = composed(
        'type Query { a: A } type A @key(fields: "id") { id: ID! n: Int @override(from: "b") }',
        'type A @key(fields: "id") @key(fields: "n") { id: ID! n: Int }',
    )

    assert element(composition, "A.n") == (
        'n: Int @join__field(graph: A, override: "b") @join__field(graph: B, usedOverridden: true)'
    )


def test_a_labelled_override_keeps_both_subgraphs() -> None:
    composition = composed(
        'type Query { a: A } type A @key(fields: "id")'
        ' { id: ID! n: Int @override(from: "b", label: "percent(5)") }',
        'type A @key(fields: "id") { id: ID! n: Int }',
    )

    assert element(composition, "A.n") == (
        'n: Int @join__field(graph: A, override: "b", overrideLabel: "percent(5)")'
        ' @join__field(graph: B, overrideLabel: "percent(5)")'
    )
    assert "join/v0.4" in composition.supergraph_sdl


def test_implementations_inherit_what_an_interface_object_adds() -> None:
    composition = composed(
        'type Query { i: I } interface I @key(fields: "id") { id: ID! }'
        ' type A implements I @key(fields: "id") { id: ID! }',
        'type I @interfaceObject @key(fields: "id") { id: ID! n: Int }',
    )

    assert element(composition, "A.n") == "n: Int @join__field"
    assert element(composition, "I.n") == "n: Int @join__field(graph: B)"
    assert element(composition, "I") == (
        'interface I @join__type(graph: A, key: "id")'
        ' @join__type(graph: B, key: "id", isInterfaceObject: true)'
    )


def test_root_types_get_their_usual_names() -> None:
    composition = composed(
        "schema { query: Start mutation: Change } type Start { again: Start }"
        " type Change { c: Int }",
        "type Query { x: Int }",
    )

    assert element(composition, "Query.again") == "again: Query @join__field(graph: A)"
    assert element(composition, "Mutation.c") == "c: Int"


def test_federation_1_subgraphs_share_without_saying_so() -> None:
    composition = composed(
        'type Query { a: A v: V } type A @key(fields: "id") { id: ID! n: Int } type V { x: Int }',
        'extend type A @key(fields: "id") { id: ID! @external n: Int @external'
        ' m: Int @requires(fields: "n") v: V } type V { x: Int }',
        federation_1=True,
    )

    assert element(composition, "A") == (
        'type A @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", extension: true)'
    )
    assert element(composition, "A.id") == "id: ID!"
    assert element(composition, "V.x") == "x: Int"


def test_keys_on_interfaces_mean_nothing_in_federation_1() -> None:
    composition = composed(
        'type Query { i: I } interface I @key(fields: "id") { id: ID! }'
        " type A implements I { id: ID! }",
        federation_1=True,
    )

    assert element(composition, "I") == "interface I @join__type(graph: A)"


def test_a_keyless_extension_of_federation_1_answers_the_key_of_its_owner() -> None:
    composition = composed(
        'type Query { a: A } type A @key(fields: "id") { id: ID! n: Int }',
        "extend type A { id: ID! @external } extend type Query { b: A }",
        federation_1=True,
    )

    assert element(composition, "A.id") == "id: ID!"
    assert element(composition, "A.n") == "n: Int @join__field(graph: A)"


def test_the_supergraph_is_a_valid_schema() -> None:
    composition = composed(
        'type Query { i: I @tag(name: "t") } interface I { id: ID! }'
        ' type A implements I @key(fields: "id") @authenticated { id: ID! }'
        " enum E { P @inaccessible Q }",
        'type A @key(fields: "id") { id: ID! n: Int @policy(policies: [["p"]]) e: E } enum E { Q }',
    )

    assert validate_schema(build_schema(composition.supergraph_sdl)) == []


def test_a_label_decides_nothing_where_the_other_subgraph_does_not_answer() -> None:
    taking = (
        'type A @key(fields: "id") { id: ID! n: Int @override(from: "a", label: "percent(5)") }'
    )
    without = composed('type Query { a: A } type A @key(fields: "id") { id: ID! }', taking)
    external = composed(
        'type Query { a: A } type A @key(fields: "id")'
        ' { id: ID! n: Int @external m: Int @requires(fields: "n") }',
        taking,
    )

    assert element(without, "A.n") == 'n: Int @join__field(graph: B, override: "a")'
    assert element(external, "A.n") == (
        'n: Int @join__field(graph: A, external: true) @join__field(graph: B, override: "a")'
    )


@pytest.mark.parametrize(
    ("declared", "one", "other"),
    [
        ("x: In", "{ p: 1, q: [K] }", "{ q: [K], p: 1 }"),
        ("x: Float", "1", "1.0"),
        ("x: String", '"text"', '"""text"""'),
    ],
)
def test_defaults_that_mean_the_same_agree(declared: str, one: str, other: str) -> None:
    inputs = " input In { p: Int q: [E] } enum E { K }"
    shared = composed(
        f"type Query {{ f({declared} = {one}): Int @shareable }}" + inputs,
        f"type Query {{ f({declared} = {other}): Int @shareable }}" + inputs,
    )
    external = composed(
        f'type Query {{ a: A }} type A @key(fields: "id") {{ id: ID! f({declared} = {one}): Int }}'
        + inputs,
        f'type A @key(fields: "id") {{ id: ID! f({declared} = {other}): Int @external'
        ' m: Int @requires(fields: "f") }' + inputs,
    )

    assert element(shared, "Query.f") == f"f({declared} = {one}): Int"
    assert f"({declared} = {one})" in element(external, "A.f")


@pytest.mark.parametrize("definition", ["", "directive @oneOf on INPUT_OBJECT "])
def test_an_input_of_one_field_is_one_wherever_a_subgraph_says_so(definition: str) -> None:
    composition = composed(
        definition + "type Query { x(by: By): Int } input By @oneOf { id: ID name: String }",
        "type Query { y(by: By): Int } input By { id: ID name: String }",
    )

    assert element(composition, "By") == (
        "input By @join__type(graph: A) @join__type(graph: B) @oneOf"
    )
    assert composition.supergraph_sdl.count("directive @oneOf on INPUT_OBJECT") == 1
    by = Supergraph.parse(composition.supergraph_sdl).public_schema.type_map["By"]
    assert isinstance(by, GraphQLInputObjectType)
    assert by.is_one_of
