"""A server that speaks HTTP byte by byte, so that it can misbehave, and transports to ask it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    TransportFailed,
)
from gateway.transports.http import HttpTransport

Handler = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request that a raw server got, and its way to answer."""

    def __init__(
        self,
        number: int,
        head: str,
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.number = number
        self.reader = reader
        self.head = head
        self.body = body
        self.writer = writer

    async def answer(
        self, body: bytes, *, status: int = 200, content_type: str = "application/json"
    ) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\n"
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.transport.abort()


class RawServer:
    """Speaks HTTP byte by byte, so that it can misbehave."""

    def __init__(self, handler: Handler) -> None:
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self.url = ""
        self._handler = handler
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def open_connections(self) -> int:
        return len(self._writers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = next(
                    int(line.split(":")[1])
                    for line in head.splitlines()
                    if line.lower().startswith("content-length")
                )
                body = await reader.readexactly(length)
                exchange = Exchange(len(self.exchanges), head, body, reader, writer)
                self.exchanges.append(exchange)
                await self._handler(exchange)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            self._tasks.discard(task)

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[RawServer]:
    raw = RawServer(handler)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    try:
        yield raw
    finally:
        await raw.stop()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[HttpTransport]:
    transport = HttpTransport(url, name="reviews", **options)
    try:
        yield transport
    finally:
        await transport.aclose()


QUERY = SubgraphRequest("{ now }", "query", {})
MUTATION = SubgraphRequest("mutation { set }", "mutation", {})
ANSWER = b'{"data": {"now": 1}}'


async def asked_once(
    handler: Handler, request: SubgraphRequest = QUERY, **options: Any
) -> SubgraphReply:
    async with serving(handler) as server, connected(server.url, **options) as transport:
        return await transport.execute(request, CallContext())


def saying(body: bytes, **how: Any) -> Handler:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(body, **how)

    return handle


async def failing_code(handler: Handler, request: SubgraphRequest = QUERY, **options: Any) -> str:
    with pytest.raises(TransportFailed) as caught:
        await asked_once(handler, request, **options)
    return str(caught.value.code)
