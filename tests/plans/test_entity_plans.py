from __future__ import annotations

import pytest

from gateway.federation.faults import FaultCode, RequestRefused
from tests.plans.planning import planned, printed, supergraph_of, text

SHOP = supergraph_of(
    """
    type Query @everywhere {
      product(id: ID!): Product @join__field(graph: A)
      products: [Product!]! @join__field(graph: A)
      shelf: [[Product]] @join__field(graph: A)
      best: Product @join__field(graph: B)
    }
    type Product
      @join__type(graph: A, key: "id")
      @join__type(graph: B, key: "id")
      @join__type(graph: B, key: "upc")
      @join__type(graph: C, key: "upc")
    {
      id: ID! @join__field(graph: A) @join__field(graph: B)
      upc: ID! @join__field(graph: B) @join__field(graph: C)
      name: String @join__field(graph: A)
      price(currency: String): Int @join__field(graph: B)
      stock: Int @join__field(graph: C)
      maker: Maker @join__field(graph: A)
    }
    type Maker @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      name: String @join__field(graph: A)
      country: String @join__field(graph: B)
    }
    """
)


def test_a_field_of_another_subgraph_is_fetched_by_key() -> None:
    assert printed(SHOP, "{ product(id: 1) { name price } }") == text(
        """
        Sequence
          Fetch a
            {product(id:1){__typename name id}}
          Fetch b
            $_r0 at product: Product {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{price}}}
        """
    )


def test_an_operation_that_one_subgraph_answers_needs_one_request() -> None:
    assert printed(SHOP, "{ products { id name maker { id name } } }") == text(
        """
        Fetch a
          {products{id name maker{id name}}}
        """
    )


def test_a_key_that_only_a_third_subgraph_knows_is_fetched_first() -> None:
    assert printed(SHOP, "{ product(id: 1) { stock } }") == text(
        """
        Sequence
          Fetch a
            {product(id:1){__typename id}}
          Fetch b
            $_r0 at product: Product {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{upc}}}
          Fetch c
            $_r0 at product: Product {upc}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{stock}}}
        """
    )


def test_entities_of_several_places_share_one_request_per_subgraph_and_wave() -> None:
    assert printed(SHOP, "{ product(id: 1) { price maker { country } } shelf { price } }") == text(
        """
        Sequence
          Fetch a
            {product(id:1){__typename maker{__typename id} id} shelf{__typename id}}
          Fetch b
            $_r0 at product.maker: Maker {id}
            $_r1 at product: Product {id}
            $_r2 at shelf.@.@: Product {id}
            query($_r0:[_Any!]!,$_r1:[_Any!]!,$_r2:[_Any!]!){\
_e0:_entities(representations:$_r0){...on Maker{country}} \
_e1:_entities(representations:$_r1){...on Product{price}} \
_e2:_entities(representations:$_r2){...on Product{price}}}
        """
    )


def test_one_field_with_two_arguments_is_fetched_once_each() -> None:
    operation = '{ product(id: 1) { eur: price(currency: "EUR") gbp: price(currency: "GBP") } }'

    assert printed(SHOP, operation) == text(
        """
        Sequence
          Fetch a
            {product(id:1){__typename id}}
          Fetch b
            $_r0 at product: Product {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{\
eur:price(currency:"EUR") gbp:price(currency:"GBP")}}}
        """
    )


def test_a_client_alias_that_hides_a_key_makes_the_key_travel_under_another_name() -> None:
    assert printed(SHOP, "{ product(id: 1) { id: name price } }") == text(
        """
        Sequence
          Fetch a
            {product(id:1){__typename id:name id__1:id}}
            renamed: id__1 is id
          Fetch b
            $_r0 at product: Product {id=id__1}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{price}}}
        """
    )


def test_a_request_waits_for_a_later_one_to_the_same_subgraph_when_nothing_waits_for_it() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { product: Product @join__field(graph: A) }
        type Product
          @join__type(graph: A, key: "id")
          @join__type(graph: B, key: "id")
          @join__type(graph: C, key: "id")
        {
          id: ID!
          weight: Int @join__field(graph: B) @join__field(graph: C, external: true)
          stock: Int @join__field(graph: C)
          shipping: Int @join__field(graph: C, requires: "weight")
        }
        """
    )

    assert printed(supergraph, "{ product { stock shipping } }") == text(
        """
        Sequence
          Fetch a
            {product{__typename id}}
          Fetch b
            $_r0 at product: Product {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{weight}}}
          Fetch c
            $_r0 at product: Product {id weight?}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){\
...on Product{shipping stock}}}
        """
    )


def test_composite_and_nested_keys_are_sent_whole() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { line: Line @join__field(graph: A) }
        type Line
          @join__type(graph: A, key: "order { id } no")
          @join__type(graph: B, key: "order { id } no")
        {
          order: Order!
          no: Int!
          total: Int @join__field(graph: B)
        }
        type Order @join__type(graph: A) @join__type(graph: B) { id: ID! }
        """,
        subgraphs="A B",
    )

    assert printed(supergraph, "{ line { total } }") == text(
        """
        Sequence
          Fetch a
            {line{__typename order{id} no}}
          Fetch b
            $_r0 at line: Line {order{id} no}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Line{total}}}
        """
    )


UNRESOLVABLE = """
    type Query @everywhere { product: Product @join__field(graph: A) }
    type Product
      @join__type(graph: A, key: "id")
      @join__type(graph: B, key: "id", resolvable: false)
      OTHER_KEY
    {
      id: ID!
      sku: ID! @join__field(graph: A) @join__field(graph: B)
      price: Int @join__field(graph: B)
    }
"""


def test_a_key_that_is_not_resolvable_is_not_used() -> None:
    body = UNRESOLVABLE.replace("OTHER_KEY", '@join__type(graph: B, key: "sku")')

    assert "Product {sku}" in printed(supergraph_of(body), "{ product { price } }")


def test_a_field_out_of_reach_refuses_the_operation() -> None:
    supergraph = supergraph_of(UNRESOLVABLE.replace("OTHER_KEY", ""))

    with pytest.raises(RequestRefused) as refused:
        planned(supergraph, "{ product { id price } }")

    (fault,) = refused.value.faults
    assert fault.code == FaultCode.UNPLANNABLE
    assert fault.message == (
        "No chain of subgraphs resolves Query.product.price; "
        "out of reach: Product.price (only b answers it)."
    )


def test_a_field_taken_over_is_asked_of_its_new_owner_only() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { product: Product @join__field(graph: A) }
        type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          price: Int
            @join__field(graph: A, usedOverridden: true)
            @join__field(graph: B, override: "a")
        }
        """,
        subgraphs="A B",
    )

    assert printed(supergraph, "{ product { price } }") == text(
        """
        Sequence
          Fetch a
            {product{__typename id}}
          Fetch b
            $_r0 at product: Product {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{price}}}
        """
    )


def test_parts_of_a_value_type_are_fetched_through_the_entity_above_it() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { product: Product @join__field(graph: A) }
        type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          size: Size
        }
        type Size @join__type(graph: A) @join__type(graph: B) {
          width: Int @join__field(graph: A)
          depth: Int @join__field(graph: B)
        }
        """,
        subgraphs="A B",
    )

    assert printed(supergraph, "{ product { size { width depth } } }") == text(
        """
        Sequence
          Fetch a
            {product{__typename size{width} id}}
          Fetch b
            $_r0 at product: Product {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{size{depth}}}}
        """
    )
