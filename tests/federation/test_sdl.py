from __future__ import annotations

import pytest

from gateway.federation.sdl import SdlRefused, read_subgraph
from gateway.federation.subgraph import Key, Kind, Override, Subgraph

LINK = '@link(url: "https://specs.apollo.dev/federation/v2.3", import: [{imports}])'


def read(sdl: str, imports: str | None = None) -> Subgraph:
    head = "" if imports is None else f"extend schema {LINK.format(imports=imports)}\n"
    return read_subgraph(head + sdl, name="a", url="http://a")


def test_keys_carry_whether_they_are_resolvable() -> None:
    subgraph = read(
        'type A @key(fields: "id") @key(fields: "o { id }", resolvable: false)'
        " { id: ID! o: O } type O { id: ID! }",
        '"@key"',
    )

    assert subgraph.types["A"].keys == (Key("id"), Key("o { id }", resolvable=False))


@pytest.mark.parametrize(
    ("head", "used"),
    [
        ('import: ["@key"]', "@key"),
        ('import: [{ name: "@key", as: "@pk" }]', "@pk"),
        ("import: []", "@federation__key"),
        ('as: "fed"', "@fed__key"),
    ],
)
def test_directives_mean_the_same_under_any_name(head: str, used: str) -> None:
    link = f'@link(url: "https://specs.apollo.dev/federation/v2.3", {head})'

    subgraph = read(f'extend schema {link} type A {used}(fields: "id") {{ id: ID! }}')

    assert subgraph.types["A"].keys == (Key("id"),)


def test_fields_carry_their_ownership() -> None:
    subgraph = read(
        'type A @key(fields: "id") { id: ID! n: Int @external m: Int @requires(fields: "n")'
        ' b: B @provides(fields: "x") o: Int @override(from: "z") s: Int @shareable }'
        " type B { x: Int @external }",
        '"@key", "@external", "@requires", "@provides", "@override", "@shareable"',
    )

    fields = subgraph.types["A"].fields
    assert fields["n"].external
    assert fields["m"].requires == "n"
    assert fields["b"].provides == "x"
    assert fields["o"].override == Override("z")
    assert [name for name, field in fields.items() if field.shareable] == ["s"]


def test_a_directive_on_the_type_holds_for_its_fields() -> None:
    subgraph = read(
        "type A @shareable { x: Int } type B @external { y: Int }", '"@shareable", "@external"'
    )

    assert subgraph.types["A"].fields["x"].shareable
    assert subgraph.types["B"].fields["y"].external


@pytest.mark.parametrize("spelling", ["extend type A", "type A @extends"])
def test_an_extension_knows_its_key_although_it_is_marked_external(spelling: str) -> None:
    subgraph = read(
        f'{spelling} @key(fields: "id") {{ id: ID! @external n: Int @external }}',
        '"@key", "@external", "@extends"',
    )

    declared = subgraph.types["A"]
    assert declared.is_extension
    assert not declared.fields["id"].external
    assert declared.fields["n"].external


def test_extensions_are_merged_into_their_type() -> None:
    subgraph = read(
        "type A { x: Int } extend type A { y: Int } enum E { P } extend enum E { Q }"
        " union U = A extend union U = B type B { z: Int }",
        "",
    )

    assert list(subgraph.types["A"].fields) == ["x", "y"]
    assert list(subgraph.types["E"].values) == ["P", "Q"]
    assert subgraph.types["U"].members == ("A", "B")
    assert not subgraph.types["A"].is_extension


def test_without_a_link_it_is_federation_1_and_all_is_shared() -> None:
    subgraph = read('type A @key(fields: "id") { id: ID! n: Int }')

    assert subgraph.is_federation_1
    assert subgraph.types["A"].fields["n"].shareable


def test_what_a_server_adds_for_the_federation_is_left_out() -> None:
    subgraph = read(
        "directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable"
        " on OBJECT | INTERFACE "
        "directive @link(url: String!, import: [link__Import]) repeatable on SCHEMA "
        "scalar federation__FieldSet scalar link__Import scalar _Any union _Entity = A "
        "type _Service { sdl: String! } "
        "type Query { _entities(representations: [_Any!]!): [_Entity]! _service: _Service! x: Int }"
        ' type A @key(fields: "id") { id: ID! }',
        '"@key"',
    )

    assert sorted(subgraph.types) == ["A", "Query"]
    assert list(subgraph.types["Query"].fields) == ["x"]


def test_markers_are_read_on_every_kind_of_element() -> None:
    subgraph = read(
        'type Query { f(x: Int @inaccessible): E @requiresScopes(scopes: [["p", "q"], ["r"]]) }'
        ' enum E { P @tag(name: "t") @deprecated Q @deprecated(reason: "old") }'
        " input I @inaccessible { y: Int }",
        '"@inaccessible", "@tag", "@requiresScopes"',
    )

    field = subgraph.types["Query"].fields["f"]
    assert field.arguments["x"].markers.inaccessible
    assert field.markers.scopes == (("p", "q"), ("r",))
    values = subgraph.types["E"].values
    assert values["P"].markers.tags == ("t",)
    assert values["P"].markers.deprecated == "No longer supported"
    assert values["Q"].markers.deprecated == "old"
    assert subgraph.types["I"].markers.inaccessible


def test_interface_objects_stay_objects_that_say_so() -> None:
    subgraph = read(
        'type I @interfaceObject @key(fields: "id") { id: ID! }', '"@key", "@interfaceObject"'
    )

    assert subgraph.types["I"].kind is Kind.OBJECT
    assert subgraph.types["I"].is_interface_object


@pytest.mark.parametrize(
    ("code", "sdl"),
    [
        ("INVALID_GRAPHQL", "type Query {"),
        ("INVALID_GRAPHQL", "type Query { x: Unknown }"),
        ("INVALID_GRAPHQL", "type Query { x: Int @shareable }"),
        ("INVALID_GRAPHQL", "type A { x: Int } type A { y: Int }"),
        ("INVALID_GRAPHQL", "type A { x: Int } extend interface A { y: Int }"),
        (
            "UNKNOWN_FEDERATION_LINK_VERSION",
            'extend schema @link(url: "https://specs.apollo.dev/federation/v9.9")',
        ),
        (
            "INVALID_LINK_DIRECTIVE_USAGE",
            "extend schema " + LINK.format(imports='"@unheard"'),
        ),
        (
            "INVALID_LINK_DIRECTIVE_USAGE",
            "extend schema " + LINK.format(imports='{ name: "@key", as: "key" }'),
        ),
        (
            "INVALID_GRAPHQL",
            "extend schema "
            + LINK.format(imports='"@authenticated"')
            + " input In { y: Int @authenticated }",
        ),
        ("UNSUPPORTED_FEATURE", "extend schema " + LINK.format(imports='"@fromContext"')),
        (
            "UNSUPPORTED_FEATURE",
            'extend schema @link(url: "https://specs.apollo.dev/connect/v0.1")',
        ),
    ],
)
def test_an_sdl_is_refused_with_a_code(code: str, sdl: str) -> None:
    with pytest.raises(SdlRefused) as refused:
        read(sdl)

    assert code in {fault.code for fault in refused.value.faults}


def test_every_fault_of_a_schema_is_reported() -> None:
    with pytest.raises(SdlRefused) as refused:
        read("type Query { x: Nope y: Nada }")

    assert len(refused.value.faults) == 2
