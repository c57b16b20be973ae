"""Delivers messages: each stream in order, the streams side by side, every message at least once.

Source: docs/rules/outbox.md, rules 3 to 6.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sqlalchemy import Connection

from kernel.clock import Clock, to_micros
from kernel.database import Database
from ledger.outbox import from_books_sql, outbox_sql
from ledger.outbox.messages import REJECTIONS_MAX, pause_after
from ledger.outbox.outbox_sql import Waiting

logger = logging.getLogger(__name__)

SENT_AT_ONCE = 16
READ_AT_ONCE = 200


class Rejected(Exception):
    """The receiver answered, and did not take the message; says how it answered."""


class ReceiverAway(Exception):
    """Nobody answers, or the receiver asks for time; that says nothing about the message."""


class Sender(Protocol):
    """How messages reach their receiver."""

    async def send(self, message: Waiting) -> None:
        """Returns once the receiver has taken the message.

        Raises:
            Rejected: it answered otherwise.
            ReceiverAway: it could not be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a stream waits.

    Attributes:
        tries: how often its first message was rejected, as far as this process knows.
        not_before: when it is tried again, on the monotonic clock.
        taken_before: how many messages the receiver had taken from this process by then.
    """

    tries: int
    not_before: float
    taken_before: int


async def always_ours() -> bool:
    """For the one process of a ledger."""
    return True


class Delivery:
    """Delivers what the books tell to one receiver.

    Pauses are counted on a clock that business time does not move; after a restart, everything is
    tried at once.

    Args:
        is_ours: whether this process, of several on one ledger, is the one that delivers now;
            asked before every few messages.

    Attributes:
        waiting: how many messages were made and neither taken nor parked, when last looked at.
        parked: how many an admin must look at.
        oldest_seconds: how long the oldest of both has waited.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        clock: Clock,
        is_ours: Callable[[], Awaitable[bool]] = always_ours,
    ) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock
        self._is_ours = is_ours
        self._troubles: dict[str, _Trouble] = {}
        self._taken = 0
        self._absences = 0
        self._away_until = 0.0
        self._is_ending = False
        self.waiting = self.parked = self.oldest_seconds = 0

    def end(self) -> None:
        """Sends no more but what is on its way: a server that stops waits for no backlog."""
        self._is_ending = True

    async def run_once(self) -> int:
        """Delivers all that can be delivered now; how many messages.

        Raises:
            DatabaseUnavailable: what was sent and not marked is sent again.
            Overloaded: likewise.
        """
        delivered = 0
        while await self._may_send():
            await self._take()
            tried, taken = await self._send_round()
            delivered += taken
            if not tried:
                break
        return delivered

    async def look(self) -> None:
        """Counts what was not delivered yet, for the attributes of this object.

        Raises:
            DatabaseUnavailable: they stay as they were.
            Overloaded: likewise.
        """
        backlog = await self._database.snapshot(outbox_sql.read_backlog)
        self.waiting, self.parked = backlog.waiting, backlog.parked
        age = 0 if backlog.oldest_at is None else to_micros(self._clock.now()) - backlog.oldest_at
        self.oldest_seconds = max(0, age // 1_000_000)

    async def _may_send(self) -> bool:
        if self._is_ending:
            return False
        # Asked while the receiver is away too, so that no other process knocks meanwhile.
        return await self._is_ours() and self._clock.monotonic() >= self._away_until

    async def _send_round(self) -> tuple[int, int]:
        """Sends what is ready, a page at a time; how many were sent, and how many were taken."""
        tried, delivered, last = 0, 0, (0, 0)
        while sendable := await self._database.snapshot(
            partial(outbox_sql.read_sendable, after=last, limit=READ_AT_ONCE)
        ):
            last = sendable[-1].lane, sendable[-1].id
            now = self._clock.monotonic()
            ready = [each for each in sendable if self._may_be_tried(each.stream, now)]
            for start in range(0, len(ready), SENT_AT_ONCE):
                if tried and not await self._may_send():
                    return tried, delivered
                batch = ready[start : start + SENT_AT_ONCE]
                tried += len(batch)
                delivered += sum(await asyncio.gather(*map(self._deliver, batch)))
        return tried, delivered

    def _may_be_tried(self, stream: str, now: float) -> bool:
        trouble = self._troubles.get(stream)
        return trouble is None or trouble.not_before <= now

    async def _take(self) -> None:
        while await self._database.snapshot(from_books_sql.is_anything_to_take):
            await self._database.transaction(from_books_sql.take_from_books)

    async def _deliver(self, message: Waiting) -> bool:
        away_before = self._away_until
        try:
            await self._sender.send(message)
        except ReceiverAway as error:
            # Messages that are sent side by side meet the same absence: it counts once.
            if self._away_until == away_before:
                self._absences += 1
                self._away_until = self._clock.monotonic() + pause_after(self._absences)
                logger.warning("the receiver of messages is away: %s", error)
            return False
        except Rejected as error:
            await self._reject(message, str(error))
            return False
        except Exception as error:  # One message must not stop the others.
            logger.exception("message %s can not be sent", message.message_id)
            await self._reject(message, type(error).__name__)
            return False
        self._absences = 0
        self._taken += 1
        self._troubles.pop(message.stream, None)
        await self._database.transaction(lambda connection: outbox_sql.remove(connection, message))
        return True

    async def _reject(self, message: Waiting, answer: str) -> None:
        trouble = self._troubles.get(message.stream)
        tries = message.rejections + 1 if trouble is None else trouble.tries + 1
        counts = message.rejections == 0 or (
            trouble is not None and self._taken > trouble.taken_before
        )
        rejections = message.rejections + counts
        is_poison = rejections >= REJECTIONS_MAX
        parked_at = to_micros(self._clock.now()) if is_poison else None
        if is_poison:
            self._troubles.pop(message.stream, None)
            logger.error("message %s is parked: %s", message.message_id, answer)
        else:
            not_before = self._clock.monotonic() + pause_after(tries)
            self._troubles[message.stream] = _Trouble(tries, not_before, self._taken)
            if message.rejections == 0:
                logger.warning("message %s is rejected: %s", message.message_id, answer)

        def mark(connection: Connection) -> None:
            outbox_sql.mark_rejected(
                connection, message, rejections=rejections, error=answer, parked_at=parked_at
            )

        await self._database.transaction(mark)
