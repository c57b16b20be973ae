"""Posts messages to one URL. See docs/rules/outbox.md, rules 5 to 7."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.transports.http_connection import BadReply, ReplyTooLong
from gateway.transports.http_pool import HttpPool
from gateway.webhooks.signing import signed_headers
from ledger.outbox.delivery import SENT_AT_ONCE, ReceiverAway, Rejected
from ledger.outbox.outbox_sql import Waiting

TIMEOUT_S = 15.0
_REPLY_BYTES_MAX = 64 * 1024
_AWAY = frozenset({408, 425, 429, 502, 503, 504})
"""Answers that say something of the receiver, not of the message."""


class WebhookSender:
    """Posts each message, signed, over a few kept connections; `aclose` when done.

    Args:
        url: http or https.
        unix_time: real time in seconds, for the signature.
    """

    def __init__(
        self,
        url: str,
        key: bytes,
        *,
        unix_time: Callable[[], float],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._pool = HttpPool(url, connections_max=SENT_AT_ONCE, reply_bytes_max=_REPLY_BYTES_MAX)
        self._key = key
        self._unix_time = unix_time
        self._timeout_s = timeout_s

    async def send(self, message: Waiting) -> None:
        """Returns once the receiver answered 2xx.

        Raises:
            Rejected: it answered otherwise.
            ReceiverAway: it did not answer in time, or asks for time.
        """
        body = message.payload.encode()
        unix_time = int(self._unix_time())
        headers = {
            "content-type": "application/json",
            **signed_headers(self._key, message.message_id, body, unix_time=unix_time),
        }
        try:
            # The receiver drops repeats, so a dead connection may be tried anew.
            status, _ = await self._pool.post(
                body,
                "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii"),
                until=asyncio.get_running_loop().time() + self._timeout_s,
                may_repeat=True,
            )
        except ReplyTooLong as error:
            raise Rejected("the answer is too long") from error
        except (OSError, BadReply, TimeoutError) as error:
            raise ReceiverAway(f"{type(error).__name__}: {error}") from error
        if status in _AWAY:
            raise ReceiverAway(f"it answered {status}")
        if not 200 <= status < 300:
            raise Rejected(f"it answered {status}")

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._pool.aclose()
