"""Clients that never finish what they began, on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.http import connection
from gateway.http.connection import HEAD_BYTES_MAX, Connection
from gateway.http.limits import EndpointLimits
from tests.gateway.http.running import serving

HEAD = b"POST /graphql HTTP/1.1\r\nhost: x\r\n"


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body, once it is here."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d bytes" % length})


@asynccontextmanager
async def _listening() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of its own."""
    config = uvicorn.Config(_echo, http=Connection, lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    host, port = server.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()
        await asyncio.gather(*state.tasks)


async def _send_until_cut(writer: asyncio.StreamWriter, piece: bytes, *, times: int) -> int:
    """How many bytes went before the server closed."""
    sent = 0
    with suppress(ConnectionError):
        for _ in range(times):
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
    return sent


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"GET /", b"a" * 8_192),
        (HEAD + b"x-long: ", b"a" * 8_192),
        (HEAD, b"x-many: a\r\n" * 800),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"x-after: a\r\n" * 800),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1;", b"a" * 8_192),
    ],
    ids=["address", "long header", "many headers", "trailers", "extension of a chunk"],
)
async def test_nobody_fills_the_memory_by_what_is_no_body(begun: bytes, piece: bytes) -> None:
    async with _listening() as (_, writer):
        writer.write(begun)
        sent = await _send_until_cut(writer, piece, times=20_000)

    # Far less than was tried: what the sockets held on their way counts, too.
    assert sent < 20_000 * len(piece) / 4


async def test_a_long_head_and_a_longer_body_are_taken() -> None:
    async with _listening() as (reader, writer):
        length = 10 * HEAD_BYTES_MAX
        fits = b"x-fits: " + b"a" * (HEAD_BYTES_MAX // 2) + b"\r\n"
        writer.write(HEAD + fits + b"connection: close\r\ncontent-length: %d\r\n\r\n" % length)
        for _ in range(10):
            writer.write(b"a" * HEAD_BYTES_MAX)
            await writer.drain()
        answer = await reader.read()

    assert b"%d bytes" % length in answer


@pytest.mark.parametrize(
    ("begun", "told"),
    [
        (b"", b"HTTP/1.1 408"),
        (b"\r\n", b"HTTP/1.1 408"),
        (HEAD, b"HTTP/1.1 408"),
        (HEAD + b"content-length: 9\r\n\r\nabc", b""),
        (HEAD + b"content-length: 3\r\n\r\nabcPOST", b"HTTP/1.1 200"),
    ],
    ids=["nothing", "blank line", "head", "body", "second head"],
)
async def test_who_does_not_finish_a_request_is_let_go(
    monkeypatch: pytest.MonkeyPatch, begun: bytes, told: bytes
) -> None:
    monkeypatch.setattr(connection, "ARRIVES_WITHIN_S", 0.05)
    async with _listening() as (reader, writer):
        writer.write(begun)

        answer = await asyncio.wait_for(reader.read(), 4)

    assert answer.startswith(told)


async def test_bodies_that_do_not_come_keep_nobody_out(tmp_path: Path) -> None:
    begun, may_end = asyncio.Semaphore(0), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"query": '
        begun.release()
        await may_end.wait()
        yield b'"{ greeting }"}'

    async with serving(tmp_path, limits=EndpointLimits(concurrent_max=2)) as server:
        json = {"content-type": "application/json"}
        waiting = [
            asyncio.create_task(server.client.post("/graphql", content=slow(), headers=json))
            for _ in range(2)
        ]
        for _ in waiting:
            await begun.acquire()

        quick = await server.post("{ greeting }")
        may_end.set()
        late = [(await each).status_code for each in waiting]

    assert quick.status_code == 200
    assert late == [200, 200]
