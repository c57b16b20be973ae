"""`alliance serve`: the gateway over a data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.http.listening import listen
from gateway.settings import read_settings
from kernel.clock import SystemClock
from kernel.ids import RandomIds


def serve(
    data: Annotated[Path | None, typer.Option(help="Data directory; made if missing.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")] = None,
) -> None:
    """Serve the alliance: GraphQL at /graphql, the explorer at /."""
    from gateway.assembly.serving import gateway_app  # Slow to load, and other commands do without.

    settings = read_settings()
    directory = data or settings.data
    listen(
        gateway_app(settings, directory=directory, clock=SystemClock(), ids=RandomIds()),
        host=host or settings.host,
        port=settings.port if port is None else port,
        announce=lambda url: typer.echo(f"Serving {directory} at {url}/graphql"),
    )
