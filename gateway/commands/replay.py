"""`alliance replay`: an order history through the GraphQL API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.commands.failures import CommandFailed
from gateway.feeding.client import FeedFailed
from gateway.feeding.server import ServerGone
from gateway.replay.figures import differences
from gateway.replay.history import History, HistoryUnreadable, read_history
from gateway.replay.merchant_tiers import tier_differences
from gateway.replay.recount import recount_tiers
from gateway.replay.run import Outcome
from gateway.replay.session import replay_history
from gateway.settings import read_settings

SHOWN_MAX = 40


def replay(
    directory: Annotated[Path, typer.Argument(help="Directory of the history's CSV files.")],
    top: Annotated[int | None, typer.Option(min=1, help="The first so many brands.")] = None,
    merchants: Annotated[Path | None, typer.Option(help="File of merchant ids.")] = None,
    data: Annotated[Path, typer.Option(help="Where the replayed alliance lives.")] = Path(
        "replay-data"
    ),
    expect: Annotated[Path | None, typer.Option(help="JSON of figures to compare.")] = None,
    month_ends: Annotated[Path | None, typer.Option(help="JSON of month ends to compare.")] = None,
    check_tiers: Annotated[
        bool, typer.Option("--check-tiers", help="Recount every merchant's tiers from the files.")
    ] = False,
    gateways: Annotated[
        int, typer.Option(min=1, max=16, help="Servers that share the work, on PostgreSQL.")
    ] = 1,
) -> None:
    """Replay an order history through the GraphQL API, with the history's clock."""
    settings = read_settings()
    if gateways > 1 and settings.databases(data).any_file:
        raise CommandFailed("several gateways need all three ALLIANCE_…DATABASE_URL")
    try:
        chosen = merchants.read_text().split() if merchants is not None else None
        expected = _json(expect)
        expected_month_ends = _json(month_ends)
        history = read_history(directory, top=top, merchants=chosen)
        outcome = _with_progress(history, data, with_tiers=check_tiers, gateways=gateways)
    except (HistoryUnreadable, OSError, FeedFailed, ServerGone) as error:
        raise CommandFailed(str(error)) from error
    _tell(outcome)
    found = differences(expected, outcome.figures) if expected is not None else []
    if expected_month_ends is not None:
        found += differences(expected_month_ends, outcome.month_ends)
    if outcome.merchant_tiers is not None:
        references = {merchant.reference for merchant in history.merchants}
        found += tier_differences(recount_tiers(directory, references), outcome.merchant_tiers)
    for line in found[:SHOWN_MAX]:
        typer.echo(f"DIFFERS {line}")
    if found:
        raise CommandFailed(f"{len(found)} figures differ")
    if expected is not None:
        typer.echo(f"Every figure equals {expect}.")
    if expected_month_ends is not None:
        typer.echo(f"Every one of {len(expected_month_ends)} month ends equals {month_ends}.")
    if outcome.merchant_tiers is not None:
        typer.echo(f"Every one of {2 * len(outcome.merchant_tiers)} merchants' tiers is recounted.")
    typer.echo(
        f"{outcome.events} orders and refunds in {outcome.seconds:.1f} s: "
        f"{outcome.events / max(outcome.seconds, 0.001):.0f} a second "
        f"({outcome.requests} requests in all)."
    )


def _with_progress(history: History, data: Path, *, with_tiers: bool, gateways: int) -> Outcome:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(
            "Replaying", total=sum(len(day.orders) + len(day.refunds) for day in history.days)
        )
        return asyncio.run(
            replay_history(
                history,
                data,
                on_progress=lambda n: progress.advance(task, n),
                with_tiers=with_tiers,
                gateways=gateways,
            )
        )


def _tell(outcome: Outcome) -> None:
    figures = outcome.figures
    for name in (
        "orders",
        "refunds_matched",
        "members",
        "gross_minor",
        "refunds_applied_minor",
        "points_issued",
        "points_clawed_back",
        "points_live",
        "alliance_minor",
        "pool_minor",
        "tiers_by_count",
        "tiers_by_amount",
    ):
        typer.echo(f"{name}: {figures[name]}")


def _json(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise CommandFailed(f"{path} is no JSON: {error}") from error
