"""Sweeps what expired, now and then, in the background of one server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from ledger.booking.entering import Moment
from ledger.booking.expiry import sweep
from ledger.contract import LedgerSettings

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0


class ExpirySweeper:
    """The sweep of one ledger. The business clock decides what is due; pauses are real time."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        settings: Callable[[], LedgerSettings],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._pause_seconds = pause_seconds
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    async def run_once(self) -> int:
        """Sweeps what is due now; how many lots.

        Raises:
            DatabaseUnavailable: what was swept before stays swept.
            Overloaded: likewise.
        """
        moment = Moment(self._clock.now(), self._settings())
        return await sweep(self._database, moment, until=moment.micros)

    def start(self) -> None:
        """Begins to sweep."""
        assert self._task is None
        self._stopping.clear()
        self._task = asyncio.create_task(self._repeat())

    async def stop(self) -> None:
        """Lets a sweep that runs end, then stops."""
        self._stopping.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def _repeat(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.run_once()
            except (DatabaseUnavailable, Overloaded) as error:
                logger.warning("expiry waits: %s", error)
            except Exception:
                logger.exception("expiry failed")
            try:
                await asyncio.wait_for(self._stopping.wait(), self._pause_seconds)
            except TimeoutError:
                continue
