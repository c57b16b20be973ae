"""`alliance schema`: the API's schema, or the supergraph."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated

import typer

from gateway.commands.failures import CommandFailed


def schema(
    supergraph: Annotated[
        bool, typer.Option("--supergraph", help="Print the supergraph instead.")
    ] = False,
    subgraph: Annotated[str | None, typer.Option(help="Print this subgraph's SDL instead.")] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(help="NAME=URL of a subgraph in the supergraph; may be repeated."),
    ] = None,
) -> None:
    """Print the schema that clients see."""
    from gateway.assembly.schemas import (  # Slow to load.
        public_sdl,
        subgraph_schemas,
        supergraph_sdl,
    )

    if subgraph is not None:
        schemas = subgraph_schemas()
        if subgraph not in schemas:
            raise CommandFailed(f"no subgraph {subgraph}; there are {', '.join(sorted(schemas))}")
        typer.echo(schemas[subgraph].sdl)
    elif supergraph:
        typer.echo(supergraph_sdl(_urls(url or [], subgraph_schemas())))
    else:
        typer.echo(public_sdl(), nl=False)


def _urls(given: list[str], known: Container[str]) -> dict[str, str]:
    urls: dict[str, str] = {}
    for entry in given:
        name, equals, url = entry.partition("=")
        if not equals or name not in known:
            raise CommandFailed(f"--url {entry}: write NAME=URL, with the name of a subgraph")
        urls[name] = url
    return urls
