"""`alliance route`: serves any supergraph whose subgraphs answer over HTTP."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gateway.access.authentication import Anonymous, Authenticator
from gateway.access.issuers import trusted_issuers
from gateway.assembly.router import Router, following
from gateway.commands.failures import CommandFailed
from gateway.commands.supergraph_file import SupergraphUnreadable, read_supergraph
from gateway.federation.supergraph import Supergraph
from gateway.http.app import Running, create_app
from gateway.http.listening import listen
from gateway.settings import Settings, read_settings
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
    override_label: Annotated[
        list[str] | None,
        typer.Option(help="Override label that holds for every request; may be repeated."),
    ] = None,
    collapse: Annotated[
        bool,
        typer.Option(
            "--collapse", help="Let equal queries that are under way together share one answer."
        ),
    ] = False,
) -> None:
    """Serve a supergraph, whatever composed it, at /graphql; follow its file when it changes."""
    settings = read_settings()
    version = _version_of(supergraph)
    try:
        merged = read_supergraph(supergraph, with_urls=True)
    except SupergraphUnreadable as error:
        raise CommandFailed(str(error)) from error
    app = create_app(
        lambda: _open_router(
            supergraph, merged, version, settings, override_label or (), collapses=collapse
        ),
        ids=RandomIds(),
        limits=settings.limits,
        with_explorer=settings.explorer,
        passed_headers=[name.lower() for name in pass_header or ()],
        tells_plans=settings.development,
    )
    listen(
        app,
        host=host or settings.host,
        port=settings.port if port is None else port,
        announce=lambda url: typer.echo(
            f"Serving {len(merged.subgraphs)} subgraphs at {url}/graphql"
        ),
    )


def _version_of(file: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file does; None while there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@asynccontextmanager
async def _open_router(
    file: Path,
    merged: Supergraph,
    version: object,
    settings: Settings,
    labels: Collection[str],
    *,
    collapses: bool,
) -> AsyncIterator[Running]:
    read = partial(read_supergraph, file, with_urls=True)
    async with AsyncExitStack() as stack:
        router = Router(merged, limits=settings.limits.operation, labels=labels)
        stack.push_async_callback(router.aclose)
        watch = following(router, read, partial(_version_of, file), served=version)
        reload = await stack.enter_async_context(watch)
        stack.enter_context(_reloading_on_hangup(reload))
        yield Running(
            router,
            await _authenticator(settings),
            version=router.version if collapses else None,
        )


@contextmanager
def _reloading_on_hangup(reload: Callable[[], None]) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def _authenticator(settings: Settings) -> Authenticator | Anonymous:
    """Without a key set, tokens are not looked at: subgraphs may, when they are passed on."""
    issuers = trusted_issuers(settings, directory=None)
    if not issuers:
        return Anonymous()
    authenticator = Authenticator(issuers, unix_time=time.time)
    await authenticator.refresh()
    return authenticator
