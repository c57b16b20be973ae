"""`alliance liability`: what became of every issuer's points, as CSV."""

from __future__ import annotations

import asyncio
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.failures import CommandFailed
from gateway.settings import read_settings
from kernel.clock import SystemClock
from kernel.ids import RandomIds

if TYPE_CHECKING:
    from ledger.reports.liability_csv import Row


def liability(
    data: Annotated[Path | None, typer.Option(help="Data directory; no server may run.")] = None,
) -> None:
    """Write what became of every issuer's points; docs/rules/liability.md tells what it means."""
    from gateway.assembly.data_directory import LEDGER_FILE  # Slow to load.
    from ledger.reports.liability_csv import COLUMNS

    directory = data or read_settings().data
    if not (directory / LEDGER_FILE).exists():
        raise CommandFailed(f"{directory} holds no ledger")
    rows = asyncio.run(_rows(directory))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)


async def _rows(directory: Path) -> list[Row]:
    from gateway.assembly.data_directory import open_alliance

    async with open_alliance(
        directory, clock=SystemClock(), ids=RandomIds(), with_sweepers=False
    ) as opened:
        return await opened.ledger.liability()
