"""Shards that fail, hang, or answer what is not theirs to answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    TransportFailed,
)
from tests.federation.scripted import ScriptedTransport
from tests.transports.shards import ENTITIES, SEATS, entities, naming, places, query, seat, sharded


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
