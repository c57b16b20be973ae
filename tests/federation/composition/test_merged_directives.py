"""What directives and descriptions say of a thing that several subgraphs declare."""

from __future__ import annotations

from graphql import build_schema

from tests.federation.composition.subgraphs import composed, element


def test_tags_and_hiding_are_united() -> None:
    composition = composed(
        'type Query { x: Int @shareable @tag(name: "two") @tag(name: "one") y: Int }',
        'type Query { x: Int @shareable @tag(name: "three") @inaccessible }',
    )

    assert element(composition, "Query.x") == (
        'x: Int @inaccessible @tag(name: "one") @tag(name: "three") @tag(name: "two")'
    )


def test_scopes_of_several_subgraphs_must_all_hold() -> None:
    composition = composed(
        'type Query { x: Int @shareable @requiresScopes(scopes: [["p", "q"], ["r"]]) }',
        'type Query { x: Int @shareable @requiresScopes(scopes: [["p"], ["r"]]) }',
    )

    assert element(composition, "Query.x") == (
        'x: Int @requiresScopes(scopes: [["p", "q"], ["r"]])'
    )


def test_one_subgraph_is_enough_to_ask_for_authentication() -> None:
    composition = composed(
        "type Query { x: Int @shareable @authenticated }", "type Query { x: Int @shareable }"
    )

    assert element(composition, "Query.x") == "x: Int @authenticated"


def test_an_interface_asks_what_its_objects_ask() -> None:
    composition = composed(
        "type Query { i: I } interface I { x: Int }"
        ' type A implements I @authenticated { x: Int @requiresScopes(scopes: [["s"]]) }'
    )

    assert element(composition, "I").endswith("@authenticated")
    assert element(composition, "I.x") == 'x: Int @requiresScopes(scopes: [["s"]])'


def test_the_most_frequent_description_is_kept() -> None:
    composition = composed(
        'type Query { "One." x: Int @shareable }',
        'type Query { "Two." x: Int @shareable }',
        'type Query { "Two." x: Int @shareable }',
    )

    assert '"Two."\n  x: Int' in composition.supergraph_sdl
    assert [hint.code for hint in composition.hints] == ["INCONSISTENT_DESCRIPTION"]


def test_descriptions_with_quotes_and_lines_survive() -> None:
    text = 'Says "no".\nThen more.'
    composition = composed(f'type Query {{ """{text}""" x("Of \\"x\\"." a: Int): Int }}')

    field = build_schema(composition.supergraph_sdl).query_type.fields["x"]
    assert field.description == text
    assert field.args["a"].description == 'Of "x".'


def test_deprecations_and_scalars_keep_what_they_say() -> None:
    composition = composed(
        'scalar D @specifiedBy(url: "https://d") type Query { d: D @deprecated(reason: "old") }'
    )

    assert element(composition, "D").endswith('@specifiedBy(url: "https://d")')
    assert element(composition, "Query.d") == 'd: D @deprecated(reason: "old")'


def test_a_composed_directive_stays_with_its_link() -> None:
    head = (
        'extend schema @link(url: "https://specs.graphql.org/oneof/v1.0", import: ["@oneOf"])'
        ' @composeDirective(name: "@oneOf") directive @oneOf on INPUT_OBJECT '
    )

    composition = composed(head + "type Query { f(i: I): Int } input I @oneOf { x: Int y: Int }")

    assert element(composition, "I").endswith("@oneOf")
    assert '@link(url: "https://specs.graphql.org/oneof/v1.0", import: ["@oneOf"])' in (
        composition.supergraph_sdl
    )
    assert "directive @oneOf on INPUT_OBJECT" in composition.supergraph_sdl


def test_a_directive_that_nobody_composes_is_left_out() -> None:
    composition = composed(
        "directive @mark on FIELD_DEFINITION type Query { x: Int @mark }", "type Query { y: Int }"
    )

    assert "@mark" not in composition.supergraph_sdl


def test_a_client_directive_needs_every_subgraph() -> None:
    composition = composed(
        "directive @live on QUERY directive @only on FIELD type Query { x: Int }",
        "directive @live on QUERY | FIELD type Query { y: Int }",
    )

    assert "directive @live on QUERY\n" in composition.supergraph_sdl
    assert "@only" not in composition.supergraph_sdl


def test_what_an_interface_object_guards_is_guarded_in_every_object() -> None:
    composition = composed(
        'type Query { i: I } interface I @key(fields: "id") { id: ID! n: Int }'
        ' type A implements I @key(fields: "id") { id: ID! n: Int @shareable }'
        ' type B implements I @key(fields: "id")'
        ' { id: ID! n: Int @shareable @requiresScopes(scopes: [["b"]]) }',
        'type I @interfaceObject @key(fields: "id")'
        ' { id: ID! n: Int @shareable @requiresScopes(scopes: [["a"]]) }',
    )

    assert element(composition, "A.n") == 'n: Int @requiresScopes(scopes: [["a"]])'
    assert element(composition, "B.n") == 'n: Int @requiresScopes(scopes: [["a", "b"]])'
    assert element(composition, "I.n") == 'n: Int @requiresScopes(scopes: [["a", "b"]])'


def test_a_field_may_be_deprecated_where_its_interface_is_not() -> None:
    composition = composed(
        "type Query { i: I } interface I { id: ID! n: Int }"
        ' type A implements I { id: ID! n: Int @deprecated(reason: "old") }'
    )

    assert element(composition, "A.n") == 'n: Int @deprecated(reason: "old")'
