"""`alliance route`: serves any supergraph whose subgraphs answer over HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from graphql import GraphQLError

from gateway.access.authentication import Anonymous, Authenticator
from gateway.access.issuers import trusted_issuers
from gateway.assembly.engine import assemble_engine
from gateway.commands.failures import CommandFailed
from gateway.federation.supergraph import Supergraph
from gateway.http.app import Running, create_app
from gateway.http.listening import listen
from gateway.settings import Settings, read_settings
from gateway.transports.http import HttpTransport
from kernel.ids import RandomIds


def route(
    supergraph: Annotated[
        Path, typer.Option(help="File with the supergraph SDL.", exists=True, dir_okay=False)
    ],
    port: Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    pass_header: Annotated[
        list[str] | None,
        typer.Option(help="Request header to pass on to subgraphs; may be repeated."),
    ] = None,
) -> None:
    """Serve a supergraph, whatever composed it, at /graphql."""
    settings = read_settings()
    merged = _read_supergraph(supergraph)
    app = create_app(
        lambda: _open_router(merged, settings),
        ids=RandomIds(),
        limits=settings.limits,
        with_explorer=settings.explorer,
        passed_headers=[name.lower() for name in pass_header or ()],
    )
    listen(
        app,
        host=host or settings.host,
        port=settings.port if port is None else port,
        announce=lambda url: typer.echo(
            f"Serving {len(merged.subgraphs)} subgraphs at {url}/graphql"
        ),
    )


def _read_supergraph(file: Path) -> Supergraph:
    try:
        merged = Supergraph.parse(file.read_text(encoding="utf-8"))
        _ = merged.public_schema
    except (GraphQLError, ValueError, TypeError) as error:
        raise CommandFailed(f"{file} is no supergraph: {error}") from error
    without_url = [name for name, url in merged.subgraphs.items() if not url]
    if without_url:
        raise CommandFailed(f"{file} gives no URL for {', '.join(sorted(without_url))}")
    return merged


@asynccontextmanager
async def _open_router(merged: Supergraph, settings: Settings) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        transports = {name: HttpTransport(url, name=name) for name, url in merged.subgraphs.items()}
        for transport in transports.values():
            stack.push_async_callback(transport.aclose)
        engine = assemble_engine(merged, transports, limits=settings.limits.operation)
        yield Running(engine, await _authenticator(settings))


async def _authenticator(settings: Settings) -> Authenticator | Anonymous:
    """Without a key set, tokens are not looked at: subgraphs may, when they are passed on."""
    issuers = trusted_issuers(settings, directory=None)
    if not issuers:
        return Anonymous()
    authenticator = Authenticator(issuers, unix_time=time.time)
    await authenticator.refresh()
    return authenticator
