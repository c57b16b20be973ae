from __future__ import annotations

import pytest
from graphql import parse

from gateway.federation.plan_printing import plan_text
from gateway.federation.planner import plan_operation
from tests.plans.planning import supergraph_of, text

SHOP = supergraph_of(
    """
    type Query @everywhere { product: Product @join__field(graph: A) }
    type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      price: Int
        @join__field(graph: A, usedOverridden: true, overrideLabel: "percent(10)")
        @join__field(graph: B, override: "a", overrideLabel: "percent(10)")
      stock: Int
        @join__field(graph: A)
        @join__field(graph: B, override: "a", overrideLabel: "stock:new")
    }
    """,
    subgraphs="A B",
)
FROM_A = text(
    """
    Fetch a
      {product{price}}
    """
)
FROM_B = text(
    """
    Sequence
      Fetch a
        {product{__typename id}}
      Fetch b
        $_r0 at product: Product {id}
        query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{price}}}
    """
)


def planned_under(operation: str, *labels: str) -> str:
    return plan_text(plan_operation(SHOP, parse(operation), None, {}, labels))


@pytest.mark.parametrize("labels", [(), ("stock:new",), ("unknown",)])
def test_a_field_stays_with_its_old_subgraph_until_its_label_holds(labels: tuple[str, ...]) -> None:
    assert planned_under("{ product { price } }", *labels) == FROM_A


def test_a_field_goes_to_its_new_subgraph_when_its_label_holds() -> None:
    assert planned_under("{ product { price } }", "percent(10)", "unknown") == FROM_B


def test_each_label_decides_its_own_field_only() -> None:
    assert planned_under("{ product { price stock } }", "stock:new") == text(
        """
        Sequence
          Fetch a
            {product{__typename price id}}
          Fetch b
            $_r0 at product: Product {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Product{stock}}}
        """
    )


def test_a_supergraph_tells_the_labels_that_its_plans_depend_on() -> None:
    assert SHOP.override_labels == {"percent(10)", "stock:new"}
