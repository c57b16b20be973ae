"""Kept HTTP/1.1 connections to one server: little more than a socket and a parser.

A general HTTP client costs several times the CPU of everything else that a fetch needs; this one
posts, reads whole replies up to a limit, and does nothing else: no redirects, cookies, proxies or
compression.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httptools

# Shorter than what common servers grant an idle connection, so that they rarely close one first.
KEEP_ALIVE_S: Final = 4.0
HEAD_BYTES_MAX: Final = 64 * 1024


class ReplyTooLong(Exception):
    """The reply passed the limit; its connection is closed."""


class ConnectionDropped(OSError):
    """The connection ended before the reply did."""


class BadReply(Exception):
    """What came is not HTTP."""


Reply = tuple[int, bytes]


class HttpPool:
    """Posts to one URL; belongs to the event loop that it is first used in.

    Args:
        url: http or https, without user and password.
        connections_max: connections at the same time; more posts wait for one.
        reply_bytes_max: longest body that is read.
    """

    def __init__(self, url: str, *, connections_max: int, reply_bytes_max: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("The URL of a subgraph is http(s)://host[:port]/path.")
        self._host = parts.hostname
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._ssl else 80)
        self._reply_bytes_max = reply_bytes_max
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode("ascii")
        self._free = asyncio.Semaphore(connections_max)
        self._idle: deque[_Connection] = deque()
        self._open: set[_Connection] = set()
        self._is_closed = False

    async def post(self, body: bytes, headers: Mapping[str, str], *, may_repeat: bool) -> Reply:
        """Status and body of the reply.

        Args:
            may_repeat: whether the post may be sent once more when a connection turns out dead.

        Raises:
            OSError: no connection, or it ended before the reply.
            ReplyTooLong: the body is longer than the limit.
            BadReply: what came is not HTTP.
            ValueError: a header holds a line break.
        """
        message = self._message(body, headers)
        async with self._free:
            try:
                return await self._exchange(self._take_idle() or await self._connect(), message)
            except ConnectionDropped:
                # A kept connection that the server closed meanwhile looks like this.
                if not may_repeat:
                    raise
                return await self._exchange(await self._connect(), message)

    async def aclose(self) -> None:
        """Ends every connection, and returns when all are gone; posts fail from then on."""
        self._is_closed = True
        open_now = list(self._open)
        for connection in open_now:
            connection.abort()
        for connection in open_now:
            await connection.gone.wait()

    def _message(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("A header holds a line break.")
        lines.append(f"Content-Length: {len(body)}\r\n\r\n")
        return self._head + "\r\n".join(lines).encode("latin-1") + body

    def _take_idle(self) -> _Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and now - connection.idle_since <= KEEP_ALIVE_S:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> _Connection:
        if self._is_closed:
            raise ConnectionDropped("The pool is closed.")
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(self._reply_bytes_max, self._open),
            self._host,
            self._port,
            ssl=self._ssl,
        )
        return connection

    async def _exchange(self, connection: _Connection, message: bytes) -> Reply:
        try:
            reply = await connection.exchange(message)
        except BaseException:
            # Whatever was under way, the next reply on this connection could be of this post.
            connection.abort()
            raise
        if connection.is_usable:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.abort()
        return reply


class _Connection(asyncio.Protocol):
    """One connection with at most one exchange under way; also the parser's listener."""

    def __init__(self, reply_bytes_max: int, connections: set[_Connection]) -> None:
        self.gone = asyncio.Event()
        self.is_usable = True
        self.idle_since = 0.0
        self._connections = connections
        self._reply_bytes_max = reply_bytes_max
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._is_in_body = False
        self._ends_with_connection = True

    async def exchange(self, message: bytes) -> Reply:
        """Sends the message; the reply to it."""
        assert self._waiting is None
        if self._transport is None or not self.is_usable:
            raise ConnectionDropped("The connection was closed.")
        self._waiting = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._begin_message()
        self._transport.write(message)
        try:
            return await self._waiting
        finally:
            self._waiting = self._parser = None

    def abort(self) -> None:
        """Ends the connection at once."""
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()

    def _begin_message(self) -> None:
        self._chunks = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._is_in_body = False
        self._ends_with_connection = True

    def _fail(self, error: Exception) -> None:
        self.is_usable = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
        self.abort()

    def _succeed(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((self._parser.get_status_code(), b"".join(self._chunks)))

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class.
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():
            self.abort()  # Nothing was asked, so this would be taken for the next reply.
            return
        if not self._is_in_body:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BadReply(str(error)))
            return
        if not self._is_in_body and self._head_bytes > HEAD_BYTES_MAX:
            self._fail(ReplyTooLong())

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_usable = False
        self._connections.discard(self)
        self.gone.set()
        if exc is None and self._is_in_body and self._ends_with_connection:
            self._succeed()
        else:
            self._fail(ConnectionDropped("The connection ended before the reply did."))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._waiting is None or self._waiting.done():
            self.is_usable = False  # A second reply to one post.

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._ends_with_connection = False

    def on_headers_complete(self) -> None:
        self._is_in_body = True

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._reply_bytes_max:
            self._chunks = []
            self._fail(ReplyTooLong())
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            self._begin_message()  # Only announces the reply.
            return
        if not self._parser.should_keep_alive():
            self.is_usable = False
        self._succeed()
