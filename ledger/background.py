"""Repeats a piece of work in the background of one server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kernel.database import DatabaseUnavailable, Overloaded

logger = logging.getLogger(__name__)


class Repeated:
    """Does its work, pauses, and does it again, whatever happened; pauses are real time.

    Args:
        name: for the log.
        work: may raise anything; what it left is left for the next time.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[object]], *, pause_seconds: float
    ) -> None:
        self._name = name
        self._work = work
        self._pause_seconds = pause_seconds
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Begins."""
        assert self._task is None
        self._stopping.clear()
        self._task = asyncio.create_task(self._repeat())

    async def stop(self) -> None:
        """Lets work that runs end, then stops."""
        self._stopping.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def _repeat(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._work()
            except (DatabaseUnavailable, Overloaded) as error:
                logger.warning("%s waits: %s", self._name, error)
            except Exception:
                logger.exception("%s failed", self._name)
            try:
                await asyncio.wait_for(self._stopping.wait(), self._pause_seconds)
            except TimeoutError:
                continue
