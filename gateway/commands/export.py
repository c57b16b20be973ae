"""`alliance export`: a period of the ledger as a file that anyone can add up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

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
    output: Annotated[
        Path | None,
        typer.Option(help="File to write, replaced when all is written; else the output."),
    ] = None,
) -> None:
    """Write a clearing period down; docs/rules/export.md tells how to add it up."""
    directory = directory_with_ledger(data)
    try:
        month = month_of_label(period)
    except ValueError as error:
        raise CommandFailed(f"--period: {error}") from error
    try:
        with _whole(output) as file:
            asyncio.run(_export(directory, month, merchant, format_, file.write))
            file.flush()
    except NothingToExport as error:
        whose = "there are" if merchant is None else f"{merchant} has"
        raise CommandFailed(f"{whose} no entries in {period}") from error
    except OSError as error:
        if output is None:
            raise
        raise CommandFailed(f"can not write {output}: {error.strerror}") from error


@contextmanager
def _whole(output: Path | None) -> Iterator[BinaryIO]:
    """A file that takes the place of `output` once all is written, and never before."""
    if output is None:
        yield sys.stdout.buffer
        return
    if output.exists() and not output.is_file():  # A pipe or a device has no other in its place.
        with output.open("wb") as device:
            yield device
        return
    place = output.resolve()
    unfinished = place.with_name(f"{place.name}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)


async def _export(
    directory: Path, month: int, merchant: str | None, how: ExportFormat, write: Write
) -> None:
    async with kept_ledger(directory) as ledger:
        await ledger.export(month, how, write, merchant_id=merchant)
