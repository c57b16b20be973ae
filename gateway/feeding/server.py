"""The server of a feed: the whole gateway in a process of its own, with a clock that is set."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ANSWER_WITHIN_S = 120


class ServerGone(Exception):
    """The server of the feed did not start, or stopped; the message says why."""


class FeedServer:
    """A gateway on a loopback port, in a child process that ends with this one.

    Args:
        runs: whether its clock runs on from where it is set; where several servers share the
            databases, what one that died had in work is free for the others once time passed.
    """

    def __init__(self, directory: Path, *, now: datetime, runs: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(directory, now, runs, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        self.url = ""

    @property
    def pid(self) -> int | None:
        """Id of the server's process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Returns once requests are answered at `url`.

        Raises:
            ServerGone: it did not start.
        """
        kind, said = self._receive()
        if kind != "ready":
            raise ServerGone(said)
        self.url = f"{said}/graphql"

    async def set_clock(self, now: datetime) -> None:
        """Moves the server's business clock; in force when this returns.

        Raises:
            ServerGone: the server stopped.
        """
        try:
            self._pipe.send(now)
        except OSError as error:
            raise ServerGone("the server stopped") from error
        await asyncio.to_thread(self._receive)

    def stop(self) -> None:
        """Lets the server finish what it does, and waits for its end."""
        try:
            self._pipe.send(None)
        except OSError:
            self._process.terminate()
        self._process.join(ANSWER_WITHIN_S)
        self._pipe.close()

    def _receive(self) -> tuple[str, Any]:
        try:
            if not self._pipe.poll(ANSWER_WITHIN_S):
                raise ServerGone("the server does not answer")
            kind, said = self._pipe.recv()
            return kind, said
        except (EOFError, OSError) as error:
            raise ServerGone("the server stopped") from error


async def set_clocks(servers: Sequence[FeedServer], now: datetime) -> None:
    """Moves the clocks of several servers; in force at all when this returns.

    Nobody asks them anything meanwhile.

    Raises:
        ServerGone: one stopped.
    """
    await asyncio.gather(*(server.set_clock(now) for server in servers))


def _serve(directory: Path, now: datetime, runs: bool, pipe: Connection) -> None:
    from gateway.assembly.serving import gateway_app
    from gateway.http.listening import CanNotListen, listen
    from gateway.settings import read_settings
    from kernel.clock import RunningClock, SetClock
    from kernel.database import DatabaseUnavailable, DirectoryInUse
    from kernel.ids import RandomIds

    logging.basicConfig(level=logging.WARNING)
    clock = RunningClock(now) if runs else SetClock(now)

    def obey() -> None:
        """Sets the clock as told, until the parent says stop or is gone."""
        try:
            while (instant := pipe.recv()) is not None:
                clock.set(instant)
                pipe.send(("set", ""))
        except (EOFError, OSError):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    def on_ready(url: str) -> None:
        pipe.send(("ready", url))
        threading.Thread(target=obey, daemon=True).start()

    app = gateway_app(read_settings(), directory=directory, clock=clock, ids=RandomIds())
    try:
        listen(app, host="127.0.0.1", port=0, announce=on_ready)
    except (CanNotListen, DirectoryInUse, DatabaseUnavailable) as error:
        pipe.send(("failed", str(error)))
