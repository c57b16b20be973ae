from __future__ import annotations

import pytest
from graphql import parse

from gateway.federation.faults import FaultCode, RequestRefused
from gateway.federation.plan import Fetch, Sequence
from gateway.federation.planner import conditional_variables, plan_operation
from tests.plans.planning import planned, printed, supergraph_of, text

SHOP = supergraph_of(
    """
    type Query @everywhere {
      products(first: Int, filter: Filter): [Product] @join__field(graph: A)
    }
    input Filter @join__type(graph: A) { name: String tags: [String!] least: Float }
    type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      name: String @join__field(graph: A)
      price(currency: String = "EUR"): Int @join__field(graph: B)
    }
    """,
    subgraphs="A B",
)


def test_a_request_declares_just_the_variables_it_uses() -> None:
    operation = """
        query ($first: Int = 5, $tag: String!, $currency: String) {
          products(first: $first, filter: { tags: ["a", $tag] }) { price(currency: $currency) }
        }
    """

    plan = planned(SHOP, operation)

    assert isinstance(plan.root, Sequence)
    root, entities = plan.root.nodes
    assert isinstance(root, Fetch)
    assert isinstance(entities, Fetch)
    assert root.variables == ("first", "tag")
    assert root.document == (
        'query($first:Int=5,$tag:String!){products(filter:{tags:["a",$tag]},first:$first)'
        "{__typename id}}"
    )
    assert entities.variables == ("currency",)
    assert entities.document == (
        "query($_r0:[_Any!]!,$currency:String){_e0:_entities(representations:$_r0)"
        "{...on Product{price(currency:$currency)}}}"
    )


def test_a_client_variable_named_like_ours_stays_the_clients() -> None:
    operation = "query ($_r0: String) { products { price(currency: $_r0) } }"

    assert (
        "query($__r0:[_Any!]!,$_r0:String){_e0:_entities(representations:$__r0)"
        "{...on Product{price(currency:$_r0)}}}"
    ) in printed(SHOP, operation)


def test_literals_keep_their_meaning_in_documents() -> None:
    operation = (
        '{ products(filter: { name: """say "hi"\n  é""", least: 1.50 }, first: null) { id } }'
    )

    assert printed(SHOP, operation) == text(
        r"""
        Fetch a
          {products(filter:{name:"say \"hi\"\né",least:1.50},first:null){id}}
        """
    )


def test_skipped_and_excluded_fields_are_not_planned() -> None:
    operation = """
        query ($priced: Boolean!, $plain: Boolean = true) {
          products { id name @skip(if: $plain) ... @include(if: $priced) { price } }
        }
    """

    assert printed(SHOP, operation, {"priced": False}) == text(
        """
        Fetch a
          {products{id}}
        """
    )
    assert "price" in printed(SHOP, operation, {"priced": True})
    assert "name" in printed(SHOP, operation, {"priced": False, "plain": False})


def test_an_object_left_without_fields_is_still_asked_for() -> None:
    operation = "query ($no: Boolean!) { products { id @include(if: $no) } }"

    assert printed(SHOP, operation, {"no": False}) == text(
        """
        Fetch a
          {products{__typename}}
        """
    )


def test_the_variables_that_change_a_plan_are_those_of_conditions() -> None:
    document = parse(
        """
        query Q($a: Boolean!, $b: Boolean!, $c: Boolean!, $n: Int) {
          products(first: $n) { id @skip(if: $b) ...P }
        }
        fragment P on Product { name @include(if: $a) price @include(if: true) }
        query Other($z: Boolean!) { products { id @skip(if: $z) } }
        """
    )

    assert conditional_variables(document, "Q") == ("a", "b")


@pytest.mark.parametrize("name", [None, "Missing"])
def test_an_operation_that_is_not_there_is_refused(name: str | None) -> None:
    document = parse("query One { products { id } } query Two { products { id } }")

    with pytest.raises(RequestRefused) as refused:
        plan_operation(SHOP, document, name, {})

    assert refused.value.faults[0].code == FaultCode.OPERATION_NOT_FOUND
