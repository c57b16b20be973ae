"""The process that helps to count: it is told where the books are, then part after part.

It answers each part with a line, and the end with what it counted. Books in a file are read by
apsw, whose SQLite is newer than that of most systems and writes JSON in three fifths of the time.
Only here, since two libraries of SQLite in one process undo each other's locks on a file. Without
SQLAlchemy the process starts in a third of the time.
"""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw

from ledger.recount import Part, Recount
from ledger.sealed import sealed_in_file

COUNTED = b"counted\n"
BUSY_TIMEOUT_MS = 10_000

Asked = tuple[Part, dict[int, str]]
"""A part, and the hashes of the requests behind its transactions."""


def main() -> None:
    """Counts what comes pickled, until the end, and says so."""
    gc.disable()  # What is counted holds no cycles, and grows: it would be looked through often.
    address = pickle.load(sys.stdin.buffer)
    count = _counted_in_file if isinstance(address, Path) else _counted_on_server
    pickle.dump(count(address), sys.stdout.buffer)


def _counted_in_file(path: Path) -> Recount:
    recount = Recount()
    raw = apsw.Connection(
        str(path), flags=apsw.SQLITE_OPEN_READWRITE
    )  # A missing file is not made.
    try:
        raw.set_busy_timeout(BUSY_TIMEOUT_MS)
        raw.execute("PRAGMA query_only=1")
        for part, request_of in _asked():
            span = part.lane, part.after, part.up_to
            recount.count(part, request_of, sealed_in_file(raw, *span))
            _answer()
    finally:
        raw.close()
    return recount


def _counted_on_server(address: str) -> Recount:
    import asyncio  # These are large, and books in a file do without.
    from functools import partial

    from kernel.database import open_database
    from ledger.migrations import HISTORY
    from ledger.recounting import count_part

    async def counted() -> Recount:
        recount = Recount()
        database = await open_database(address, HISTORY)
        try:
            for part, request_of in _asked():
                await database.snapshot(partial(count_part, recount, part, request_of))
                _answer()
        finally:
            await database.close()
        return recount

    return asyncio.run(counted())


def _asked() -> Iterator[Asked]:
    while True:
        try:
            yield pickle.load(sys.stdin.buffer)
        except EOFError:
            return


def _answer() -> None:
    sys.stdout.buffer.write(COUNTED)
    sys.stdout.buffer.flush()
