"""The yardsticks: the ledger's own rows written by raw sqlite3, and the flushes of the disk."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from ledger.batch import Submission, run_batch
from ledger.port import Row, Write
from ledger.sqlite import SqlitePort, statement_of

Statements = list[tuple[str, list[Row]]]
"""What one transaction writes: statements, and the rows that each is run for."""

_LIKE_OURS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-32768",
    "PRAGMA wal_autocheckpoint=8000",
    "PRAGMA temp_store=MEMORY",
)
_FLUSHED_BYTES = 4_096


class RecordingPort(SqlitePort):
    """A port that remembers what it writes."""

    def __init__(self, connection: Connection, lane: int, statements: Statements) -> None:
        super().__init__(connection, lane)
        self._statements = statements

    def write_ahead(self, write: Write, rows: Sequence[Row]) -> int:
        """Nothing, so that each table is written at once."""
        return 0

    def write(self, write: Write, rows: Sequence[Row]) -> None:
        """Writes the rows, and remembers them."""
        super().write(write, rows)
        if rows:
            self._statements.append((statement_of(write, self.lane), list(rows)))


def record(connection: Connection, batch: Sequence[Submission]) -> Statements:
    """Runs a batch in lane 0; what it wrote."""
    statements: Statements = []
    run_batch(RecordingPort(connection, 0, statements), batch)
    return statements


def replay(path: Path, transactions: Sequence[Statements]) -> tuple[float, float]:
    """Seconds, and seconds of the processor, for raw sqlite3 to write the same rows."""
    raw = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for pragma in _LIKE_OURS:
        raw.execute(pragma)
    begun, used = time.perf_counter(), time.process_time()
    for statements in transactions:
        raw.execute("BEGIN IMMEDIATE")
        for statement, rows in statements:
            raw.executemany(statement, rows)
        raw.execute("COMMIT")
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    raw.close()
    return seconds, used


def flushes_per_second(directory: Path, *, seconds: float = 0.5) -> float:
    """How often the disk makes a page durable."""
    count = 0
    path = directory / "flushes"
    with path.open("wb", buffering=0) as file:
        begun = time.perf_counter()
        while (passed := time.perf_counter() - begun) < seconds:
            file.write(bytes(_FLUSHED_BYTES))
            os.fsync(file.fileno())
            count += 1
    path.unlink()
    return count / passed
