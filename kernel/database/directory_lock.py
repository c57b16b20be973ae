"""One server for each data directory: SQLite files there have one writer.

A PostgreSQL server arbitrates between its clients by itself and needs no such lock.
"""

from __future__ import annotations

import fcntl
from pathlib import Path


class DirectoryInUse(Exception):
    """Another server runs on this data directory."""


class DirectoryLock:
    """Holds a data directory for one server; the system frees it when the process ends."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = (directory / "server.lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise DirectoryInUse(f"another server runs on {directory}") from error

    def release(self) -> None:
        """Frees the directory."""
        self._file.close()
