"""Copies a SQLite file's write-ahead log back into the file, beside the commits that fill the log.

A commit waits for the disk once, for its own pages of the log. A checkpoint writes every page that
changed since the last one, wherever it lies, and waits for all of them; on a slow disk that takes
longer than hundreds of commits. So a thread of its own does it, by a connection of its own, and
those who wait for a commit do not wait for it.

A log begins anew only when all of it was copied, and while commits never pause that never is so.
Then the commit that finds the log `LOG_PAGES` long copies what is missing itself: the little that
came since the thread's last time.
"""

from __future__ import annotations

import logging
import threading

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

logger = logging.getLogger(__name__)

LOG_PAGES = 16_000
"""From this length of the log on a commit copies what is missing."""
PAUSE_S = 0.5
"""Between two checkpoints of the thread: rare ones write a page that changes often only once."""


class Checkpointer:
    """A thread that checkpoints a file after commits, never twice within `PAUSE_S`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._committed = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"checkpoint-{name}")

    @classmethod
    def of(cls, engine: Engine, name: str) -> Checkpointer:
        """A checkpointer at work, by a new connection.

        Raises:
            DBAPIError: the file can not be opened.
        """
        checkpointer = cls(engine.connect(), name)
        checkpointer._thread.start()
        return checkpointer

    def note_commit(self) -> None:
        """Lets the thread know that the log has grown."""
        self._committed.set()

    def close(self) -> None:
        """Lets go of the file, once a checkpoint that runs has ended."""
        self._closed.set()
        self._committed.set()
        self._thread.join()

    def _run(self) -> None:
        with self._connection:
            while True:
                self._committed.wait()
                if self._closed.is_set():
                    return
                self._committed.clear()
                self._checkpoint()
                self._closed.wait(PAUSE_S)

    def _checkpoint(self) -> None:
        """Copies what nobody stands in the way of; never waits for readers or writers."""
        try:
            self._connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
        except DBAPIError as error:  # Nothing is lost: the log keeps it, the next time copies it.
            logger.warning("can not checkpoint %s: %s", self._name, error.orig)
