"""The yardsticks: the ledger's own rows written by raw sqlite3, and the flushes of the disk.

Raw sqlite3 writes the rows of a thousand orders in one transaction, with one `executemany` for each
table: into the same tables with the same indexes, triggers and checks, each changed row once, with
the same durability. It reads, decides and hashes nothing, and nobody waits for it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from ledger.booking.batch import Submission, run_batch
from ledger.stores.port import Row, Write
from ledger.stores.sqlite import SqlitePort, statement_of, write_rows

Written = list[tuple[Write, list[Row]]]
"""What one transaction writes."""

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

    def __init__(self, connection: Connection, lane: int, written: Written) -> None:
        super().__init__(connection, lane)
        self._written = written

    def write(self, write: Write, rows: Sequence[Row]) -> None:
        """Writes the rows, and remembers them."""
        super().write(write, rows)
        if rows:
            self._written.append((write, list(rows)))


def record(connection: Connection, batch: Sequence[Submission]) -> Written:
    """Runs a batch in lane 0; what it wrote."""
    written: Written = []
    run_batch(RecordingPort(connection, 0, written), batch)
    return written


def replay(
    path: Path,
    first: Sequence[Written],
    measured: Sequence[Written],
    *,
    many_to_a_statement: bool = False,
) -> tuple[float, float]:
    """Seconds, and seconds of the processor, for raw sqlite3 to write the same rows.

    Args:
        first: written before, and not measured.
        many_to_a_statement: whether it writes them as the ledger does, not by `executemany`.
    """
    raw = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for pragma in _LIKE_OURS:
        raw.execute(pragma)

    def commit(written: Written) -> None:
        raw.execute("BEGIN IMMEDIATE")
        for write, rows in written:
            if many_to_a_statement:
                write_rows(raw.execute, raw.executemany, write, 0, rows)
            else:
                raw.executemany(statement_of(write, 0), rows)
        raw.execute("COMMIT")

    for written in first:
        commit(written)
    begun, used = time.perf_counter(), time.process_time()
    for written in measured:
        commit(written)
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
