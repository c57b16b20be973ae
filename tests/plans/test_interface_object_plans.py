from __future__ import annotations

import pytest

from gateway.federation.faults import RequestRefused
from tests.plans.planning import planned, printed, supergraph_of, text

ACCOUNTS = supergraph_of(
    """
    type Query @everywhere {
      accounts: [Account] @join__field(graph: A)
      ranking: [Account] @join__field(graph: B)
    }
    interface Account
      @join__type(graph: A, key: "id")
      @join__type(graph: B, key: "id", isInterfaceObject: true)
    {
      id: ID!
      name: String @join__field(graph: A) @join__field(graph: B, external: true)
      score: Int @join__field(graph: B)
      badge: String @join__field(graph: B, requires: "name")
    }
    type Admin implements Account
      @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "Account")
    {
      id: ID!
      name: String
      rights: Int
      score: Int @join__field
      badge: String @join__field
    }
    type Guest implements Account
      @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "Account")
    {
      id: ID!
      name: String
      score: Int @join__field
      badge: String @join__field
    }
    """,
    subgraphs="A B",
)


def test_fields_of_an_interface_object_are_fetched_under_the_interface_s_name() -> None:
    assert printed(ACCOUNTS, "{ accounts { name score } }") == text(
        """
        Sequence
          Fetch a
            {accounts{__typename name id}}
          Fetch b
            $_r0 at accounts.@: Admin/Guest as Account {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Account{score}}}
        """
    )


def test_an_interface_object_answers_alone_when_nobody_needs_to_know_its_type() -> None:
    plan = planned(ACCOUNTS, "{ ranking { id score } }")

    assert printed(ACCOUNTS, "{ ranking { id score } }") == text(
        """
        Fetch b
          {ranking{__typename id score}}
        """
    )
    (ranking,) = plan.projection.fields_by_type["Query"]
    assert ranking.selection is not None
    assert set(ranking.selection.fields_by_type) == {"Account", "Admin", "Guest"}


def test_the_type_of_an_interface_object_is_asked_of_a_subgraph_that_knows_it() -> None:
    assert printed(ACCOUNTS, "{ ranking { __typename score } }") == text(
        """
        Sequence
          Fetch b
            {ranking{__typename score id}}
          Fetch a
            $_r0 at ranking.@: Account/Admin/Guest as Account {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Account{__typename}}}
        """
    )


def test_fields_of_one_type_are_fetched_together_with_the_type() -> None:
    assert printed(ACCOUNTS, "{ ranking { score ... on Admin { rights } } }") == text(
        """
        Sequence
          Fetch b
            {ranking{__typename score id}}
          Fetch a
            $_r0 at ranking.@: Account/Admin/Guest as Account {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){\
...on Account{__typename ...on Admin{rights}}}}
        """
    )


def test_interface_fields_of_another_subgraph_are_fetched_without_knowing_the_type() -> None:
    assert printed(ACCOUNTS, "{ ranking { name } }") == text(
        """
        Sequence
          Fetch b
            {ranking{__typename id}}
          Fetch a
            $_r0 at ranking.@: Account/Admin/Guest as Account {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Account{name}}}
        """
    )


def test_an_interface_object_may_require_fields_of_the_interface() -> None:
    assert printed(ACCOUNTS, "{ accounts { badge } }") == text(
        """
        Sequence
          Fetch a
            {accounts{__typename id name}}
          Fetch b
            $_r0 at accounts.@: Admin/Guest as Account {id name?}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Account{badge}}}
        """
    )
    assert printed(ACCOUNTS, "{ ranking { badge } }") == text(
        """
        Sequence
          Fetch b
            {ranking{__typename id}}
          Fetch a
            $_r0 at ranking.@: Account/Admin/Guest as Account {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Account{name}}}
          Fetch b
            $_r0 at ranking.@: Account/Admin/Guest as Account {id name?}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Account{badge}}}
        """
    )


def test_an_interface_object_that_nobody_can_tell_apart_refuses_the_operation() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { ranking: [Account] @join__field(graph: B) }
        interface Account
          @join__type(graph: A, key: "id", resolvable: false)
          @join__type(graph: B, key: "id", isInterfaceObject: true)
          { id: ID! }
        type Admin implements Account
          @join__type(graph: A) @join__implements(graph: A, interface: "Account")
          { id: ID! rights: Int }
        type Guest implements Account
          @join__type(graph: A) @join__implements(graph: A, interface: "Account")
          { id: ID! }
        """,
        subgraphs="A B",
    )

    with pytest.raises(RequestRefused):
        planned(supergraph, "{ ranking { ... on Admin { rights } } }")
    assert planned(supergraph, "{ ranking { id } }").root is not None


def test_types_sent_as_one_interface_are_asked_only_for_their_own_fields() -> None:
    operation = "{ accounts { ... on Admin { score } ... on Guest { badge } } }"

    assert printed(ACCOUNTS, operation) == text(
        """
        Sequence
          Fetch a
            {accounts{__typename id ...on Guest{name}}}
          Fetch b
            $_r0 at accounts.@: Admin as Account {id}
            $_r1 at accounts.@: Guest as Account {id name?}
            query($_r0:[_Any!]!,$_r1:[_Any!]!){\
_e0:_entities(representations:$_r0){...on Account{score}} \
_e1:_entities(representations:$_r1){...on Account{badge}}}
        """
    )
