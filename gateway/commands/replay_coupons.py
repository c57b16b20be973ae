"""`alliance replay-coupons`: a chain's coupons and redemptions through the GraphQL API."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.failures import CommandFailed
from gateway.feeding.client import FeedFailed
from gateway.feeding.server import ServerGone
from gateway.replay.coupons.history import CouponHistory, read_coupon_history
from gateway.replay.coupons.reasons import reasons_of
from gateway.replay.coupons.recount import Recount, recount_redemptions, tell_standings
from gateway.replay.coupons.run import CouponOutcome
from gateway.replay.coupons.session import replay_coupon_history
from gateway.replay.history import HistoryUnreadable

TOLD_EVERY = 100

_STANDINGS = {
    "DISCOUNTED": "a discount is recorded on a product of the coupon",
    "NO_DISCOUNT": "a product of the coupon, and no discount recorded",
    "NO_PRODUCT": "no product of the coupon in that day's baskets",
    "NO_ORDER": "no basket of the household that day",
}


def replay_coupons(
    directory: Annotated[Path, typer.Argument(help="Directory of the history's CSV files.")],
    data: Annotated[Path, typer.Option(help="Where the replayed alliance lives.")] = Path(
        "replay-coupons-data"
    ),
) -> None:
    """Replay a chain's coupon redemptions through the GraphQL API, and recount them."""
    try:
        history = read_coupon_history(directory)
        outcome = asyncio.run(
            replay_coupon_history(history, data, on_progress=_progress(len(history.baskets)))
        )
        recount = recount_redemptions(directory)
        reasons = reasons_of(directory, recount.outcomes)
    except (HistoryUnreadable, OSError, FeedFailed, ServerGone) as error:
        raise CommandFailed(str(error)) from error
    _tell(history, outcome, recount)
    for (reason, why), count in sorted(reasons.items()):
        typer.echo(f"{count:>6} {reason}: {why}")
    differing = _differences(outcome, recount)
    for line in differing:
        typer.echo(f"DIFFERS {line}")
    if differing:
        raise CommandFailed(f"{len(differing)} figures differ")
    typer.echo("Every count and the sum equal the recount from the files.")


def _progress(total: int) -> Callable[[int], None]:
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        if done % TOLD_EVERY == 0 or done == total:
            typer.echo(f"{done} of {total} baskets")

    return tell


def _tell(history: CouponHistory, outcome: CouponOutcome, recount: Recount) -> None:
    typer.echo(
        f"{len(history.templates)} templates, {outcome.checkouts} checkouts, "
        f"{len(history.redemptions)} redemptions, {outcome.requests} requests"
    )
    typer.echo(f"{'outcome':<16}{'replayed':>10}{'recounted':>11}")
    replayed, recounted = _counts(outcome, recount)
    for reason in sorted({*replayed, *recounted}):
        typer.echo(f"{reason:<16}{replayed[reason]:>10}{recounted[reason]:>11}")
    typer.echo(f"{'taken, minor':<16}{outcome.taken_minor:>10}{recount.taken_minor:>11}")
    typer.echo(f"the history records {recount.recorded_minor} minor on lines of these coupons")
    for (standing, reason), count in sorted(
        tell_standings(outcome.outcomes, recount.standings).items()
    ):
        typer.echo(f"{count:>6} {reason}: {_STANDINGS[standing]}")


def _differences(outcome: CouponOutcome, recount: Recount) -> list[str]:
    replayed, recounted = _counts(outcome, recount)
    lines = [
        f"{reason}: recounted {recounted[reason]}, replayed {replayed[reason]}"
        for reason in sorted({*replayed, *recounted})
        if replayed[reason] != recounted[reason]
    ]
    if outcome.taken_minor != recount.taken_minor:
        lines.append(f"taken: recounted {recount.taken_minor}, replayed {outcome.taken_minor}")
    return lines


def _counts(outcome: CouponOutcome, recount: Recount) -> tuple[Counter[str], Counter[str]]:
    return Counter(outcome.outcomes.values()), Counter(recount.outcomes.values())
