"""Bytes on the wire: how replies are framed, what is no HTTP, and connections kept or not."""

from __future__ import annotations

import asyncio

import pytest

from gateway.federation.transport import (
    CallContext,
    TransportFailed,
)
from tests.transports.raw_server import (
    ANSWER,
    MUTATION,
    QUERY,
    Exchange,
    Handler,
    connected,
    failing_code,
    saying,
    serving,
)


def sending(*pieces: bytes, then_close: bool = False) -> Handler:
    """Sends bytes as they are."""

    async def handle(exchange: Exchange) -> None:
        for piece in pieces:
            exchange.writer.write(piece)
            await exchange.writer.drain()
        if then_close:
            exchange.writer.close()

    return handle


HEAD = b"HTTP/1.1 200 OK\r\n"
WITH_LENGTH = HEAD + b"Content-Length: 20\r\n"


@pytest.mark.parametrize(
    "handler",
    [
        sending(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"14\r\n", ANSWER, b"\r\n0\r\n\r\n"),
        sending(HEAD + b"Connection: close\r\n\r\n", ANSWER, then_close=True),
        sending(b"HTTP/1.1 100 Continue\r\n\r\n", WITH_LENGTH + b"\r\n", ANSWER),
        sending(WITH_LENGTH + b"Connection: close\r\n\r\n", ANSWER, then_close=True),
        sending(*(bytes([byte]) for byte in WITH_LENGTH + b"\r\n" + ANSWER)),
    ],
    ids=["chunked", "until the end", "announced", "closed after", "byte by byte"],
)
async def test_replies_are_read_however_they_are_framed(handler: Handler) -> None:
    async with serving(handler) as server, connected(server.url) as transport:
        for _ in range(2):
            reply = await transport.execute(MUTATION, CallContext())
            assert reply.data == {"now": 1}


@pytest.mark.parametrize(
    "handler",
    [
        sending(b"SSH-2.0-x\r\n\r\n"),
        sending(HEAD + b"x: " + b"y" * 100_000),
        sending(HEAD + b"Content-Length: x\r\n\r\n"),
    ],
    ids=["not HTTP", "endless head", "no number"],
)
async def test_what_is_not_http_is_malformed(handler: Handler) -> None:
    assert await failing_code(handler) == "SUBGRAPH_MALFORMED_REPLY"


async def test_a_connection_with_more_than_was_asked_for_is_not_used_again() -> None:
    twice = (WITH_LENGTH + b"\r\n" + ANSWER) * 2
    async with serving(sending(twice)) as server, connected(server.url) as transport:
        for _ in range(2):
            assert (await transport.execute(QUERY, CallContext())).data == {"now": 1}

    assert server.connections == 2


async def test_a_late_reply_is_never_taken_for_the_next_one() -> None:
    loop = asyncio.get_running_loop()
    may_answer = asyncio.Event()

    async def handle(exchange: Exchange) -> None:
        if exchange.number == 0:
            await may_answer.wait()
        await exchange.answer(b'{"data": {"now": %d}}' % exchange.number)

    async with serving(handle) as server, connected(server.url) as transport:
        with pytest.raises(TransportFailed):
            await transport.execute(QUERY, CallContext(deadline=loop.time() + 0.05))
        may_answer.set()
        reply = await transport.execute(QUERY, CallContext())

    assert reply.data == {"now": 1}


async def test_no_more_connections_are_open_than_allowed() -> None:
    under_way = asyncio.Barrier(2)

    async def handle(exchange: Exchange) -> None:
        await under_way.wait()
        await exchange.answer(ANSWER)

    async with serving(handle) as server, connected(server.url, connections_max=2) as transport:
        calls = (transport.execute(QUERY, CallContext()) for _ in range(6))
        await asyncio.wait_for(asyncio.gather(*calls), 5)

    assert server.connections == 2


async def test_closing_ends_what_is_under_way() -> None:
    started = asyncio.Event()

    async def handle(exchange: Exchange) -> None:
        started.set()
        await asyncio.Event().wait()

    async with serving(handle) as server, connected(server.url) as transport:
        task = asyncio.create_task(transport.execute(QUERY, CallContext()))
        await started.wait()
        await transport.aclose()
        with pytest.raises(TransportFailed):
            await task

    assert len(server.exchanges) == 1


async def test_a_header_with_a_line_break_is_never_sent() -> None:
    async with serving(saying(ANSWER)) as server, connected(server.url) as transport:
        with pytest.raises(ValueError, match="line break"):
            await transport.execute(QUERY, CallContext(headers={"x": "a\r\nb: c"}))

    assert server.exchanges == []
