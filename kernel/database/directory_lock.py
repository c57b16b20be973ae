"""One server for each data directory: SQLite files there have one writer.

A PostgreSQL server arbitrates between its clients by itself and needs no such lock.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

from kernel.database.interface import DatabaseUnavailable


class DirectoryInUse(Exception):
    """Another server runs on this data directory."""


class DirectoryLock:
    """Holds a data directory for one server; the system frees it when the process ends.

    Makes the directory when it is missing, for nobody but the user whose server this is.

    Raises:
        DirectoryInUse: another server holds it.
        DatabaseUnavailable: it is no directory, or can not be written; the message says which.
    """

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = (directory / "server.lock").open("a+")
        except OSError as error:
            raise DatabaseUnavailable(
                f"can not write to the data directory {directory}: {error.strerror}"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise DirectoryInUse(f"another server runs on {directory}") from error

    def release(self) -> None:
        """Frees the directory."""
        self._file.close()
