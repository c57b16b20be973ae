"""`alliance compose`: one supergraph from the SDL of several subgraphs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.compose_config import read_config
from gateway.commands.failures import CommandFailed
from gateway.federation.composition import CompositionFailed
from gateway.federation.composition import compose as compose_subgraphs


def compose(
    config: Annotated[
        Path,
        typer.Option(
            help="TOML file: for each subgraph a table [[subgraphs]] with `name`, `url`, and "
            "`sdl` (a file beside it) or `introspect = true`.",
            exists=True,
            dir_okay=False,
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(help="File to write; standard output when absent.")
    ] = None,
) -> None:
    """Print the supergraph of some subgraphs, or every conflict between them."""
    try:
        composition = compose_subgraphs(read_config(config))
    except CompositionFailed as failed:
        raise CommandFailed(_told(failed)) from failed
    for hint in composition.hints:
        typer.echo(f"hint: {hint.code}: {hint.message}", err=True)
    if output is None:
        typer.echo(composition.supergraph_sdl)
    else:
        output.write_text(composition.supergraph_sdl + "\n", encoding="utf-8")


def _told(failed: CompositionFailed) -> str:
    lines = [f"the subgraphs do not compose; {len(failed.conflicts)} conflicts:"]
    for conflict in failed.conflicts:
        lines.append(f"  {conflict.code}: {conflict.message}")
        if conflict.hint:
            lines.append(f"    {conflict.hint}")
    return "\n".join(lines)
