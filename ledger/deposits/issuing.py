"""Tells the alliance whether a merchant's sales earn points."""

from __future__ import annotations

from collections.abc import Callable

from kernel.database import Database
from ledger.contract import LedgerSettings
from ledger.deposits.deposits_sql import read_credit


class DepositedIssuing:
    """Knows whose sales may earn points, as far as settlement is concerned."""

    def __init__(self, database: Database, settings: Callable[[], LedgerSettings]) -> None:
        self._database = database
        self._settings = settings

    async def issuing_allowed(self, merchant_id: str) -> bool:
        """Whether what the merchant owes lets it issue points; never a reason not to book.

        Raises:
            DatabaseUnavailable: the ledger can not be read.
        """
        settings = self._settings()
        if not is_policed(settings, merchant_id):
            return True
        credit = await self._database.snapshot(
            lambda connection: read_credit(connection, merchant_id, is_policed=True)
        )
        return credit.may_issue


def is_policed(settings: LedgerSettings, merchant_id: str) -> bool:
    """Whether the merchant needs a deposit; the alliance's own shop does not."""
    return settings.deposits_required and merchant_id != settings.alliance_merchant_id
