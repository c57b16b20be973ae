from __future__ import annotations

import pytest

from tests.federation.composition.subgraphs import composed, conflicts

REACHABLE = {
    "a key that both subgraphs know": [
        'type Query { a: A } type A @key(fields: "id") { id: ID! }',
        'type A @key(fields: "id") { id: ID! n: Int }',
    ],
    "a third subgraph that knows both keys": [
        'type Query { a: A } type A @key(fields: "id") { id: ID! }',
        'type A @key(fields: "sku") { sku: ID! n: Int }',
        'type A @key(fields: "id") @key(fields: "sku") { id: ID! sku: ID! }',
    ],
    "a key gathered from two subgraphs": [
        'type Query { a: A } type A @key(fields: "id") { id: ID! }',
        'type A @key(fields: "id") { id: ID! sku: ID! @shareable }',
        'type A @key(fields: "id sku") { id: ID! sku: ID! n: Int }',
    ],
    "a key of nested fields": [
        'type Query { a: A } type A @key(fields: "o { id }") { o: O }'
        ' type O @key(fields: "id") { id: ID! }',
        'type A @key(fields: "o { id }") { o: O n: Int } type O @key(fields: "id") { id: ID! }',
    ],
    "a value type fetched again through its shared parent": [
        'type Query { e: E } type E @key(fields: "id") { id: ID! v: V @shareable }'
        " type V @shareable { x: Int }",
        'type E @key(fields: "id") { id: ID! v: V @shareable } type V @shareable { x: Int z: Int }',
    ],
    "a root field that both subgraphs share": [
        "type Query { v: V @shareable } type V @shareable { x: Int }",
        "type Query { v: V @shareable } type V @shareable { x: Int z: Int }",
    ],
    "a field that the path provides": [
        'type Query { a: A @provides(fields: "n") } type A @key(fields: "id")'
        " { id: ID! n: Int @external }",
        'type A @key(fields: "id", resolvable: false) { id: ID! n: Int @shareable }',
    ],
    "a requirement that another subgraph answers": [
        'type Query { a: A } type A @key(fields: "id") { id: ID! }',
        'type A @key(fields: "id") { id: ID! n: Int @external m: Int @requires(fields: "n") }',
        'type A @key(fields: "id") { id: ID! n: Int }',
    ],
    "a requirement on another requirement": [
        'type Query { a: A } type A @key(fields: "id") { id: ID! n: Int }',
        'type A @key(fields: "id") { id: ID! n: Int @external m: Int @requires(fields: "n") }',
        'type A @key(fields: "id") { id: ID! m: Int @external k: Int @requires(fields: "m") }',
    ],
    "an interface whose objects have keys": [
        "type Query { i: I } interface I { id: ID! }"
        ' type A implements I @key(fields: "id") { id: ID! }',
        "interface I { id: ID! n: Int }"
        ' type A implements I @key(fields: "id") { id: ID! n: Int }',
    ],
    "an interface object and its real interface": [
        'type Query { i: I } interface I @key(fields: "id") { id: ID! x: Int }'
        ' type A implements I @key(fields: "id") { id: ID! x: Int }',
        'type Query { j: I } type I @interfaceObject @key(fields: "id") { id: ID! n: Int }',
    ],
    "a hidden field out of reach": [
        "type Query { v: V } type V @shareable { x: Int }",
        "type Query { w: V } type V @shareable { x: Int z: Int @inaccessible }",
    ],
}  # fmt: skip

UNREACHABLE = {
    "no key": (
        "A.n", "ab",
        ["type Query { a: A } type A @shareable { id: ID! }",
         "type Query { b: A } type A @shareable { id: ID! n: Int }"],
    ),
    "a key that is not resolvable": (
        "A.n", "ab",
        ['type Query { a: A } type A @key(fields: "id") { id: ID! }',
         'type A @key(fields: "id", resolvable: false) { id: ID! n: Int }'],
    ),
    "another key": (
        "A.n", "ab",
        ['type Query { a: A } type A @key(fields: "id") { id: ID! }',
         'type A @key(fields: "sku") { sku: ID! n: Int }'],
    ),
    "a value type on one path only": (
        "V.z", "ab",
        ["type Query { a: V } type V @shareable { x: Int }",
         "type Query { b: V } type V @shareable { x: Int z: Int }"],
    ),
    "a provided field on a path that does not provide it": (
        "A.n", "ab",
        ['type Query { p: A @provides(fields: "n") a: A } type A @key(fields: "id")'
         " { id: ID! n: Int @external }",
         'type A @key(fields: "id", resolvable: false) { id: ID! n: Int @shareable }'],
    ),
    "a requirement out of reach": (
        "A.m", "ab",
        ['type Query { a: A } type A @key(fields: "id") { id: ID! }',
         'type A @key(fields: "id") { id: ID! n: Int @external m: Int @requires(fields: "n") }',
         'type A @key(fields: "sku") { sku: ID! n: Int }'],
    ),
    "requirements in a circle": (
        "A.x", "ab",
        ['type Query { a: A } type A @key(fields: "id")'
         ' { id: ID! x: Int @requires(fields: "y") y: Int @external }',
         'type A @key(fields: "id") { id: ID! y: Int @requires(fields: "x") x: Int @external }'],
    ),
    "a labelled override whose old owner can not be reached": (
        "A.n", "ab",
        ['type Query { a: A } type A @key(fields: "id")'
         ' { id: ID! n: Int @override(from: "b", label: "percent(5)") }',
         'type A @key(fields: "id", resolvable: false) { id: ID! n: Int }'],
    ),
    "an interface object whose real interface can not be reached": (
        "I.x", "ab",
        ['type Query { i: I } interface I @key(fields: "id", resolvable: false) { id: ID! x: Int }'
         ' type A implements I @key(fields: "id", resolvable: false) { id: ID! x: Int }',
         'type Query { j: I } type I @interfaceObject @key(fields: "id") { id: ID! n: Int }'],
    ),
}  # fmt: skip


@pytest.mark.parametrize("sdls", REACHABLE.values(), ids=REACHABLE)
def test_a_field_is_reached_by(sdls: list[str]) -> None:
    assert composed(*sdls).supergraph_sdl


@pytest.mark.parametrize(("coordinate", "subgraphs", "sdls"), UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_field_is_out_of_reach_with(coordinate: str, subgraphs: str, sdls: list[str]) -> None:
    found = conflicts(*sdls)

    assert {one.code for one in found} == {"SATISFIABILITY_ERROR"}
    assert coordinate in {one.coordinate for one in found}
    assert set(subgraphs) <= {name for one in found for name in one.subgraphs}


def test_the_message_shows_a_shortest_query_and_the_reason() -> None:
    (found,) = conflicts(
        'type Query { far: B a: A } type B { a: A } type A @key(fields: "id") { id: ID! }',
        'type A @key(fields: "sku") { sku: ID! n: Int }',
        'type Query { c: A } type A @key(fields: "sku") { sku: ID! }',
    )[:1]

    assert found.message == (
        "This query can not be answered:\n"
        "{\n"
        "  a {\n"
        "    n\n"
        "  }\n"
        "}\n"
        'Field "A.n" is out of reach from subgraph "a":\n'
        '- subgraph "b" answers "A.n", but no key of it can be had: "sku".'
    )
    assert found.hint


def test_a_type_test_is_part_of_the_path() -> None:
    (found,) = conflicts(
        "type Query { i: I } interface I { x: Int } type A implements I @shareable { x: Int }",
        "type Query { a: A } type A @shareable { x: Int n: Int }",
    )

    assert "  i {\n    ... on A {\n      n\n    }\n  }" in found.message
