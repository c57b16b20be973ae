from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from gateway.federation.composition import SubgraphSdl, compose
from tests.federation.composition.subgraphs import FEDERATION_2

GOLDEN = Path(__file__).parent / "golden"

SHOP = {
    "accounts": """
        type User @key(fields: "id") { id: ID! name: String username: String @shareable }
        type Query { me: User users: [User] }
    """,
    "inventory": """
        type Product @key(fields: "upc") {
          upc: String!
          weight: Int @external
          price: Int @external
          inStock: Boolean
          shippingEstimate: Int @requires(fields: "price weight")
        }
    """,
    "products": """
        "Something for sale."
        type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }
        type Query { "The best first." topProducts("At most." first: Int = 5): [Product] }
    """,
    "reviews": """
        type Review @key(fields: "id") {
          id: ID!
          body: String
          product: Product
          author: User @provides(fields: "username")
        }
        type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] }
        type Product @key(fields: "upc") { upc: String! reviews: [Review] }
    """,
}

LIBRARY = {
    "catalogue": """
        extend schema
          @link(url: "https://specs.graphql.org/oneof/v1.0", import: ["@oneOf"])
          @composeDirective(name: "@oneOf")
        directive @oneOf on INPUT_OBJECT
        scalar Day @specifiedBy(url: "https://day")
        interface Work @key(fields: "id") { id: ID! title: String! }
        type Book implements Work @key(fields: "id") { id: ID! title: String! pages: Int }
        type Film implements Work @key(fields: "id") { id: ID! title: String! minutes: Int }
        union Found = Book | Film
        enum Shelf { OPEN CLOSED SECRET @inaccessible }
        input Wanted @oneOf { title: String shelf: Shelf }
        type Query { find(wanted: Wanted!): [Found!]! work(id: ID!): Work @tag(name: "open") }
    """,
    "lending-2": """
        type Work @interfaceObject @key(fields: "id") {
          id: ID!
          lentUntil: Day @requiresScopes(scopes: [["reader"], ["staff"]])
        }
        scalar Day
        type Query { lent: [Work!] @authenticated shelf: Shelf }
        enum Shelf { OPEN CLOSED }
        type Mutation { lend(id: ID!, until: Day): Work @deprecated(reason: "Ask at the desk.") }
    """,
}


def subgraphs(sdl_by_name: dict[str, str]) -> list[SubgraphSdl]:
    return [
        SubgraphSdl(name, f"http://{name}.example", FEDERATION_2 + sdl)
        for name, sdl in sdl_by_name.items()
    ]


@pytest.mark.parametrize(("name", "sdls"), [("shop", SHOP), ("library", LIBRARY)])
def test_the_supergraph_is_this_text(name: str, sdls: dict[str, str]) -> None:
    golden = (GOLDEN / f"{name}.graphql").read_text(encoding="utf-8")

    assert compose(subgraphs(sdls)).supergraph_sdl == golden


def test_the_order_of_subgraphs_does_not_change_the_text() -> None:
    texts = {compose(order).supergraph_sdl for order in permutations(subgraphs(SHOP))}

    assert len(texts) == 1


def test_names_of_subgraphs_become_distinct_enum_values() -> None:
    given = [
        SubgraphSdl(name, "", "type Query { x: Int }")
        for name in ("my-shop", "my.shop", "9lives", "shop_1")
    ]

    text = compose(given).supergraph_sdl

    for name, value in {
        "my-shop": "MY_SHOP_1",
        "my.shop": "MY_SHOP_2",
        "9lives": "_9LIVES",
        "shop_1": "SHOP_1_",
    }.items():
        assert f'  {value} @join__graph(name: "{name}", url: "")' in text
