"""The query root, met again below another field."""

from __future__ import annotations

from typing import Any

from gateway.assembly.engine import assemble_engine
from gateway.federation.engine import EngineAnswer, EngineRequest
from gateway.federation.transport import CallContext
from tests.federation.scripted import ScriptedTransport
from tests.plans.planning import printed, supergraph_of, text

STORE = supergraph_of(
    """
    schema { query: Query mutation: Mutation }
    type Query @everywhere {
      cart: Cart @join__field(graph: A)
      carts: [Cart] @join__field(graph: A)
      offers(first: Int): [Offer] @join__field(graph: B)
    }
    type Mutation @join__type(graph: A) { empty: Emptied }
    type Emptied @join__type(graph: A) { query: Query! }
    type Cart @join__type(graph: A) { size: Int query: Query }
    type Offer @join__type(graph: B) { name: String }
    """,
    subgraphs="A B",
)


def test_what_one_subgraph_does_not_have_of_the_root_is_asked_of_another() -> None:
    assert printed(STORE, "{ cart { size query { cart { size } offers { name } } } }") == text(
        """
        Sequence
          Fetch a
            {cart{size query{cart{size}}}}
          Fetch b at cart.query
            {offers{name}}
        """
    )


def test_below_a_mutation_the_root_is_asked_by_a_query_before_the_next_mutation() -> None:
    operation = """
      mutation ($n: Int) {
        one: empty { query { offers(first: $n) { name } } }
        two: empty { query { cart { size } } }
      }
    """

    assert printed(STORE, operation) == text(
        """
        Sequence
          Fetch a
            mutation{one:empty{query{__typename}}}
          Fetch b at one.query
            query($n:Int){offers(first:$n){name}}
          Fetch a
            mutation{two:empty{query{cart{size}}}}
        """
    )


async def answered(operation: str, carts: Any, offers: ScriptedTransport) -> EngineAnswer:
    transports = {"a": ScriptedTransport(carts), "b": offers}
    engine = assemble_engine(STORE, transports)
    return await engine.execute(EngineRequest(operation), CallContext())


async def test_every_object_that_stands_for_the_root_gets_the_answer() -> None:
    offers = ScriptedTransport({"offers": [{"name": "tea"}]})
    carts = {
        "carts": [{"query": {"__typename": "Query"}}, None, {"query": {"__typename": "Query"}}]
    }

    answer = await answered("{ carts { query { offers { name } } } }", carts, offers)

    tea = {"query": {"offers": [{"name": "tea"}]}}
    assert (answer.data, answer.errors) == ({"carts": [tea, None, tea]}, ())
    assert len(offers.requests) == 1


async def test_without_an_object_that_stands_for_the_root_nothing_is_asked() -> None:
    offers = ScriptedTransport({"offers": []})

    answer = await answered("{ cart { query { offers { name } } } }", {"cart": None}, offers)

    assert (answer.data, offers.requests) == ({"cart": None}, [])


async def test_errors_below_the_root_met_again_name_the_whole_path() -> None:
    offers = ScriptedTransport(
        {"offers": [None]}, errors=[{"message": "sold out", "path": ["offers", 0]}]
    )
    carts = {"cart": {"query": {"__typename": "Query"}}}

    answer = await answered("{ cart { query { offers { name } } } }", carts, offers)

    assert answer.data == {"cart": {"query": {"offers": [None]}}}
    assert [fault.path for fault in answer.errors] == [("cart", "query", "offers", 0)]


async def test_a_subgraph_that_does_not_answer_costs_the_fields_asked_of_it() -> None:
    offers = ScriptedTransport(failure=KeyError("no answer"))
    carts = {"cart": {"size": 2, "query": {"__typename": "Query"}}}

    answer = await answered("{ cart { size query { offers { name } } } }", carts, offers)

    assert answer.data == {"cart": {"size": 2, "query": {"offers": None}}}
    assert [fault.path for fault in answer.errors] == [("cart", "query", "offers")]
