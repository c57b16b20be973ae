"""`alliance demo`: an invented alliance, made once and served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.commands.failures import CommandFailed
from gateway.demo.events import invented_orders
from gateway.demo.session import Guide, make_alliance, read_guide
from gateway.demo.tour import tour
from gateway.feeding.client import FeedFailed
from gateway.feeding.server import ServerGone
from gateway.feeding.tokens import FeedTokens
from gateway.http.listening import listen, see_that_it_can_listen
from gateway.settings import read_settings
from kernel.clock import SystemClock
from kernel.ids import RandomIds


def demo(
    data: Annotated[Path, typer.Option(help="Where the invented alliance lives.")] = Path(
        "demo-data"
    ),
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")] = None,
) -> None:
    """Serve an invented alliance with an explorer page; the first start fills it."""
    from gateway.assembly.serving import gateway_app  # Slow to load, and other commands do without.

    settings = read_settings()
    host = host or settings.host
    port = settings.port if port is None else port
    see_that_it_can_listen(host, port)
    guide = read_guide(data) or _make(data)
    tokens = FeedTokens(data)
    listen(
        gateway_app(settings, directory=data, clock=SystemClock(), ids=RandomIds()),
        host=host,
        port=port,
        announce=lambda url: typer.echo(tour(guide, tokens, url)),
    )


def _make(data: Path) -> Guide:
    if data.exists() and any(data.iterdir()):
        raise CommandFailed(f"{data} holds something else; name an empty directory with --data")
    now = SystemClock().now()
    total = sum(1 for _ in invented_orders(now.date()))
    typer.echo(f"Inventing {total} orders; this takes a minute or two, once.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("Two years", total=total)
        try:
            return make_alliance(data, now=now, on_progress=lambda n: progress.advance(task, n))
        except (FeedFailed, ServerGone, OSError) as error:
            raise CommandFailed(str(error)) from error
