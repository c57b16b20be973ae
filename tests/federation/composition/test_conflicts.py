from __future__ import annotations

import pytest

from gateway.federation.composition import CompositionFailed, SubgraphSdl, compose
from tests.federation.composition.subgraphs import composed, conflicts, element

ENTITY = 'type A @key(fields: "id")'

# Code, coordinate, subgraphs concerned, and the subgraphs that do not compose.
CASES = [
    ("INVALID_FIELD_SHARING", "A.x", "ab",
     ["type Query { a: A } type A { x: Int }", "type Query { b: A } type A { x: Int }"]),
    ("INVALID_FIELD_SHARING", "Query.x", "ab",
     ["type Query { x: Int }", "type Query { x: Int @shareable }"]),
    ("INVALID_FIELD_SHARING", "Subscription.s", "a",
     ["type Query { x: Int } type Subscription { s: Int @shareable }"]),
    ("INVALID_FIELD_SHARING", "A.n", "ab",
     ['type Query { i: I } interface I @key(fields: "id") { id: ID! } type A implements I'
      ' @key(fields: "id") { id: ID! n: Int }',
      'type I @interfaceObject @key(fields: "id") { id: ID! n: Int }']),
    ("FIELD_TYPE_MISMATCH", "Query.x", "ab",
     ["type Query { x: Int @shareable }", "type Query { x: String @shareable }"]),
    ("FIELD_TYPE_MISMATCH", "Query.x", "ab",
     ["type Query { x: [Int!] @shareable }", "type Query { x: [Int]! @shareable }"]),
    ("FIELD_TYPE_MISMATCH", "I.x", "ab",
     ["type Query { f(i: I): Int } input I { x: Int }",
      "type Query { g(i: I): Int } input I { x: String }"]),
    ("INPUT_FIELD_DEFAULT_MISMATCH", "I.x", "ab",
     ["type Query { f(i: I): Int } input I { x: Int = 1 }",
      "type Query { g(i: I): Int } input I { x: Int = 2 }"]),
    ("REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH", "I.y", "ab",
     ["type Query { f(i: I): Int } input I { x: Int y: Int! }",
      "type Query { g(i: I): Int } input I { x: Int }"]),
    ("EMPTY_MERGED_INPUT_TYPE", "I", "ab",
     ["type Query { f(i: I): Int } input I { x: Int }",
      "type Query { g(i: I): Int } input I { y: Int }"]),
    ("REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH", "Query.f(x:)", "ab",
     ["type Query { f(x: Int!): Int @shareable }", "type Query { f: Int @shareable }"]),
    ("FIELD_ARGUMENT_TYPE_MISMATCH", "Query.f(x:)", "ab",
     ["type Query { f(x: Int): Int @shareable }", "type Query { f(x: ID): Int @shareable }"]),
    ("FIELD_ARGUMENT_DEFAULT_MISMATCH", "Query.f(x:)", "ab",
     ["type Query { f(x: Int = 1): Int @shareable }",
      "type Query { f(x: Int = 2): Int @shareable }"]),
    ("ENUM_VALUE_MISMATCH", "E.P", "ab",
     ["type Query { f(e: E): Int } enum E { P Q }", "type Query { g: E } enum E { Q }"]),
    ("EMPTY_MERGED_ENUM_TYPE", "E", "ab",
     ["type Query { f(e: E): Int } enum E { P }", "type Query { g(e: E): Int } enum E { Q }"]),
    ("TYPE_KIND_MISMATCH", "A", "ab",
     ["type Query { a: A } type A { x: Int }", "type Query { b: A } interface A { x: Int }"]),
    ("NO_QUERIES", "Query", "a", [f"{ENTITY} {{ id: ID! }}"]),
    ("EXTENSION_WITH_NO_BASE", "A", "a",
     ["type Query { a: A } extend " + ENTITY + " { id: ID! }"]),
    ("EXTERNAL_MISSING_ON_BASE", "A.n", "a",
     [f'type Query {{ a: A }} {ENTITY} {{ id: ID! n: Int @external'
      ' m: Int @requires(fields: "n") }', f"{ENTITY} {{ id: ID! z: Int }}"]),
    ("EXTERNAL_UNUSED", "A.n", "a",
     [f"type Query {{ a: A }} {ENTITY} {{ id: ID! n: Int @external }}",
      f"{ENTITY} {{ id: ID! n: Int }}"]),
    ("EXTERNAL_TYPE_MISMATCH", "A.n", "ab",
     [f'type Query {{ a: A }} {ENTITY} {{ id: ID! n: String @external'
      ' m: Int @requires(fields: "n") }', f"{ENTITY} {{ id: ID! n: Int }}"]),
    ("EXTERNAL_ARGUMENT_MISSING", "A.n(x:)", "ab",
     [f'type Query {{ a: A }} {ENTITY} {{ id: ID! n: Int @external'
      ' m: Int @requires(fields: "n") }', f"{ENTITY} {{ id: ID! n(x: Int): Int }}"]),
    ("EXTERNAL_ARGUMENT_TYPE_MISMATCH", "A.n(x:)", "ab",
     [f'type Query {{ a: A }} {ENTITY} {{ id: ID! n(x: ID): Int @external'
      ' m: Int @requires(fields: "n") }', f"{ENTITY} {{ id: ID! n(x: Int): Int }}"]),
    ("EXTERNAL_ARGUMENT_DEFAULT_MISMATCH", "A.n(x:)", "ab",
     [f'type Query {{ a: A }} {ENTITY} {{ id: ID! n(x: Int = 1): Int @external'
      ' m: Int @requires(fields: "n") }', f"{ENTITY} {{ id: ID! n(x: Int = 2): Int }}"]),
    ("EXTERNAL_ON_INTERFACE", "I.x", "a",
     ["type Query { i: I } interface I { x: Int @external } type A implements I { x: Int }"]),
    ("KEY_INVALID_FIELDS", "A", "a",
     ['type Query { a: A } type A @key(fields: "nope") { id: ID! }']),
    ("KEY_INVALID_FIELDS", "A", "a",
     ['type Query { a: A } type A @key(fields: "id {") { id: ID! }']),
    ("KEY_INVALID_FIELDS", "A", "a",
     ['type Query { a: A } type A @key(fields: "b") { b: B } type B { x: Int }']),
    ("KEY_INVALID_FIELDS_TYPE", "A", "a",
     ["type Query { a: A } type A @key(fields: id) { id: ID! }"]),
    ("KEY_FIELDS_HAS_ARGS", "A", "a",
     [f"type Query {{ a: A }} {ENTITY} {{ id(x: Int): ID! }}"]),
    ("KEY_FIELDS_SELECT_INVALID_TYPE", "A", "a",
     ['type Query { a: A } type A @key(fields: "u { ... on B { x } }") { u: U } union U = B'
      " type B { x: Int }"]),
    ("KEY_DIRECTIVE_IN_FIELDS_ARG", "A", "a",
     ['type Query { a: A } type A @key(fields: "id @skip(if: true)") { id: ID! }']),
    ("REQUIRES_INVALID_FIELDS", "A.m", "a",
     [f'type Query {{ a: A }} {ENTITY} {{ id: ID! m: Int @requires(fields: "n") }}']),
    ("REQUIRES_FIELDS_MISSING_EXTERNAL", "A.m", "a",
     [f'type Query {{ a: A }} {ENTITY} {{ id: ID! n: Int m: Int @requires(fields: "n") }}']),
    ("REQUIRES_UNSUPPORTED_ON_INTERFACE", "I.m", "a",
     ['type Query { i: I } interface I { n: Int m: Int @requires(fields: "n") }'
      " type A implements I { n: Int m: Int }"]),
    ("PROVIDES_INVALID_FIELDS", "Query.a", "a",
     [f'type Query {{ a: A @provides(fields: "n") }} {ENTITY} {{ id: ID! }}']),
    ("PROVIDES_FIELDS_MISSING_EXTERNAL", "Query.a", "a",
     [f'type Query {{ a: A @provides(fields: "n") }} {ENTITY} {{ id: ID! n: Int }}']),
    ("PROVIDES_ON_NON_OBJECT_FIELD", "Query.x", "a",
     ['type Query { x: Int @provides(fields: "n") }']),
    ("INVALID_SHAREABLE_USAGE", "I.x", "a",
     ["type Query { i: I } interface I { x: Int @shareable } type A implements I { x: Int }"]),
    ("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", "I.n", "b",
     ['type Query { i: I } interface I @key(fields: "id") { id: ID! }'
      ' type A implements I @key(fields: "id") { id: ID! }',
      'type I @interfaceObject @key(fields: "id") { id: ID! n: Int @override(from: "a") }']),
    ("OVERRIDE_FROM_SELF_ERROR", "Query.x", "a", ['type Query { x: Int @override(from: "a") }']),
    ("OVERRIDE_SOURCE_HAS_OVERRIDE", "Query.x", "ab",
     ['type Query { x: Int @override(from: "b") }', 'type Query { x: Int @override(from: "a") }']),
    ("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", "A.n", "ab",
     [f'type Query {{ a: A }} {ENTITY} {{ id: ID! n: Int @override(from: "b") k: Int }}',
      f'{ENTITY} {{ id: ID! k: Int @external n: Int @requires(fields: "k") }}']),
    ("OVERRIDE_ON_INTERFACE", "I.x", "a",
     ['type Query { i: I } interface I { x: Int @override(from: "b") }'
      " type A implements I { x: Int }"]),
    ("OVERRIDE_LABEL_INVALID", "Query.x", "a",
     ['type Query { x: Int @override(from: "b", label: "percent(101)") }',
      "type Query { x: Int }"]),
    ("INTERFACE_FIELD_NO_IMPLEM", "A.n", "ab",
     ["type Query { i: I } interface I { id: ID! } type A implements I @shareable { id: ID! }",
      "type Query { j: I } interface I { id: ID! n: Int } type B implements I { id: ID! n: Int }"]),
    ("INTERFACE_KEY_NOT_ON_IMPLEMENTATION", "A", "a",
     ['type Query { i: I } interface I @key(fields: "id") { id: ID! }'
      " type A implements I { id: ID! }"]),
    ("INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE", "I", "ab",
     ['type Query { i: I } interface I @key(fields: "id") { id: ID! }'
      ' type A implements I @key(fields: "id") { id: ID! }',
      'interface I { id: ID! } type B implements I @key(fields: "id") { id: ID! }']),
    ("INTERFACE_OBJECT_USAGE_ERROR", "I", "a",
     ['type Query { i: I } type I @interfaceObject @key(fields: "id") { id: ID! }']),
    ("INTERFACE_OBJECT_USAGE_ERROR", "I", "b",
     ['type Query { i: I } interface I @key(fields: "id") { id: ID! }'
      ' type A implements I @key(fields: "id") { id: ID! }',
      "type Query { n: I } type I @interfaceObject { n: Int }"]),
    ("AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE", "I.x", "a",
     ["type Query { i: I } interface I { x: Int @authenticated } type A implements I { x: Int }"]),
    ("MISSING_TRANSITIVE_AUTH_REQUIREMENTS", "A.m", "b",
     [f"type Query {{ a: A }} {ENTITY} {{ id: ID! n: Int @authenticated }}",
      f'{ENTITY} {{ id: ID! n: Int @external m: Int @requires(fields: "n") }}']),
    ("QUERY_ROOT_TYPE_INACCESSIBLE", "Query", "a", ["type Query @inaccessible { x: Int }"]),
    ("REQUIRED_INACCESSIBLE", "Query.f(x:)", "a",
     ["type Query { f(x: Int! @inaccessible): Int }"]),
    ("REQUIRED_INACCESSIBLE", "I.x", "a",
     ["type Query { f(i: I): Int } input I { x: Int! @inaccessible y: Int }"]),
    ("REFERENCED_INACCESSIBLE", "Query.a", "a",
     ["type Query { a: A x: Int } type A @inaccessible { x: Int }"]),
    ("ONLY_INACCESSIBLE_CHILDREN", "A", "a",
     ["type Query { a: A x: Int } type A { x: Int @inaccessible }"]),
    ("ONLY_INACCESSIBLE_CHILDREN", "U", "a",
     ["type Query { u: U } union U = A type A @inaccessible { x: Int }"]),
    ("IMPLEMENTED_BY_INACCESSIBLE", "A.x", "a",
     ["type Query { i: I } interface I { x: Int }"
      " type A implements I { x: Int @inaccessible y: Int }"]),
    ("DEFAULT_VALUE_USES_INACCESSIBLE", "Query.f(e:)", "a",
     ["type Query { f(e: E = P): Int } enum E { P @inaccessible Q }"]),
    ("DIRECTIVE_COMPOSITION_ERROR", "", "a",
     ['extend schema @composeDirective(name: "@mark") directive @mark on OBJECT'
      " type Query { x: Int }"]),
    ("INVALID_GRAPHQL", "Query.x", "a", ["type Query { x: Unknown }"]),
    ("INVALID_GRAPHQL", "Query.x", "a", ["type Query { x: Int x: Int }"]),
    ("INVALID_GRAPHQL", "Query.y", "a", ["type Query { x: Int } extend type Query { y: Oops }"]),
    ("INVALID_GRAPHQL", "", "a", ["type Query { x:"]),
    ("INVALID_GRAPHQL", "A.x", "ab",
     ["type Query { i: I } interface I { x: Int! }"
      " type A implements I @key(fields: \"id\") { id: ID! x: Int! @shareable }",
      f"{ENTITY} {{ id: ID! x: Int @shareable }}"]),
    ("ROOT_QUERY_USED", "Query", "a",
     ["schema { query: Start } type Start { q: Query } type Query { x: Int }"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "coordinate", "subgraphs", "sdls"),
    CASES,
    ids=[f"{code}-{number}" for number, (code, *_) in enumerate(CASES)],
)
def test_a_conflict_names_code_coordinate_and_subgraphs(
    code: str, coordinate: str, subgraphs: str, sdls: list[str]
) -> None:
    found = conflicts(*sdls)

    assert (code, coordinate, tuple(subgraphs)) in {
        (one.code, one.coordinate, one.subgraphs) for one in found
    }
    assert {one.code for one in found} == {code}


def test_all_conflicts_are_reported_at_once() -> None:
    found = conflicts(
        "type Query { x: Int @shareable a: A f(e: E): Int } type A { y: Int } enum E { P Q }",
        "type Query { x: ID @shareable b: A e: E } type A { y: Int } enum E { P }",
    )

    assert {one.code for one in found} == {
        "FIELD_TYPE_MISMATCH",
        "INVALID_FIELD_SHARING",
        "ENUM_VALUE_MISMATCH",
    }


def test_faults_of_every_subgraph_are_reported_at_once() -> None:
    found = conflicts("type Query { x: Nope }", "type Query { y: Nada }")

    assert [one.subgraphs for one in found] == [("a",), ("b",)]


def test_an_interface_that_is_an_object_elsewhere_does_not_hide_other_conflicts() -> None:
    found = conflicts(
        "type Query { i: I x: Int } interface I { id: ID! } type A implements I { id: ID! }",
        "type Query { x: Int } type I { id: ID! }",
    )

    assert {one.code for one in found} == {"TYPE_KIND_MISMATCH", "INVALID_FIELD_SHARING"}


def test_nothing_can_not_be_composed() -> None:
    assert [one.code for one in conflicts()] == ["NO_QUERIES"]


def test_messages_name_subgraph_type_and_field() -> None:
    (found,) = conflicts("type Query { x: Int @shareable }", "type Query { x: ID @shareable }")

    assert found.message == (
        'Types of "Query.x" do not agree: "Int" in subgraph "a", "ID" in subgraph "b".'
    )


def test_an_override_from_a_subgraph_that_is_not_there_is_a_hint() -> None:
    composition = composed('type Query { x: Int @override(from: "gone") }')

    assert [hint.code for hint in composition.hints] == ["FROM_SUBGRAPH_DOES_NOT_EXIST"]
    assert element(composition, "Query.x") == "x: Int"


@pytest.mark.parametrize("names", [("a", "a"), ("", "b"), ("--", "b")])
def test_every_subgraph_needs_a_name_of_its_own(names: tuple[str, str]) -> None:
    with pytest.raises(CompositionFailed) as failed:
        compose([SubgraphSdl(name, "", "type Query { x: Int }") for name in names])

    assert {one.code for one in failed.value.conflicts} == {"INVALID_SUBGRAPH_NAME"}


@pytest.mark.parametrize(
    ("arguments", "given", "fault"),
    [
        ("x: Int!", "", 'needs its argument "x"'),
        ("x: Int", "(y: 2)", 'takes no argument "y"'),
        ("x: Int", '(x: "two")', 'of type "Int", not "two"'),
        ("x: Int", "(x: 2147483648)", 'of type "Int", not 2147483648'),
        ("x: Int!", "(x: null)", 'of type "Int!", not null'),
        ("x: Int", "(x: $x)", 'of type "Int", not $x'),
        ("x: Any", "(x: [{ y: $x }])", "not [{ y: $x }]"),
        ("x: [Int!]", "(x: [1, null])", "not [1, null]"),
        ("x: Unit", "(x: TON)", 'of type "Unit", not TON'),
        ("x: By", "(x: { unit: KG })", 'of type "By", not { unit: KG }'),
        ("x: By", "(x: { id: 1, size: 2 })", "not { id: 1, size: 2 }"),
    ],
)
def test_requires_gives_a_field_the_arguments_it_takes(
    arguments: str, given: str, fault: str
) -> None:
    inputs = " scalar Any enum Unit { KG LB } input By { id: ID! unit: Unit = KG }"
    (conflict,) = conflicts(
        f'type Query {{ a: A }} type A @key(fields: "id") {{ id: ID! n({arguments}): Int }}'
        + inputs,
        f'type A @key(fields: "id") {{ id: ID! n({arguments}): Int @external'
        f' m: Int @requires(fields: "n{given}") }}'.replace('"two"', '\\"two\\"')
        + inputs,
    )

    assert (conflict.code, conflict.coordinate) == ("REQUIRES_INVALID_FIELDS", "A.m")
    assert conflict.subgraphs == ("b",)
    assert "A.n" in conflict.message
    assert fault in conflict.message


@pytest.mark.parametrize(
    "given",
    [
        "",
        '(i: 1, f: 2, s: "x", b: true, d: 7, l: 3, e: KG, by: { id: "1" }, any: [{ x: KG }])',
        "(i: null, f: 2.5, l: [1, null], by: { id: 1, unit: null })",
    ],
)
def test_requires_may_give_whatever_a_client_may_write(given: str) -> None:
    arguments = (
        "i: Int, f: Float, s: String, b: Boolean, d: ID, l: [Int], e: Unit, by: By, any: Any"
    )
    declared = f"n({arguments}): Int"
    inputs = " scalar Any enum Unit { KG LB } input By { id: ID! unit: Unit = KG }"
    text = f"n{given}".replace('"', '\\"')

    composed(
        f'type Query {{ a: A }} type A @key(fields: "id") {{ id: ID! {declared} }}' + inputs,
        f'type A @key(fields: "id") {{ id: ID! {declared} @external'
        f' m: Int @requires(fields: "{text}") }}' + inputs,
    )


def test_what_only_advises_other_gateways_is_left_out_with_a_hint() -> None:
    link = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.12",'
        ' import: ["@cost", "@listSize", "@cacheTag"]) '
    )
    composition = composed(
        link + 'type Query { x(n: Int @cost(weight: 2)): [Int] @listSize(slicingArguments: ["n"])'
        ' @cacheTag(format: "x") @cacheTag(format: "y") }',
        federation_1=True,  # It links to the federation by itself.
    )

    assert [(hint.code, hint.subgraphs, hint.coordinate) for hint in composition.hints] == [
        ("DIRECTIVE_LEFT_OUT", ("a",), name) for name in ("@cacheTag", "@cost", "@listSize")
    ]
    assert element(composition, "Query.x") == "x(n: Int): [Int]"
