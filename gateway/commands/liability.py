"""`alliance liability`: what became of every issuer's points, as CSV."""

from __future__ import annotations

import asyncio
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.kept_ledger import directory_with_ledger, kept_ledger

if TYPE_CHECKING:
    from ledger.reports.liability_csv import Row


def liability(
    data: Annotated[Path | None, typer.Option(help="Data directory; a server may run.")] = None,
) -> None:
    """Write what became of every issuer's points; docs/rules/liability.md tells what it means."""
    from ledger.reports.liability_csv import COLUMNS

    rows = asyncio.run(_rows(directory_with_ledger(data)))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)


async def _rows(directory: Path) -> list[Row]:
    async with kept_ledger(directory) as ledger:
        return await ledger.liability()
