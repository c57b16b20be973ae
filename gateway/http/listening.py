"""Runs a server on a socket until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from gateway.http.connection import Connection

STOP_WITHIN_S = 20
YOUNG_OBJECTS_MAX = 50_000
"""Objects that may be made before the collector looks for cycles among them."""


class CanNotListen(Exception):
    """The address is in use, or is none of this machine's."""


def listen(app: Starlette, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM; then finishes what is under way and closes everything.

    Args:
        port: 0 takes any free port.
        announce: called with the server's URL once it answers.

    Raises:
        CanNotListen: the address can not be had.

    Whatever opening the application raises is raised from here too, before the address answers.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(app, host=host, port=port, announce=announce))


async def _serve(app: Starlette, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    with _bound(host, port) as bound:
        async with app.router.lifespan_context(app):
            config = uvicorn.Config(
                app,
                loop="none",
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,  # No one asks where a request came from.
                timeout_graceful_shutdown=STOP_WITHIN_S,
            )
            server = uvicorn.Server(config)
            # One that comes before the server looks for signals stops it as soon as it does. The
            # server raises it again once it has stopped, and everything shall be closed in order.
            for stop in (signal.SIGINT, signal.SIGTERM):
                signal.signal(stop, server.handle_exit)
            _leave_out_what_stays()
            shown = f"[{host}]" if ":" in host else host
            announce(f"http://{shown}:{bound.getsockname()[1]}")
            await server.serve(sockets=[bound])


def _leave_out_what_stays() -> None:
    """Keeps the collector off schemas and statements, which live as long as the server.

    Walking them again and again cost a fifth of an order.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, 20, 100)


def see_that_it_can_listen(host: str, port: int) -> None:
    """Takes the address and lets it go, for who has long work to do before it listens.

    Raises:
        CanNotListen: the address can not be had.
    """
    _bound(host, port).close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        raise CanNotListen(
            f"can not listen on {host}, port {port}: {error.strerror}; --port takes another"
        ) from error


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Makes the loop that serves; None for asyncio's own."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop
