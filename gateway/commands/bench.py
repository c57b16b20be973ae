"""`alliance bench`: measures a part of the product beside a yardstick of the same run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


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
) -> None:
    """Measure the ledger; ratios hold on a busy machine too, figures a second do not."""
    from ledger.bench.run import Size, measure_ledger  # Slow to load.

    assert subject is Subject.LEDGER
    measure_ledger(typer.echo, Size(orders, rounds, entries, lots))
