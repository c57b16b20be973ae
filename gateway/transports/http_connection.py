"""One kept HTTP/1.1 connection: a socket, a parser, and at most one exchange under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import httptools

HEAD_BYTES_MAX: Final = 64 * 1024


class ReplyTooLong(Exception):
    """The reply passed the limit; its connection is closed."""


class ConnectionDropped(OSError):
    """The connection ended before the reply did."""


class BadReply(Exception):
    """What came is not HTTP."""


Reply = tuple[int, bytes]


class Connection(asyncio.Protocol):
    """Also the parser's listener.

    Args:
        reply_bytes_max: longest body that is read.
        when_free: called when an exchange has ended, with the connection usable or not.
        when_gone: called once when the connection has ended.

    Attributes:
        is_usable: whether another exchange may begin.
        idle_since: of the event loop's time; set by whoever keeps the connection.
        until: of the event loop's time; when whoever watches deadlines calls `expire`.
    """

    def __init__(
        self,
        *,
        reply_bytes_max: int,
        when_free: Callable[[Connection], None],
        when_gone: Callable[[Connection], None],
    ) -> None:
        self.gone = asyncio.Event()
        self.is_usable = True
        self.idle_since = 0.0
        self.until = 0.0
        self._when_free = when_free
        self._when_gone = when_gone
        self._reply_bytes_max = reply_bytes_max
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._is_in_body = False
        self._is_complete = False
        self._ends_with_connection = True

    def send(self, message: bytes) -> asyncio.Future[Reply]:
        """Sends the message at once; the future gets the reply to it.

        Cancelling the future leaves the connection open; `abort` it, for its next reply would be
        this one.
        """
        assert self._waiting is None
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self._transport is None or not self.is_usable:
            waiting.set_exception(ConnectionDropped("The connection was closed."))
            return waiting
        self._waiting = waiting
        self._parser = httptools.HttpResponseParser(self)
        self._begin_message()
        self._transport.write(message)
        return waiting

    def is_busy_with(self, exchange: asyncio.Future[Reply]) -> bool:
        """Whether that exchange is still under way here."""
        return self._waiting is exchange

    def expire(self) -> None:
        """Ends the exchange under way, whose deadline has passed."""
        self._fail(TimeoutError())

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
        self._is_complete = False
        self._ends_with_connection = True

    def _fail(self, error: Exception) -> None:
        self.abort()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            if not waiting.done():
                waiting.set_exception(error)
            self._when_free(self)

    def _succeed(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            if not waiting.done():
                waiting.set_result((self._parser.get_status_code(), b"".join(self._chunks)))
            self._chunks = []
            self._when_free(self)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class.

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():
            self.abort()  # Nothing was asked, so this would be taken for the next reply.
            return
        if not self._is_in_body:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.is_usable = False
            if not self._is_complete:
                self._fail(BadReply(str(error)))
        if self._is_complete:
            self._succeed()
        elif not self._is_in_body and self._head_bytes > HEAD_BYTES_MAX:
            self._fail(ReplyTooLong())

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_usable = False
        self.gone.set()
        if exc is None and self._is_in_body and self._ends_with_connection:
            self._succeed()
        else:
            self._fail(ConnectionDropped("The connection ended before the reply did."))
        self._when_gone(self)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._is_complete:
            self.is_usable = False  # A second reply to one post.

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._ends_with_connection = False

    def on_headers_complete(self) -> None:
        self._is_in_body = True

    def on_body(self, body: bytes) -> None:
        if self._is_complete:
            return
        self._body_bytes += len(body)
        if self._body_bytes > self._reply_bytes_max:
            self._chunks = []
            self._fail(ReplyTooLong())
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._is_complete or self._waiting is None:
            return
        if self._parser.get_status_code() < 200:
            self._begin_message()  # Only announces the reply.
            return
        if not self._parser.should_keep_alive():
            self.is_usable = False
        self._is_complete = True
