from __future__ import annotations

import asyncio
from typing import Any

import pytest
from graphql import parse

from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    Transport,
    TransportFailed,
)
from gateway.transports.sharded import ByArgument, FixedShard, ShardedTransport
from tests.federation.scripted import ScriptedTransport


class Directory:
    """Shards by key; a key that is missing is unknown."""

    def __init__(self, **transports: Transport) -> None:
        self._transports = transports

    def shard_of(self, key: str) -> Transport:
        if key not in self._transports:
            raise TransportFailed("No such shard.", code="SUBGRAPH_UNAVAILABLE")
        return self._transports[key]


def embedded(value: Any) -> str:
    """`north/7` embeds `north`."""
    if not isinstance(value, str) or "/" not in value:
        raise ValueError(value)
    return value.split("/")[0]


def sharded(*, timeout_s: float = 5, **transports: Transport) -> ShardedTransport:
    return ShardedTransport(
        Directory(**transports),
        shard_keys={"Seat": "hall", "Hall": "id", "Person": FixedShard("all")},
        routes={
            "plan": ByArgument(("input", "hall")),
            "ticket": ByArgument(("id",), embedded),
            "book": ByArgument(("input", "hall")),
            "people": FixedShard("all"),
        },
        extension_name="hall",
        timeout_s=timeout_s,
    )


def naming(shard: str) -> ScriptedTransport:
    """A shard that answers each entity with its own name and the entity's id."""

    def answer(request: SubgraphRequest, context: CallContext) -> dict[str, Any]:
        return {
            alias: [{"by": f"{shard}:{r['id']}"} for r in request.variables[variable]]
            for alias, variable in (("_e0", "r0"), ("_e1", "r1"))
            if variable in request.variables
        }

    return ScriptedTransport(answer=answer)


def seat(id: str, hall: Any) -> dict[str, Any]:
    return {"__typename": "Seat", "id": id, "hall": hall}


ENTITIES = "query($r0: [_Any!]!) { _e0: _entities(representations: $r0) { ... on Seat { by } } }"
SEATS = [seat("1", "north"), seat("2", "south"), seat("3", "north")]


def query(document: str, **variables: Any) -> SubgraphRequest:
    return SubgraphRequest(document, "query", variables)


async def entities(transport: ShardedTransport, *seats: Any) -> SubgraphReply:
    return await transport.execute(query(ENTITIES, r0=list(seats)), CallContext())


def places(reply: SubgraphReply) -> list[tuple[Any, Any, Any]]:
    return [
        (error.get("path"), error["extensions"].get("code"), error["extensions"].get("hall"))
        for error in reply.errors
    ]


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


async def test_a_shard_that_fails_costs_its_own_positions() -> None:
    failure = TransportFailed("down", code="SUBGRAPH_UNAVAILABLE")
    transport = sharded(north=ScriptedTransport(failure=failure), south=naming("S"))

    reply = await entities(transport, *SEATS)

    assert reply.data == {"_e0": [None, {"by": "S:2"}, None]}
    assert places(reply) == [
        (["_e0", 0], "SUBGRAPH_UNAVAILABLE", "north"),
        (["_e0", 2], "SUBGRAPH_UNAVAILABLE", "north"),
    ]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (seat("9", "west"), "SUBGRAPH_UNAVAILABLE"),
        (seat("9", None), "INVALID_VALUE"),
        (seat("9", 7), "INVALID_VALUE"),
        ({"__typename": "Unknown", "id": "9"}, "INTERNAL"),
    ],
)
async def test_an_entity_of_no_known_shard_costs_its_own_position(
    broken: dict[str, Any], code: str
) -> None:
    reply = await entities(sharded(north=naming("N")), broken, seat("1", "north"))

    assert reply.data == {"_e0": [None, {"by": "N:1"}]}
    assert [(p, c) for p, c, _ in places(reply)] == [(["_e0", 0], code)]


