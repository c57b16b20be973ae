"""When the log of an SQLite file is copied into the file, and by whom.

A checkpoint writes every page that changed since the last one, wherever it lies. Those of a short
log the writer makes itself, after a commit. Behind a reader that stays on an old state a log grows
by gigabytes all the same, and copying it takes seconds, in which nobody could write. So a long one
is copied beside the writer, by a thread that leaves the rest of it to the writer: a log begins anew
only when nothing is left to be copied.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

import apsw
from sqlalchemy import Connection

from kernel.statements import driver_connection

logger = logging.getLogger(__name__)

CHECKPOINT_PAGES = 8_000
"""How long a log is when it is first copied; rare copies write a page that changes often once."""

LONG_PAGES = 4 * CHECKPOINT_PAGES
"""How much there is to copy when the writer leaves it to the thread."""

ROUNDS_MAX = 3
"""How often the thread copies all that there is before the writer has to wait for a copy: one who
writes faster than is copied would make the log grow without end."""

PAUSE_S = 0.1
"""Between two attempts of the thread: a reader may stay for long."""


class _Copies(Protocol):
    def wal_checkpoint(self, *, mode: int) -> tuple[int, int]: ...


class Checkpoints:
    """Copies the log of one file into it, as the module says."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pages = 0
        self._copied = 0
        self._rounds = 0
        self._wanted = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, connection: Connection) -> None:
        """Begins to copy, by this connection, what the writer leaves."""
        self._thread = threading.Thread(
            target=self._copy_until_ended,
            args=(connection,),
            name=f"checkpoint-{self._name}",
            daemon=True,
        )
        self._thread.start()

    def end(self) -> None:
        """Waits for the copy that was begun; there is no other."""
        self._ended.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def after_commit(self, connection: _Copies, _database: str, pages: int) -> int:
        """What SQLite calls when the writer has committed to a log that now has so many pages."""
        if pages <= self._pages:  # It began anew.
            self._copied = self._rounds = 0
        self._pages = pages
        if pages < CHECKPOINT_PAGES:
            return apsw.SQLITE_OK
        if pages - self._copied >= LONG_PAGES and self._rounds < ROUNDS_MAX:
            self._wanted.set()
        elif self._copy(connection):
            self._rounds = 0
        return apsw.SQLITE_OK

    def copy_beside(self, connection: _Copies) -> None:
        """What the thread does once."""
        if self._copy(connection):
            self._rounds += 1

    def _copy(self, connection: _Copies) -> bool:
        """Copies what no reader keeps from it; whether that was all."""
        try:
            pages, self._copied = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:  # The other one copies.
            return False
        except apsw.Error as error:  # Nothing is lost: it stays in the log, and is tried again.
            logger.error("can not copy the log of %s into it: %s", self._name, error)
            return False
        return pages == self._copied

    def _copy_until_ended(self, connection: Connection) -> None:
        with connection:
            while not self._ended.is_set():
                self._wanted.wait()
                self._wanted.clear()
                if not self._ended.is_set():
                    self.copy_beside(driver_connection(connection))
                self._ended.wait(PAUSE_S)
