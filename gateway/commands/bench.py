"""`alliance bench`: measures a part of the product beside a yardstick of the same run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gateway.commands.failures import CommandFailed


class Subject(StrEnum):
    """What can be measured."""

    LEDGER = "ledger"


def bench(
    subject: Annotated[Subject, typer.Argument(help="What to measure.")],
    orders: Annotated[int, typer.Option(min=100, help="In each measurement.")] = 6_000,
    rounds: Annotated[int, typer.Option(min=1, help="Of which medians are told.")] = 3,
    entries: Annotated[
        int, typer.Option(min=0, help="Of the history to verify; 0 for none.")
    ] = 1_300_000,
    lots: Annotated[int, typer.Option(min=100, help="On one card, to spend from.")] = 20_000,
    profile: Annotated[
        bool, typer.Option("--profile", help="Tell where the time of an order goes, too.")
    ] = False,
    postgresql: Annotated[
        str | None,
        typer.Option(
            help="Measure on PostgreSQL instead: the URL of a database, in which schemas named "
            "`bench_…` are made and dropped; or `new` for a server of its own."
        ),
    ] = None,
    clients: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="That wait at once, on PostgreSQL; may be given several times.  [256, 1000]"
        ),
    ] = None,
    lanes: Annotated[int, typer.Option(min=1, max=64, help="Of the books on PostgreSQL.")] = 16,
) -> None:
    """Measure the ledger; ratios hold on a busy machine too, figures a second do not."""
    assert subject is Subject.LEDGER
    if postgresql is None:
        from ledger.bench.run import Size, measure_ledger  # Slow to load.

        measure_ledger(typer.echo, Size(orders, rounds, entries, lots, profile))
        return
    from gateway.http.listening import loop_factory

    try:
        from ledger.bench.on_postgresql import CLIENTS, NoYardstick, Run, measure_on
    except ImportError as error:
        from kernel.database import NEEDS_EXTRA

        raise CommandFailed(NEEDS_EXTRA) from error
    try:
        run = Run(orders, rounds, clients or CLIENTS, lanes)
        measure_on(typer.echo, postgresql, run, loop=loop_factory())
    except NoYardstick as error:
        raise CommandFailed(str(error)) from error
