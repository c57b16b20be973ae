"""The queue before a lane: while one batch commits, the next one forms.

No request waits for others to come: the writer takes all that waits as soon as it is free.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from kernel.database import Overloaded

ItemT = TypeVar("ItemT")
OutcomeT = TypeVar("OutcomeT")
logger = logging.getLogger(__name__)

BATCH_MAX = 500
WAITING_MAX = 4 * BATCH_MAX


class GroupCommit(Generic[ItemT, OutcomeT]):
    """Hands what is submitted to `commit`, in the order of arrival, one batch at a time.

    Args:
        commit: gives an outcome for each item. What it raises, every item of its batch gets.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[ItemT]], Awaitable[Sequence[OutcomeT | BaseException]]],
        *,
        batch_max: int = BATCH_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._commit = commit
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[ItemT, asyncio.Future[OutcomeT]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def submit(self, item: ItemT) -> OutcomeT:
        """The outcome of the item.

        A caller that is cancelled takes back what still waits, and nothing that was taken.

        Raises:
            Overloaded: too much waits; nothing of this item was begun.
        """
        if len(self._waiting) >= self._waiting_max:
            raise Overloaded("too many writes wait")
        future: asyncio.Future[OutcomeT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def drained(self) -> None:
        """Returns when nothing waits or runs."""
        while self._running is not None:
            await asyncio.shield(self._running)

    async def _run(self) -> None:
        try:
            while batch := self._take():
                await self._settle(batch)
        finally:
            self._running = None

    def _take(self) -> list[tuple[ItemT, asyncio.Future[OutcomeT]]]:
        batch: list[tuple[ItemT, asyncio.Future[OutcomeT]]] = []
        while self._waiting and len(batch) < self._batch_max:
            waiting = self._waiting.popleft()
            if not waiting[1].done():
                batch.append(waiting)
        return batch

    async def _settle(self, batch: Sequence[tuple[ItemT, asyncio.Future[OutcomeT]]]) -> None:
        outcomes: Sequence[OutcomeT | BaseException]
        try:
            outcomes = await self._commit([item for item, _ in batch])
        except BaseException as error:  # It belongs to those who wait.
            outcomes = [error] * len(batch)
            if not isinstance(error, Exception):
                raise
        finally:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if isinstance(outcome, BaseException):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
