"""Sweeps what expired, now and then, in the background of one server."""

from __future__ import annotations

from collections.abc import Callable

from kernel.clock import Clock
from kernel.database import Database
from ledger.background import Repeated
from ledger.booking.entering import Moment
from ledger.booking.expiry import sweep
from ledger.contract import LedgerSettings

PAUSE_SECONDS = 5.0


class ExpirySweeper(Repeated):
    """The sweep of one ledger. The business clock decides what is due; pauses are real time."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        settings: Callable[[], LedgerSettings],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        super().__init__("expiry", self.run_once, pause_seconds=pause_seconds)
        self._database = database
        self._clock = clock
        self._settings = settings

    async def run_once(self) -> int:
        """Sweeps what is due now; how many lots.

        Raises:
            DatabaseUnavailable: what was swept before stays swept.
            Overloaded: likewise.
        """
        moment = Moment(self._clock.now(), self._settings())
        return await sweep(self._database, moment, until=moment.micros)
