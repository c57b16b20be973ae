"""The ledger that commands read: of a data directory, or where the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.commands.failures import CommandFailed
from gateway.settings import read_settings
from kernel.clock import SystemClock
from kernel.ids import RandomIds

if TYPE_CHECKING:
    from ledger.subgraph import LedgerSubgraph


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
    """The open ledger; nothing is swept."""
    from gateway.assembly.data_directory import open_alliance  # Slow to load.

    async with open_alliance(
        directory,
        databases=read_settings().databases(directory),
        clock=SystemClock(),
        ids=RandomIds(),
        with_sweepers=False,
        ledger_lanes=read_settings().ledger_lanes,
    ) as opened:
        yield opened.ledger
