"""Kept HTTP/1.1 connections to one server: little more than sockets and a parser.

A general HTTP client costs several times the CPU of everything else that a fetch needs; this one
posts, reads whole replies up to a limit, and does nothing else: no redirects, cookies, proxies or
compression.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from gateway.transports.http_connection import Connection, ConnectionDropped, Reply

# Shorter than what common servers grant an idle connection, so that they rarely close one first.
KEEP_ALIVE_S: Final = 4.0

# Deadlines are looked at together this often: a timer for each exchange costs more than the look.
DEADLINE_STEP_S: Final = 0.02


class Exchange:
    """A post that is under way."""

    __slots__ = ("_again", "_connection", "_reply")

    def __init__(
        self,
        connection: Connection,
        reply: asyncio.Future[Reply],
        again: Callable[[], Awaitable[Reply]] | None,
    ) -> None:
        self._connection = connection
        self._reply = reply
        self._again = again

    async def reply(self) -> Reply:
        """Status and body; may be awaited once.

        Raises:
            TimeoutError: the deadline passed.
            OSError: the connection ended before the reply.
            ReplyTooLong: the body is longer than the limit.
            BadReply: what came is not HTTP.
        """
        try:
            return await self._reply
        except ConnectionDropped:
            # A kept connection that the server closed meanwhile looks like this.
            if self._again is None:
                raise
            return await self._again()
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Ends it, unless it has ended."""
        if self._connection.is_busy_with(self._reply):
            # The next reply on this connection would be the one to this post.
            self._connection.abort()
            self._reply.cancel()
        elif not self._reply.cancelled():
            self._reply.exception()  # No one else may ask, and that is no oversight.


class HttpPool:
    """Posts to one URL; belongs to the event loop that it is first used in.

    Args:
        url: http or https, without user and password.
        headers: lines that every post has, each with its line break.
        connections_max: connections at the same time; more posts wait for one.
        reply_bytes_max: longest body that is read.
    """

    def __init__(
        self, url: str, *, headers: bytes = b"", connections_max: int, reply_bytes_max: int
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("The URL of a subgraph is http(s)://host[:port]/path.")
        self._host = parts.hostname
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._ssl else 80)
        self._reply_bytes_max = reply_bytes_max
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode("ascii") + headers
        self._connections_max = connections_max
        self._connecting = 0
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._under_way: set[Connection] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._is_closed = False

    def begin(
        self, body: bytes, headers: bytes, *, until: float, may_repeat: bool
    ) -> Exchange | None:
        """Posts at once over an idle connection; None when there is none, and nothing was sent.

        Args:
            headers: further lines, each with its line break.
            until: of the event loop's time, when the exchange is given up.
            may_repeat: whether the post may be sent once more when a connection turns out dead.
        """
        connection = self._take_idle()
        if connection is None:
            return None
        message = self._message(body, headers)
        again = partial(self._post_anew, message, until) if may_repeat else None
        return self._exchange(connection, message, until, again)

    async def post(self, body: bytes, headers: bytes, *, until: float, may_repeat: bool) -> Reply:
        """Status and body of the reply; waits for a connection. The rest is as for `begin`.

        Raises:
            TimeoutError: no reply came until then.
            OSError: no connection, or it ended before the reply.
            ReplyTooLong: the body is longer than the limit.
            BadReply: what came is not HTTP.
        """
        message = self._message(body, headers)
        again = partial(self._post_anew, message, until) if may_repeat else None
        async with asyncio.timeout_at(until):
            connection = await self._connection()
        return await self._exchange(connection, message, until, again).reply()

    async def _post_anew(self, message: bytes, until: float) -> Reply:
        async with asyncio.timeout_at(until):
            connection = await self._connection(is_fresh=True)
        return await self._exchange(connection, message, until, None).reply()

    async def aclose(self) -> None:
        """Ends every connection, and returns when all are gone; posts fail from then on."""
        self._is_closed = True
        if self._watch is not None:
            self._watch.cancel()
        open_now = list(self._open)
        for connection in open_now:
            connection.abort()
        for connection in open_now:
            await connection.gone.wait()
        while self._waiters:
            self._wake_one(None)

    def _message(self, body: bytes, headers: bytes) -> bytes:
        return b"%b%bContent-Length: %d\r\n\r\n%b" % (self._head, headers, len(body), body)

    def _exchange(
        self,
        connection: Connection,
        message: bytes,
        until: float,
        again: Callable[[], Awaitable[Reply]] | None,
    ) -> Exchange:
        reply = connection.send(message)
        if connection.is_busy_with(reply):
            connection.until = until
            self._under_way.add(connection)
            if self._watch is None:
                loop = asyncio.get_running_loop()
                self._watch = loop.call_later(DEADLINE_STEP_S, self._look_at_deadlines)
        return Exchange(connection, reply, again)

    def _look_at_deadlines(self) -> None:
        self._watch = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in [one for one in self._under_way if one.until <= now]:
            connection.expire()
        if self._under_way and not self._is_closed:
            self._watch = loop.call_later(DEADLINE_STEP_S, self._look_at_deadlines)

    def _take_idle(self) -> Connection | None:
        if not self._idle:
            return None
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and now - connection.idle_since <= KEEP_ALIVE_S:
                return connection
            connection.abort()
        return None

    async def _connection(self, *, is_fresh: bool = False) -> Connection:
        """A connection with no exchange under way; a new one when it must be fresh."""
        while True:
            connection = None if is_fresh else self._take_idle()
            if connection is not None:
                return connection
            if self._is_closed:
                raise ConnectionDropped("The pool is closed.")
            if len(self._open) + self._connecting < self._connections_max:
                return await self._connect()
            if is_fresh and self._idle:
                self._idle.popleft().abort()
            given = await self._next_free()
            if given is not None:
                if given.is_usable and not is_fresh:
                    return given
                given.abort()

    async def _connect(self) -> Connection:
        self._connecting += 1
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(
                    reply_bytes_max=self._reply_bytes_max,
                    when_free=self._take_back,
                    when_gone=self._forget,
                ),
                self._host,
                self._port,
                ssl=self._ssl,
            )
        except BaseException:
            self._connecting -= 1
            self._wake_one(None)
            raise
        self._connecting -= 1
        if connection.is_usable:
            self._open.add(connection)
        else:
            self._wake_one(None)  # It ended before it was used.
        if self._is_closed:
            connection.abort()
        return connection

    async def _next_free(self) -> Connection | None:
        """The next connection that is free; None when there is room for a new one."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._hand_on(waiter.result())  # It came, but too late.
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def _hand_on(self, connection: Connection | None) -> None:
        if not self._wake_one(connection) and connection is not None:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)

    def _wake_one(self, connection: Connection | None) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _take_back(self, connection: Connection) -> None:
        self._under_way.discard(connection)
        if connection.is_usable:
            self._hand_on(connection)
        else:
            connection.abort()

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._under_way.discard(connection)
        self._wake_one(None)
