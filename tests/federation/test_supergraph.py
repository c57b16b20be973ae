from __future__ import annotations

import pytest
from graphql import print_schema, validate_schema

from gateway.federation.public_schema import AccessRule
from gateway.federation.supergraph import Supergraph

SDL = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(
    url: "https://specs.apollo.dev/inaccessible/v0.2"
    import: [{ name: "@inaccessible", as: "@hidden" }]
  )
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1")
{
  query: Root
}
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @link(url: String) repeatable on SCHEMA
directive @hidden on FIELD_DEFINITION
directive @audited on FIELD_DEFINITION
directive @trace(level: Int) on FIELD | QUERY
directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION
scalar join__FieldSet
scalar link__Import
scalar requiresScopes__Scope
enum join__Graph {
  SHOP @join__graph(name: "shop", url: "http://shop")
  STOCK_ROOM @join__graph(name: "stock-room", url: "http://stock")
}
type Root @join__type(graph: SHOP) {
  "All there is."
  items(first: Int = 10, secret: Int @hidden): [Item] @audited
  find(by: By!): Item @requiresScopes(scopes: [["a", "b"], ["c"]])
  internal: Internal
  staff: Item @hidden
}
input By @oneOf @join__type(graph: SHOP) { id: ID name: String hint: String @hidden }
type Internal @join__type(graph: SHOP) @hidden { id: ID }
interface Named @join__type(graph: SHOP) { name: String }
interface Secret @join__type(graph: SHOP) @hidden { code: Int }
type Item implements Named & Secret
  @join__type(graph: SHOP, key: "id")
  @join__type(graph: STOCK_ROOM, key: "id", resolvable: false)
  @join__implements(graph: SHOP, interface: "Named")
  @authenticated
{
  id: ID!
  name: String @join__field(graph: SHOP)
  code: Int @join__field(graph: SHOP) @deprecated(reason: "use size")
  size: Size @join__field(graph: STOCK_ROOM)
}
union Any @join__type(graph: SHOP) @join__unionMember(graph: SHOP, member: "Item")
  @join__unionMember(graph: SHOP, member: "Internal") = Item | Internal
enum Size @join__type(graph: SHOP) {
  S @join__enumValue(graph: SHOP)
  TINY @join__enumValue(graph: SHOP) @hidden
}
"""

PUBLIC = '''
schema {
  query: Root
}

directive @trace(level: Int) on FIELD | QUERY

type Root {
  """All there is."""
  items(first: Int = 10): [Item]
  find(by: By!): Item
}

input By @oneOf {
  id: ID
  name: String
}

interface Named {
  name: String
}

type Item implements Named {
  id: ID!
  name: String
  code: Int @deprecated(reason: "use size")
  size: Size
}

union Any = Item

enum Size {
  S
}
'''


@pytest.fixture(name="supergraph", scope="module")
def read_supergraph() -> Supergraph:
    return Supergraph.parse(SDL)


def test_subgraphs_have_the_names_and_urls_they_were_composed_with(supergraph: Supergraph) -> None:
    assert dict(supergraph.subgraphs) == {"shop": "http://shop", "stock-room": "http://stock"}


def test_the_public_schema_has_nothing_of_federation_and_nothing_hidden(
    supergraph: Supergraph,
) -> None:
    assert validate_schema(supergraph.public_schema) == []
    assert print_schema(supergraph.public_schema).strip() == PUBLIC.strip()


def test_access_rules_are_kept_per_coordinate(supergraph: Supergraph) -> None:
    assert supergraph.scopes("Root", "find") == AccessRule(
        scopes=(frozenset({"a", "b"}), frozenset({"c"}))
    )
    assert supergraph.scopes("Item") == AccessRule(authenticated=True)
    assert supergraph.scopes("Item", "name") == AccessRule()


def test_fields_belong_to_the_subgraphs_that_join_them(supergraph: Supergraph) -> None:
    item = supergraph.types["Item"]

    assert set(item.fields["id"].subgraphs) == {"shop", "stock-room"}
    assert set(item.fields["size"].subgraphs) == {"stock-room"}
    assert [key.resolvable for key in item.subgraphs["stock-room"].keys] == [False]
    assert item.implements == {"shop": frozenset({"Named"})}


def test_a_plain_schema_is_no_supergraph() -> None:
    with pytest.raises(ValueError, match="join__Graph"):
        Supergraph.parse("type Query { a: Int }")


def test_a_field_that_takes_arguments_from_a_context_is_refused_by_name() -> None:
    taking = 'contextArguments: [{context: "c", name: "x", type: "Int", selection: "{ y }"}]'
    sdl = SDL.replace("size: Size @join__field(", f"size: Size @join__field({taking}, ")

    with pytest.raises(ValueError, match=r"Item\.size .* STOCK_ROOM .*@fromContext"):
        Supergraph.parse(sdl)


def test_a_field_that_a_connector_answers_is_refused_by_name() -> None:
    connected = '@join__directive(graphs: [SHOP], name: "connect", args: {selection: "id"})'
    sdl = SDL.replace("find(by: By!): Item", f"find(by: By!): Item {connected}")

    with pytest.raises(ValueError, match=r"Root\.find .* SHOP .*@connect"):
        Supergraph.parse(sdl)


def test_a_supergraph_of_federation_1_is_refused() -> None:
    owner = "directive @join__owner(graph: join__Graph!) on OBJECT"

    with pytest.raises(ValueError, match="Federation 1"):
        Supergraph.parse(f"{SDL} {owner}")


def test_unions_of_supergraphs_that_tell_no_members_have_all_that_the_subgraph_knows() -> None:
    # Such are those that Federation 2.0 composed, of join v0.2.
    sdl = SDL.replace('@join__unionMember(graph: SHOP, member: "Item")', "").replace(
        '@join__unionMember(graph: SHOP, member: "Internal")',
        "@join__type(graph: STOCK_ROOM)",
    )
    assert "@join__unionMember" not in sdl

    assert Supergraph.parse(sdl).types["Any"].members == {
        "shop": frozenset({"Item", "Internal"}),
        "stock-room": frozenset({"Item"}),
    }
