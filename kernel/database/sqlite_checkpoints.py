"""When the log of an SQLite file is copied into the file, and by whom.

A checkpoint writes every page that changed since the last one, wherever it lies: tens of
milliseconds of a log that is worth it, and seconds of one that grew by gigabytes behind a reader
that stayed on an old state. A writer that copied would let everybody wait for it. So a thread
copies beside the writer, and leaves it what was written meanwhile: a log begins anew only when
nothing is left to be copied.

SQLite cuts a log off that begins anew: within a commit, and a gigabyte takes half a second. So what
a log grew by is given back to the disk little by little.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Protocol

import apsw
from sqlalchemy import Connection

from kernel.statements import driver_connection

logger = logging.getLogger(__name__)

CHECKPOINT_PAGES = 8_000
"""How much there is to copy when the thread does it; rare copies write a page that changes often
once."""

ROUNDS_MAX = 3
"""How often the thread copies all that there is before the writer has to wait for a copy: one who
writes faster than is copied would make the log grow without end."""

BYTES_KEPT = 64 * 2**20
"""How much of the log's room on the disk is kept when it begins anew; twice what it holds without a
reader who stays on an old state for long."""

GIVEN_BACK_MAX = 64 * 2**20
"""How many bytes of it are given back at once, which takes some thirty milliseconds."""

PAUSE_S = 0.1
"""Between two attempts of the thread: a reader may stay for long."""


class _Copies(Protocol):
    def wal_checkpoint(self, *, mode: int) -> tuple[int, int]: ...

    def pragma(self, name: str, value: int) -> object: ...


class Checkpoints:
    """Copies the log of one file into it, as the module says."""

    def __init__(self, path: Path) -> None:
        self._name = path.stem
        self._log = path.with_name(f"{path.name}-wal")
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
        self._limit(connection)
        if pages - self._copied >= CHECKPOINT_PAGES and self._rounds < ROUNDS_MAX:
            self._wanted.set()
        elif self._copy(connection):
            self._rounds = 0
        return apsw.SQLITE_OK

    def copy_beside(self, connection: _Copies) -> None:
        """What the thread does once."""
        if self._copy(connection):
            self._rounds += 1

    def _limit(self, connection: _Copies) -> None:
        """Says how much of the log's room is kept when it begins anew."""
        try:
            kept = max(BYTES_KEPT, self._log.stat().st_size - GIVEN_BACK_MAX)
            connection.pragma("journal_size_limit", kept)
        except (OSError, apsw.Error) as error:  # What was committed stays so.
            logger.error("can not limit the log of %s: %s", self._name, error)

    def _copy(self, connection: _Copies) -> bool:
        """Copies what no reader keeps from it; whether that was all."""
        try:
            pages, self._copied = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:  # The other one copies.
            return False
        except apsw.Error as error:  # Nothing is lost: it stays in the log, and is tried again.
            logger.error("can not copy the log of %s into it: %s", self._name, error)
            self._rounds = ROUNDS_MAX  # Where the thread can not, the writer copies.
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