async def hang(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_shard_that_hangs_does_not_hold_up_the_others() -> None:
    transport = sharded(north=ScriptedTransport(answer=hang), south=naming("S"), timeout_s=0.05)

    reply = await entities(transport, *SEATS)

    assert reply.data == {"_e0": [None, {"by": "S:2"}, None]}
    assert {code for _, code, _ in places(reply)} == {"SUBGRAPH_TIMEOUT"}


async def test_what_shards_answered_before_the_deadline_is_handed_on() -> None:
    transport = sharded(north=ScriptedTransport(answer=hang), south=naming("S"))
    deadline = asyncio.get_running_loop().time() + 1.0

    async with asyncio.timeout_at(deadline):
        reply = await transport.execute(query(ENTITIES, r0=SEATS), CallContext(deadline=deadline))

    assert reply.data == {"_e0": [None, {"by": "S:2"}, None]}


async def test_shards_are_asked_at_the_same_time() -> None:
    all_under_way = asyncio.Barrier(2)

    async def meet(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        await all_under_way.wait()
        return SubgraphReply({"_e0": [{"by": "x"}] * len(request.variables["r0"])})

    transport = sharded(north=ScriptedTransport(answer=meet), south=ScriptedTransport(answer=meet))

    reply = await asyncio.wait_for(entities(transport, *SEATS), 5)

    assert reply.data == {"_e0": [{"by": "x"}] * 3}


async def test_cancelling_cancels_every_shard() -> None:
    started, cancelled = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def wait(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        started.release()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.release()
        raise AssertionError

    transport = sharded(north=ScriptedTransport(answer=wait), south=ScriptedTransport(answer=wait))
    task = asyncio.create_task(entities(transport, *SEATS))
    await started.acquire()
    await started.acquire()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(cancelled.acquire(), 5)
    await asyncio.wait_for(cancelled.acquire(), 5)


async def test_a_bug_of_one_shards_transport_is_masked() -> None:
    transport = sharded(north=ScriptedTransport(failure=KeyError("secret")), south=naming("S"))

    reply = await entities(transport, *SEATS)

    assert {code for _, code, _ in places(reply)} == {"INTERNAL"}
    assert "secret" not in str(reply.errors)
    assert reply.data == {"_e0": [None, {"by": "S:2"}, None]}


async def test_errors_of_a_shard_move_to_the_positions_of_the_whole() -> None:
    both = ScriptedTransport(
        {"_e0": [{"by": 1}, None, {"by": 3}]},
        errors=[
            {"message": "a", "path": ["_e0", 1, "by"], "extensions": {"code": "X", "hall": "me"}},
            {"message": "b", "path": ["_e0", 2]},
            {"message": "c"},
        ],
    )
    transport = sharded(north=both, south=both, east=naming("E"))

    reply = await entities(transport, seat("0", "east"), *SEATS)

    assert places(reply) == [
        (["_e0", 2, "by"], "X", "south"),
        (["_e0", 3], None, "north"),
        (None, None, None),
    ]


@pytest.mark.parametrize("data", [None, {"_e0": None}])
async def test_an_error_of_a_whole_part_counts_for_each_of_its_positions(data: Any) -> None:
    path = ["_e0"] if data else None
    north = ScriptedTransport(data, errors=[{"message": "no", "path": path}])

    reply = await entities(sharded(north=north, south=naming("S")), *SEATS)

    assert reply.data == {"_e0": [None, {"by": "S:2"}, None]}
    assert [p for p, _, _ in places(reply)] == [["_e0", 0], ["_e0", 2]]


@pytest.mark.parametrize(
    "data", [None, [], "text", {}, {"_e0": None}, {"_e0": {}}, {"_e0": [{}]}, {"_e0": [{}] * 3}]
)
async def test_a_part_of_another_shape_costs_its_own_positions(data: Any) -> None:
    reply = await entities(sharded(north=ScriptedTransport(data), south=naming("S")), *SEATS)

    assert reply.data == {"_e0": [None, {"by": "S:2"}, None]}
    assert places(reply) == [
        (["_e0", 0], "SUBGRAPH_MALFORMED_REPLY", "north"),
        (["_e0", 2], "SUBGRAPH_MALFORMED_REPLY", "north"),
    ]


@pytest.mark.parametrize(
    "errors", [3, {}, [None], ["x"], [{"path": ["_e0", True]}], [{"path": [[]]}]]
)
async def test_errors_of_any_shape_do_no_harm(errors: Any) -> None:
    north = ScriptedTransport({"_e0": [{"by": 1}, {"by": 3}]}, errors=errors)

    reply = await entities(sharded(north=north, south=naming("S")), *SEATS)

    assert reply.data is not None
    assert reply.data["_e0"][1] == {"by": "S:2"}


async def test_an_entity_of_another_shard_is_dropped() -> None:
    north = ScriptedTransport({"_e0": [{"hall": "south", "by": 1}, {"hall": "north", "by": 3}]})

    reply = await entities(sharded(north=north, south=naming("S")), *SEATS)

    assert reply.data == {"_e0": [None, {"by": "S:2"}, {"hall": "north", "by": 3}]}
    assert places(reply) == [(["_e0", 0], "SUBGRAPH_MALFORMED_REPLY", "north")]


async def test_an_object_of_another_shard_is_dropped_at_any_depth() -> None:
    stranger = {"__typename": "Seat", "hall": "south"}
    own = {"__typename": "Seat", "hall": "north", "next": [stranger, {"__typename": "Person"}]}
    north = ScriptedTransport({"plan": {"seats": [own]}})

    reply = await sharded(north=north).execute(
        query('{ plan(input: {hall: "north"}) }'), CallContext()
    )

    expected = {**own, "next": [None, {"__typename": "Person"}]}
    assert reply.data == {"plan": {"seats": [expected]}}
    assert places(reply) == [(["plan", "seats", 0, "next", 0], "SUBGRAPH_MALFORMED_REPLY", "north")]


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
