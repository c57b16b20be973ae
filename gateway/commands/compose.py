"""`alliance compose`: one supergraph from the SDL of several subgraphs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.commands.failures import CommandFailed
from gateway.federation.composition import CompositionFailed, SubgraphSdl
from gateway.federation.composition import compose as compose_subgraphs


def compose(
    config: Annotated[
        Path,
        typer.Option(
            help="TOML file: a table [subgraphs.NAME] with `sdl` (a file beside it) and `url`.",
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


def read_config(config: Path) -> list[SubgraphSdl]:
    """The subgraphs that a configuration file names.

    Raises:
        CommandFailed: the file, or an SDL file that it names, can not be read.
    """
    try:
        tables = tomllib.loads(config.read_text(encoding="utf-8")).get("subgraphs")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{config} is no TOML: {error}") from error
    if not isinstance(tables, dict) or not tables:
        raise CommandFailed(f"{config} has no table [subgraphs.NAME]")
    return [_subgraph(config, name, table) for name, table in tables.items()]


def _subgraph(config: Path, name: str, table: Any) -> SubgraphSdl:
    sdl, url = (table.get("sdl"), table.get("url", "")) if isinstance(table, dict) else (None, "")
    if not isinstance(sdl, str) or not isinstance(url, str):
        raise CommandFailed(f"{config}: [subgraphs.{name}] needs `sdl`, a file, and may have `url`")
    path = config.parent / sdl
    try:
        return SubgraphSdl(name, url, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"can not read {path}: {error}") from error


def _told(failed: CompositionFailed) -> str:
    lines = [f"the subgraphs do not compose; {len(failed.conflicts)} conflicts:"]
    for conflict in failed.conflicts:
        lines.append(f"  {conflict.code}: {conflict.message}")
        if conflict.hint:
            lines.append(f"    {conflict.hint}")
    return "\n".join(lines)
