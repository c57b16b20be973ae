"""`alliance export`: a period of the ledger as a file that anyone can add up."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.failures import CommandFailed
from gateway.commands.kept_ledger import directory_with_ledger, kept_ledger
from ledger.reports.export import ExportFormat, NothingToExport
from ledger.reports.months import month_of_label

if TYPE_CHECKING:
    from ledger.reports.export import Write


def export(
    period: Annotated[str, typer.Option(help="The month, as 2026-03.")],
    data: Annotated[Path | None, typer.Option(help="Data directory; a server may run.")] = None,
    format_: Annotated[
        ExportFormat, typer.Option("--format", help="How it is written.")
    ] = ExportFormat.NDJSON,
    merchant: Annotated[
        str | None, typer.Option(help="Only this merchant's part: its id, or ALLIANCE.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="File to write, else the output.")] = None,
) -> None:
    """Write a clearing period down; docs/rules/export.md tells how to add it up."""
    directory = directory_with_ledger(data)
    try:
        month = month_of_label(period)
    except ValueError as error:
        raise CommandFailed(f"--period: {error}") from error
    opening = nullcontext(sys.stdout.buffer) if output is None else output.open("wb")
    with opening as file:
        try:
            asyncio.run(_export(directory, month, merchant, format_, file.write))
        except NothingToExport as error:
            raise CommandFailed(f"{merchant} has no entries in {period}") from error
        file.flush()


async def _export(
    directory: Path, month: int, merchant: str | None, how: ExportFormat, write: Write
) -> None:
    async with kept_ledger(directory) as ledger:
        await ledger.export(month, how, write, merchant_id=merchant)
