"""`alliance serve-subgraph`: subgraphs of a data directory alone, for other routers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.failures import CommandFailed
from gateway.http.listening import listen
from gateway.settings import read_settings
from kernel.clock import SystemClock
from kernel.ids import RandomIds


def serve_subgraph(
    name: Annotated[str, typer.Argument(help="The subgraph, by its name in the supergraph.")],
    data: Annotated[Path | None, typer.Option(help="Data directory; made if missing.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")] = None,
) -> None:
    """Serve one subgraph, with `_entities` and `_service`, at /graphql."""
    from gateway.assembly.schemas import (
        subgraph_schemas,  # Slow to load, and other commands do without.
    )
    from gateway.assembly.serving import subgraph_app

    if name not in subgraph_schemas():
        known = ", ".join(sorted(subgraph_schemas()))
        raise CommandFailed(f"no subgraph {name}; there are {known}")
    settings = read_settings()
    directory = data or settings.data
    listen(
        subgraph_app(name, settings, directory=directory, clock=SystemClock(), ids=RandomIds()),
        host=host or settings.host,
        port=settings.port if port is None else port,
        announce=lambda url: typer.echo(f"Serving subgraph {name} at {url}/graphql"),
    )
