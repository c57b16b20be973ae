"""The ledger that commands read: of a data directory, or where the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.commands.failures import CommandFailed
from gateway.settings import read_settings
from kernel.clock import SystemClock
from kernel.database import DirectoryInUse, DirectoryLock
from kernel.ids import RandomIds

if TYPE_CHECKING:
    from gateway.assembly.databases import Databases
    from ledger.contract import LedgerSettings
    from ledger.subgraph import LedgerSubgraph


class _NobodyAsks:
    """The registry of a ledger that is only read."""

    async def has_card(self, card_id: str) -> bool:
        raise NotImplementedError(card_id)

    async def has_merchant(self, merchant_id: str) -> bool:
        raise NotImplementedError(merchant_id)

    async def may_fund_grants(self, merchant_id: str) -> bool:
        raise NotImplementedError(merchant_id)

    async def deposit_held_until(self, merchant_id: str) -> datetime | None:
        raise NotImplementedError(merchant_id)


def directory_with_ledger(data: Path | None) -> Path:
    """The data directory.

    Raises:
        CommandFailed: it holds no ledger.
    """
    directory = data or read_settings().data
    ledger = read_settings().databases(directory).ledger
    if isinstance(ledger, Path) and not ledger.exists():
        raise CommandFailed(f"{directory} holds no ledger")
    return directory


@asynccontextmanager
async def kept_ledger(directory: Path) -> AsyncIterator[LedgerSubgraph]:
    """The open ledger, to be read; a server may run beside.

    Raises:
        DirectoryInUse: a server of an older version runs, under which nothing is upgraded.
    """
    from ledger.subgraph import LedgerSubgraph  # Slow to load.

    databases = read_settings().databases(directory)
    lock = _lock_or_nothing(directory, databases)
    try:
        settings = await _settings(databases)
        ledger = await LedgerSubgraph.open(
            databases.ledger,
            clock=SystemClock(),
            ids=RandomIds(),
            settings=lambda: settings,
            registry=_NobodyAsks(),
            lanes=read_settings().ledger_lanes,
        )
        try:
            yield ledger
        finally:
            await ledger.close()
    finally:
        if lock is not None:
            lock.release()


def _lock_or_nothing(directory: Path, databases: Databases) -> DirectoryLock | None:
    """The directory's lock; None when a server has it, or when it holds no databases."""
    from gateway.alliance.migrations import HISTORY as ALLIANCE
    from kernel.database.sqlite import is_current
    from ledger.migrations import HISTORY as LEDGER

    if not databases.any_file:
        return None
    try:
        return DirectoryLock(directory)
    except DirectoryInUse:
        for address, schema in ((databases.ledger, LEDGER), (databases.alliance, ALLIANCE)):
            if isinstance(address, Path) and not is_current(address, schema):
                raise
        return None


async def _settings(databases: Databases) -> LedgerSettings:
    """The alliance's settings; the defaults when there is no alliance yet."""
    from gateway.alliance.migrations import HISTORY
    from gateway.alliance.settings_book import read_latest
    from gateway.directory.entries import ALLIANCE_MERCHANT_ID
    from kernel.database import open_database
    from ledger.contract import LedgerSettings

    if isinstance(databases.alliance, Path) and not databases.alliance.exists():
        return LedgerSettings(alliance_merchant_id=ALLIANCE_MERCHANT_ID)
    database = await open_database(databases.alliance, HISTORY)
    try:
        found = await database.snapshot(read_latest)
    finally:
        await database.close()
    if found is None:
        return LedgerSettings(alliance_merchant_id=ALLIANCE_MERCHANT_ID)
    return LedgerSettings(
        currency=found.values.currency,
        time_zone=found.values.time_zone,
        alliance_merchant_id=ALLIANCE_MERCHANT_ID,
    )
