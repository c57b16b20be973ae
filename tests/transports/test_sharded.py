from __future__ import annotations

import asyncio
from typing import Any

import pytest
from graphql import parse

from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
)
from tests.federation.scripted import ScriptedTransport
from tests.transports.shards import ENTITIES, SEATS, entities, naming, query, seat, sharded


async def test_each_shard_is_asked_for_its_own_and_answers_keep_their_order() -> None:
    north, south = naming("N"), naming("S")

    reply = await entities(sharded(north=north, south=south), *SEATS)

    assert reply.data == {"_e0": [{"by": "N:1"}, {"by": "S:2"}, {"by": "N:3"}]}
    assert reply.errors == []
    assert [r["id"] for r in north.requests[0].variables["r0"]] == ["1", "3"]
    assert north.requests[0].document is ENTITIES


async def test_shards_behind_one_transport_are_asked_in_one_call() -> None:
    both, east = naming("B"), naming("E")
    transport = sharded(north=both, south=both, east=east)

    reply = await entities(transport, *SEATS, seat("4", "east"))

    assert reply.data == {"_e0": [{"by": "B:1"}, {"by": "B:2"}, {"by": "B:3"}, {"by": "E:4"}]}
    assert len(both.requests) == 1


async def test_several_fields_and_types_are_split_each_by_its_own_key() -> None:
    north, everyone = naming("N"), naming("A")
    document = """query($r0: [_Any!]!, $r1: [_Any!]!, $n: Int) {
      _e0: _entities(representations: $r0) { ...P }
      _e1: _entities(representations: $r1) { ... on Hall { by(n: $n) } } }
      fragment P on Person { by }"""
    people = [{"__typename": "Person", "id": "p"}]
    halls = [{"__typename": "Hall", "id": "north"}, {"__typename": "Person", "id": "q"}]

    reply = await sharded(north=north, all=everyone).execute(
        query(document, r0=people, r1=halls, n=2), CallContext()
    )

    assert reply.data == {"_e0": [{"by": "A:p"}], "_e1": [{"by": "N:north"}, {"by": "A:q"}]}
    asked = north.requests[0]
    assert set(asked.variables) == {"r1", "n"}
    declared = parse(asked.document).definitions[0].variable_definitions  # type: ignore[attr-defined]
    assert [d.variable.name.value for d in declared] == ["r1", "n"]
    assert "fragment" not in asked.document


async def test_a_document_is_cut_the_same_way_once_only() -> None:
    document = '{ a: plan(input: {hall: "north"}) b: plan(input: {hall: "south"}) }'
    north, south = ScriptedTransport({"a": 1}), ScriptedTransport({"b": 2})
    transport = sharded(north=north, south=south)

    for _ in range(2):
        reply = await transport.execute(query(document), CallContext())
        assert reply.data == {"a": 1, "b": 2}

    assert north.requests[0].document is north.requests[1].document
    assert "south" not in north.requests[0].document


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ('{ plan(input: {hall: "north"}) }', {}),
        ("query($h: ID) { plan(input: {hall: $h}) }", {"h": "north"}),
        ("query($i: In) { plan(input: $i) }", {"i": {"hall": "north"}}),
        ('query($i: In = {hall: "north"}) { plan(input: $i) }', {}),
        ('query($h: ID = "north") { plan(input: {hall: $h}) }', {}),
        ('{ plan: ticket(id: "north/7") }', {}),
        ("query($t: ID!) { plan: ticket(id: $t) }", {"t": "north/7"}),
    ],
)
async def test_a_root_field_goes_where_its_argument_says(
    document: str, variables: dict[str, Any]
) -> None:
    north = ScriptedTransport({"plan": {"x": 1}})

    reply = await sharded(north=north).execute(query(document, **variables), CallContext())

    assert reply.data == {"plan": {"x": 1}}
    assert north.requests[0].document is document
    assert north.requests[0].variables == variables


async def test_a_root_field_may_always_go_to_one_shard() -> None:
    reply = await sharded(all=ScriptedTransport({"people": 3})).execute(
        query("{ people __typename }"), CallContext()
    )

    assert reply.data == {"people": 3, "__typename": "Query"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ plan(input: {}) }", "BAD_USER_INPUT"),
        ("{ plan }", "BAD_USER_INPUT"),
        ("{ plan(input: {hall: null}) }", "BAD_USER_INPUT"),
        ('{ plan: ticket(id: "7") }', "BAD_USER_INPUT"),
        ('{ plan(input: {hall: "west"}) }', "SUBGRAPH_UNAVAILABLE"),
        ("{ plan: unrouted }", "INTERNAL"),
    ],
)
async def test_a_root_field_that_names_no_shard_is_null_with_an_error(
    document: str, code: str
) -> None:
    reply = await sharded().execute(query(document), CallContext())

    assert reply.data == {"plan": None}
    assert [(error["path"], error["extensions"]["code"]) for error in reply.errors] == [
        (["plan"], code)
    ]


async def test_shards_are_asked_at_the_same_time() -> None:
    all_under_way = asyncio.Barrier(2)

    async def meet(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        await all_under_way.wait()
        return SubgraphReply({"_e0": [{"by": "x"}] * len(request.variables["r0"])})

    transport = sharded(north=ScriptedTransport(answer=meet), south=ScriptedTransport(answer=meet))

    reply = await asyncio.wait_for(entities(transport, *SEATS), 5)

    assert reply.data == {"_e0": [{"by": "x"}] * 3}


async def test_mutations_run_one_after_the_other_and_neighbours_go_together() -> None:
    order: list[list[str]] = []

    async def note(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        selections = parse(request.document).definitions[0].selection_set.selections  # type: ignore[attr-defined]
        keys = [selection.alias.value for selection in selections]
        order.append(keys)
        await asyncio.tasks.sleep(0)
        order.append(["done", *keys])
        return SubgraphReply(dict.fromkeys(keys, 1))

    document = "mutation {" + " ".join(
        f'{key}: book(input: {{hall: "{hall}"}})'
        for key, hall in (("a", "north"), ("b", "north"), ("c", "south"), ("d", "north"))
    )
    transport = sharded(north=ScriptedTransport(answer=note), south=ScriptedTransport(answer=note))

    reply = await transport.execute(SubgraphRequest(document + "}", "mutation", {}), CallContext())

    assert reply.data == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert order == [["a", "b"], ["done", "a", "b"], ["c"], ["done", "c"], ["d"], ["done", "d"]]


async def test_the_representations_given_are_left_as_they_are() -> None:
    given = [dict(one) for one in SEATS]
    request = query(ENTITIES, r0=given)

    await sharded(north=naming("N"), south=naming("S")).execute(request, CallContext())

    assert request.variables == {"r0": SEATS}
