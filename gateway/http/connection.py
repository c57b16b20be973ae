"""A client's connection, as it must behave: heads that end, and requests that arrive.

The server's own protocol waits for ever, and keeps whatever a head brings.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES_MAX = 65_536
"""Bytes that belong to no body, and may still be the same head or trailer."""
ARRIVES_WITHIN_S = 30.0
"""From the first byte of a request, or from the connection, to the last of its body."""


class Connection(HttpToolsProtocol):
    """Closes the connection of a client whose request does not end."""

    cycle: RequestResponseCycle | None  # type: ignore[assignment]  # None before the first request.

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unfinished_bytes = 0
        self._arrival: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._begin_to_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more."""
        self._has_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads on, unless the head has become too long."""
        self._unfinished_bytes += len(data)
        super().data_received(data)
        if self._unfinished_bytes > HEAD_BYTES_MAX:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._unfinished_bytes:
            self._begin_to_wait()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begin_to_wait()

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._unfinished_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body, which the application counts."""
        self._unfinished_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here."""
        self._unfinished_bytes = 0
        self._has_arrived()
        super().on_message_complete()

    def _begin_to_wait(self) -> None:
        if self._arrival is None:
            self._arrival = self.loop.call_later(ARRIVES_WITHIN_S, self._give_up)

    def _has_arrived(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _give_up(self) -> None:
        self._arrival = None
        if self._is_answering:
            self._begin_to_wait()
        else:
            self._refuse(b"408 Request Timeout")

    @property
    def _is_answering(self) -> bool:
        """Whether a request that is here has no answer yet; only what follows it is late."""
        cycle = self.cycle
        return cycle is not None and not (cycle.response_complete or cycle.more_body)

    def _refuse(self, status: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        self.transport.close()
