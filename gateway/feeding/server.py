"""The server of a replay: the whole gateway in a process of its own, with a clock that is set."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 120


class ServerGone(Exception):
    """The server of the replay stopped, or did not start."""


class ReplayServer:
    """A gateway on a loopback port, in a child process that ends with this one."""

    def __init__(self, directory: Path, *, now: datetime) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._process = context.Process(
            target=_serve, args=(directory, now, theirs, self._socket), daemon=True
        )
        self._process.start()
        theirs.close()
        self._socket.close()

    @property
    def url(self) -> str:
        """Where its GraphQL endpoint is."""
        return f"http://127.0.0.1:{self.port}/graphql"

    def wait_until_ready(self) -> None:
        """Returns once requests are answered.

        Raises:
            ServerGone: it did not start; the message says why.
        """
        said = self._receive(START_TIMEOUT_S)
        if said != "ready":
            raise ServerGone(str(said))

    async def set_clock(self, now: datetime) -> None:
        """Moves the server's business clock; in force when this returns."""
        self._pipe.send(now)
        await asyncio.to_thread(self._receive, START_TIMEOUT_S)

    def stop(self) -> None:
        """Lets the server finish what it does, and waits for its end."""
        if self._process.is_alive():
            try:
                self._pipe.send(None)
            except OSError:
                self._process.terminate()
        self._process.join(START_TIMEOUT_S)
        self._pipe.close()

    def _receive(self, timeout_s: float) -> Any:
        try:
            if not self._pipe.poll(timeout_s):
                raise ServerGone("the server does not answer")
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise ServerGone("the server stopped") from error


def _serve(directory: Path, now: datetime, pipe: Connection, listening: socket.socket) -> None:
    from gateway.app import serve_on_socket
    from kernel.clock import SetClock

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    clock = SetClock(now)

    def follow(stop: Callable[[], None]) -> None:
        """Obeys the parent until it says stop, or is gone."""
        try:
            while (instant := pipe.recv()) is not None:
                clock.set(instant)
                pipe.send("set")
        except EOFError:
            pass
        stop()

    def on_ready(stop: Callable[[], None]) -> None:
        pipe.send("ready")
        threading.Thread(target=follow, args=(stop,), daemon=True).start()

    try:
        asyncio.run(serve_on_socket(directory, clock=clock, listening=listening, on_ready=on_ready))
    except OSError as error:
        pipe.send(str(error))
