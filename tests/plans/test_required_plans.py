from __future__ import annotations

import pytest

from gateway.federation.faults import RequestRefused
from tests.plans.planning import planned, printed, supergraph_of, text

PARCEL = supergraph_of(
    """
    type Query @everywhere {
      parcel: Parcel @join__field(graph: A)
      inbox: [Parcel] @join__field(graph: B)
    }
    type Parcel
      @join__type(graph: A, key: "id")
      @join__type(graph: B, key: "id")
      @join__type(graph: C, key: "id")
    {
      id: ID!
      weight: Int @join__field(graph: A) @join__field(graph: B, external: true)
      price(currency: String): Int @join__field(graph: A) @join__field(graph: B, external: true)
      size: Size @join__field(graph: A) @join__field(graph: B, external: true)
      fee: Int
        @join__field(graph: B, requires: "weight") @join__field(graph: C, external: true)
      volumeFee: Int @join__field(graph: B, requires: "size { width depth }")
      total: Int @join__field(graph: C, requires: "fee")
      eur: Int @join__field(graph: B, requires: "price(currency: \\"EUR\\")")
      gbp: Int @join__field(graph: B, requires: "price(currency: \\"GBP\\")")
    }
    type Size @join__type(graph: A) @join__type(graph: B) { width: Int depth: Int height: Int }
    """
)


def test_required_fields_travel_with_the_key_and_may_be_null() -> None:
    assert printed(PARCEL, "{ parcel { fee } }") == text(
        """
        Sequence
          Fetch a
            {parcel{__typename id weight}}
          Fetch b
            $_r0 at parcel: Parcel {id weight?}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Parcel{fee}}}
        """
    )


def test_an_object_returns_to_its_own_subgraph_with_required_fields_of_another() -> None:
    assert printed(PARCEL, "{ inbox { fee } }") == text(
        """
        Sequence
          Fetch b
            {inbox{__typename id}}
          Fetch a
            $_r0 at inbox.@: Parcel {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Parcel{weight}}}
          Fetch b
            $_r0 at inbox.@: Parcel {id weight?}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Parcel{fee}}}
        """
    )


def test_nested_required_fields_are_sent_nested() -> None:
    assert printed(PARCEL, "{ parcel { volumeFee size { height } } }") == text(
        """
        Sequence
          Fetch a
            {parcel{__typename size{height width depth} id}}
          Fetch b
            $_r0 at parcel: Parcel {id size?{width depth}}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Parcel{volumeFee}}}
        """
    )


def test_a_required_field_may_itself_require_fields() -> None:
    assert printed(PARCEL, "{ parcel { total } }") == text(
        """
        Sequence
          Fetch a
            {parcel{__typename id weight}}
          Fetch b
            $_r0 at parcel: Parcel {id weight?}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Parcel{fee}}}
          Fetch c
            $_r0 at parcel: Parcel {id fee?}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Parcel{total}}}
        """
    )


def test_one_field_required_with_two_arguments_is_sent_in_two_inputs() -> None:
    assert printed(PARCEL, '{ parcel { eur gbp price(currency: "USD") } }') == text(
        """
        Sequence
          Fetch a
            {parcel{__typename price(currency:"USD") id price__1:price(currency:"EUR") \
price__2:price(currency:"GBP")}}
            renamed: price__1 is price, price__2 is price
          Fetch b
            $_r0 at parcel: Parcel {id price?=price__1}
            $_r1 at parcel: Parcel {id price?=price__2}
            query($_r0:[_Any!]!,$_r1:[_Any!]!){\
_e0:_entities(representations:$_r0){...on Parcel{eur}} \
_e1:_entities(representations:$_r1){...on Parcel{gbp}}}
        """
    )


def test_fields_required_in_a_circle_refuse_the_operation() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { parcel: Parcel @join__field(graph: A) }
        type Parcel
          @join__type(graph: A, key: "id")
          @join__type(graph: B, key: "id")
          @join__type(graph: C, key: "id")
        {
          id: ID!
          egg: Int
            @join__field(graph: B, requires: "hen") @join__field(graph: C, external: true)
          hen: Int
            @join__field(graph: C, requires: "egg") @join__field(graph: B, external: true)
        }
        """
    )

    with pytest.raises(RequestRefused, match=r"Parcel\.egg"):
        planned(supergraph, "{ parcel { egg } }")


def test_required_fields_of_an_interface_are_sent_with_the_type_of_each_object() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { owner: Owner @join__field(graph: A) }
        type Owner @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          pet: Pet @join__field(graph: A) @join__field(graph: B, external: true)
          walk: String @join__field(graph: B, requires: "pet { name ... on Dog { pace } }")
        }
        interface Pet @join__type(graph: A) @join__type(graph: B) { name: String }
        type Cat implements Pet
          @join__type(graph: A) @join__type(graph: B)
          @join__implements(graph: A, interface: "Pet")
          @join__implements(graph: B, interface: "Pet") { name: String }
        type Dog implements Pet
          @join__type(graph: A) @join__type(graph: B)
          @join__implements(graph: A, interface: "Pet")
          @join__implements(graph: B, interface: "Pet") { name: String pace: Int }
        """,
        subgraphs="A B",
    )

    assert printed(supergraph, "{ owner { walk } }") == text(
        """
        Sequence
          Fetch a
            {owner{__typename id pet{__typename name ...on Dog{pace}}}}
          Fetch b
            $_r0 at owner: Owner {id pet?{name __typename pace<Dog>}}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Owner{walk}}}
        """
    )


def test_requirements_of_objects_that_clients_never_see_are_fetched() -> None:
    supergraph = supergraph_of(
        """
        schema @link(url: "https://specs.apollo.dev/inaccessible/v0.2") { query: Query }
        directive @inaccessible on OBJECT | FIELD_DEFINITION
        type Query @everywhere { parcel: Parcel @join__field(graph: A) }
        type Parcel @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          box: Box @inaccessible @join__field(graph: A) @join__field(graph: B, external: true)
          fee: Int @join__field(graph: B, requires: "box { size }")
        }
        type Box @inaccessible @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          size: Int @join__field(graph: B)
        }
        """,
        subgraphs="A B",
    )

    assert printed(supergraph, "{ parcel { fee } }") == text(
        """
        Sequence
          Fetch a
            {parcel{__typename id box{__typename id}}}
          Fetch b
            $_r0 at parcel.box: Box {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Box{size}}}
          Fetch b
            $_r0 at parcel: Parcel {id box?{size}}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Parcel{fee}}}
        """
    )
