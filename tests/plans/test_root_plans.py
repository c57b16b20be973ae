from __future__ import annotations

from graphql import print_ast

from tests.plans.planning import planned, printed, supergraph_of, text

STORE = supergraph_of(
    """
    schema { query: Query mutation: Mutation }
    type Query @everywhere {
      product: Product @join__field(graph: A) @join__field(graph: B)
      lone: Product @join__field(graph: B)
      me: User @join__field(graph: A)
    }
    type Mutation @everywhere {
      addA(n: Int!): User @join__field(graph: A)
      addB(n: Int!): User @join__field(graph: B)
    }
    type Product @join__type(graph: A) @join__type(graph: B) {
      name: String
      price: Int @join__field(graph: A)
      stock: Int @join__field(graph: B)
    }
    type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      name: String @join__field(graph: A)
      score: Int @join__field(graph: B)
    }
    """,
    subgraphs="A B",
)


def test_a_root_field_of_several_subgraphs_is_asked_of_the_one_that_has_all() -> None:
    assert printed(STORE, "{ product { name stock } }") == text(
        """
        Fetch b
          {product{name stock}}
        """
    )


def test_a_root_field_that_no_subgraph_has_whole_is_asked_of_several_at_once() -> None:
    assert printed(STORE, "{ product { name price stock } }") == text(
        """
        Parallel
          Fetch a
            {product{name price}}
          Fetch b
            {product{stock}}
        """
    )


def test_a_shared_root_field_goes_where_a_request_goes_anyway() -> None:
    assert printed(STORE, "{ product { name } lone { name } }") == text(
        """
        Fetch b
          {product{name} lone{name}}
        """
    )


def test_the_root_type_name_needs_no_request() -> None:
    plan = planned(STORE, "{ __typename type: __typename }")

    assert plan.root is None
    names = [(field.response_key, field.name) for field in plan.projection.fields_by_type["Query"]]
    assert names == [("__typename", "__typename"), ("type", "__typename")]


def test_introspection_is_split_off_with_what_it_uses() -> None:
    plan = planned(
        STORE,
        "query ($n: String!) { me { name } __type(name: $n) { ...T } }"
        " fragment T on __Type { name }",
        {"n": "User"},
    )

    assert printed(STORE, "{ me { name } __schema { queryType { name } } }") == text(
        """
        Fetch a
          {me{name}}
        Introspection
        """
    )
    assert plan.introspection is not None
    assert print_ast(plan.introspection) == text(
        """
        query ($n: String!) {
          __type(name: $n) {
            ...T
          }
        }

        fragment T on __Type {
          name
        }
        """
    )


def test_mutations_run_in_the_order_written() -> None:
    assert printed(STORE, "mutation { one: addA(n: 1) { id } two: addB(n: 2) { id } }") == text(
        """
        Sequence
          Fetch a
            mutation{one:addA(n:1){id}}
          Fetch b
            mutation{two:addB(n:2){id}}
        """
    )


def test_mutations_of_one_subgraph_in_a_row_share_a_request() -> None:
    assert printed(STORE, "mutation { one: addA(n: 1) { id } two: addA(n: 2) { id } }") == text(
        """
        Fetch a
          mutation{one:addA(n:1){id} two:addA(n:2){id}}
        """
    )


def test_what_lies_below_a_mutation_is_fetched_before_the_next_one_runs() -> None:
    operation = "mutation { one: addA(n: 1) { score } two: addA(n: 2) { id } }"

    assert printed(STORE, operation) == text(
        """
        Sequence
          Fetch a
            mutation{one:addA(n:1){__typename id}}
          Fetch b
            $_r0 at one: User {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on User{score}}}
          Fetch a
            mutation{two:addA(n:2){id}}
        """
    )
