"""Requests that are sent before anyone awaits their replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.federation.executor import Gathering, compile_node
from gateway.federation.plan import Fetch, Parallel
from gateway.federation.transport import CallContext, TransportFailed
from gateway.transports.http import HttpCall, HttpTransport
from tests.transports.raw_server import (
    ANSWER,
    MUTATION,
    QUERY,
    Exchange,
    Handler,
    RawServer,
    connected,
    saying,
    serving,
)


@asynccontextmanager
async def warm(handler: Handler, **options: int) -> AsyncIterator[tuple[RawServer, HttpTransport]]:
    """A transport with one idle connection."""

    async def first_answer(exchange: Exchange) -> None:
        await (exchange.answer(ANSWER) if exchange.number == 0 else handler(exchange))

    async with (
        serving(first_answer) as server,
        connected(server.url, **options) as transport,
    ):
        await transport.execute(QUERY, CallContext())
        yield server, transport


def begun(transport: HttpTransport, request: object = QUERY, **context: float) -> HttpCall:
    call = transport.begin(request, CallContext(**context))  # type: ignore[arg-type]
    assert call is not None
    return call


async def test_nothing_is_begun_without_an_idle_connection() -> None:
    async with serving(saying(ANSWER)) as server, connected(server.url) as transport:
        assert transport.begin(QUERY, CallContext()) is None

    assert server.connections == 0


async def test_a_request_is_sent_before_its_reply_is_awaited() -> None:
    arrived = asyncio.Event()

    async def handle(exchange: Exchange) -> None:
        arrived.set()
        await exchange.answer(ANSWER)

    async with warm(handle) as (server, transport):
        call = begun(transport)
        await asyncio.wait_for(arrived.wait(), 5)
        reply = await call.reply()

    assert reply.data == {"now": 1}
    assert server.connections == 1


async def test_a_begun_query_is_sent_once_more_when_its_connection_was_dead() -> None:
    async def handle(exchange: Exchange) -> None:
        await (exchange.answer(ANSWER) if exchange.number == 2 else drop(exchange))

    async with warm(handle) as (server, transport):
        reply = await begun(transport).reply()

    assert reply.data == {"now": 1}
    assert len(server.exchanges) == 3


async def drop(exchange: Exchange) -> None:
    exchange.reset()


@pytest.mark.parametrize(("request_", "sent"), [(QUERY, 3), (MUTATION, 2)])
async def test_a_begun_request_is_not_sent_without_end(request_: object, sent: int) -> None:
    async with warm(drop) as (server, transport):
        with pytest.raises(TransportFailed) as caught:
            await begun(transport, request_).reply()

    assert caught.value.code == "SUBGRAPH_UNAVAILABLE"
    assert len(server.exchanges) == sent


async def never(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def test_a_begun_request_is_left_at_the_deadline() -> None:
    async with warm(never) as (_, transport):
        call = begun(transport, deadline=asyncio.get_running_loop().time() + 0.05)
        with pytest.raises(TransportFailed) as caught:
            await asyncio.wait_for(call.reply(), 5)

    assert caught.value.code == "SUBGRAPH_TIMEOUT"


async def test_the_reply_to_a_call_given_up_is_no_one_else_s() -> None:
    may_answer = asyncio.Event()

    async def handle(exchange: Exchange) -> None:
        if exchange.number == 1:
            await may_answer.wait()
        await exchange.answer(b'{"data": {"now": %d}}' % exchange.number)

    async with warm(handle) as (server, transport):
        begun(transport).cancel()
        may_answer.set()
        reply = await transport.execute(QUERY, CallContext())

    assert reply.data == {"now": server.exchanges[-1].number}
    assert server.connections == 2


async def test_who_waits_for_a_connection_gets_the_next_that_is_free() -> None:
    async with warm(saying(ANSWER), connections_max=1) as (server, transport):
        call = begun(transport)
        waiting = [asyncio.create_task(transport.execute(QUERY, CallContext())) for _ in range(3)]
        given_up = waiting.pop(0)
        await asyncio.sleep(0)
        given_up.cancel()
        await call.reply()
        replies = await asyncio.wait_for(asyncio.gather(*waiting), 5)

    assert [reply.data for reply in replies] == [{"now": 1}] * 2
    assert server.connections == 1


async def test_a_dead_connection_makes_room_for_who_waits() -> None:
    async def handle(exchange: Exchange) -> None:
        await (drop(exchange) if exchange.number == 1 else exchange.answer(ANSWER))

    async with warm(handle, connections_max=1) as (_, transport):
        call = begun(transport, MUTATION)
        waiting = asyncio.create_task(transport.execute(QUERY, CallContext()))
        with pytest.raises(TransportFailed):
            await call.reply()
        reply = await asyncio.wait_for(waiting, 5)

    assert reply.data == {"now": 1}


PAIR = Parallel((Fetch("one", "query", "{ a: now }"), Fetch("two", "query", "{ b: now }")))


async def test_fetches_of_one_wave_are_under_way_together() -> None:
    both = asyncio.Barrier(2)

    def answer(name: str) -> Handler:
        async def handle(exchange: Exchange) -> None:
            await both.wait()
            await exchange.answer(b'{"data": {"%s": 1}}' % name.encode())

        return handle

    async with warm(answer("a")) as (_, one), warm(answer("b")) as (_, two):
        gathering = Gathering({"one": one, "two": two}, {}, CallContext())
        await asyncio.wait_for(compile_node(PAIR)(gathering), 5)

    assert gathering.data == {"a": 1, "b": 1}
    assert gathering.faults == []


async def test_a_fetch_that_fails_costs_the_others_of_its_wave_nothing() -> None:
    async with warm(drop) as (_, one), warm(saying(b'{"data": {"b": 1}}')) as (_, two):
        gathering = Gathering({"one": one, "two": two}, {}, CallContext())
        await asyncio.wait_for(compile_node(PAIR)(gathering), 5)

    assert gathering.data == {"b": 1}
    assert [(fault.code, fault.path) for fault in gathering.faults] == [
        ("SUBGRAPH_UNAVAILABLE", ("a",))
    ]


async def test_cancelling_a_wave_gives_up_all_its_calls() -> None:
    arrived = asyncio.Barrier(3)
    gone = asyncio.Barrier(3)

    async def handle(exchange: Exchange) -> None:
        await arrived.wait()
        await exchange.reader.read()  # Ends when the other side does.
        await gone.wait()

    async with warm(handle) as (_, one), warm(handle) as (_, two):
        gathering = Gathering({"one": one, "two": two}, {}, CallContext())
        running = asyncio.ensure_future(compile_node(PAIR)(gathering))
        await asyncio.wait_for(arrived.wait(), 5)
        running.cancel()
        await asyncio.wait_for(gone.wait(), 5)

    assert running.cancelled()


async def test_who_gives_up_as_a_connection_comes_free_does_not_keep_it() -> None:
    async with warm(saying(ANSWER), connections_max=1) as (server, transport):
        call = begun(transport)
        early, late = (
            asyncio.create_task(transport.execute(QUERY, CallContext())) for _ in range(2)
        )
        await asyncio.sleep(0)
        await call.reply()
        early.cancel()  # It has the connection, and did not run yet.
        reply = await asyncio.wait_for(late, 5)

    assert reply.data == {"now": 1}
    assert early.cancelled()
    assert server.connections == 1
