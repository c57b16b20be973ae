"""`alliance verify`: proves that the ledger balances."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.commands.failures import CommandFailed
from gateway.commands.kept_ledger import directory_with_ledger, kept_ledger

if TYPE_CHECKING:
    from ledger.proofs.verify import Report

UNSOUND = 2
"""Exit code when an invariant does not hold."""


def verify(
    data: Annotated[Path | None, typer.Option(help="Data directory; a server may run.")] = None,
) -> None:
    """Check every invariant of the ledger."""
    report = asyncio.run(_report(directory_with_ledger(data)))
    if not report.is_sound:
        Console().print(_findings(report))
        raise CommandFailed("the ledger does NOT balance", exit_code=UNSOUND)
    typer.echo(
        f"The ledger balances: {report.transactions} transactions, {report.entries} entries, "
        f"{report.lots} lots. Its newest block is {report.head}."
    )


async def _report(directory: Path) -> Report:
    async with kept_ledger(directory) as ledger:
        return await ledger.verify()


def _findings(report: Report) -> Table:
    table = Table("Invariant", "Promise", "First row that breaks it")
    for finding in report.findings:
        table.add_row(finding.invariant, finding.promise, finding.row)
    return table
