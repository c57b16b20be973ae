"""The process that helps to verify: it is told where the books are, then what to do, one by one.

A part is counted, and answered with a line; a query of books in a file, with a line that has its
first row as JSON. At the end it answers what it counted. Without SQLAlchemy the process starts in a
third of the time.
"""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import apsw
import orjson

from ledger.proofs.recount import REQUESTS, Part, Recount
from ledger.stores.sealed import sealed_in_file

COUNTED = b"counted\n"
BUSY_TIMEOUT_MS = 10_000

MAPPED = 2**36
"""Bytes of a file that are read from a memory map: a sixth less time, for queries a quarter."""

_SETTINGS = ("query_only=1", "temp_store=MEMORY", f"mmap_size={MAPPED}")


def main() -> None:
    """Counts what comes pickled, until the end, and says so."""
    gc.disable()  # What is counted holds no cycles, and grows: it would be looked through often.
    address = pickle.load(sys.stdin.buffer)
    count = _counted_in_file if isinstance(address, Path) else _counted_on_server
    pickle.dump(count(address), sys.stdout.buffer)


def _counted_in_file(path: Path) -> Recount:
    recount = Recount()
    # A file that is missing is not made, and the log is left to those who write.
    raw = apsw.Connection(str(path.absolute()), flags=apsw.SQLITE_OPEN_READWRITE)
    raw.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)

    @lru_cache(maxsize=1)
    def requests(lane: int) -> dict[int, str]:
        rows: Iterable[tuple[int, str]] = raw.execute(REQUESTS, (lane,))
        return dict(rows)

    try:
        raw.set_busy_timeout(BUSY_TIMEOUT_MS)
        for setting in _SETTINGS:
            raw.execute(f"PRAGMA {setting}").fetchall()
        for asked in _asked():
            if isinstance(asked, str):
                _answer(orjson.dumps(raw.execute(asked).fetchone()) + b"\n")
            else:
                sealed = sealed_in_file(raw, asked.lane, asked.after, asked.up_to)
                recount.count(asked, requests(asked.lane), sealed)
                _answer(COUNTED)
    finally:
        raw.close()
    return recount


def _counted_on_server(address: str) -> Recount:
    import asyncio  # These are large, and books in a file do without.
    from functools import partial

    from kernel.database import open_database
    from ledger.migrations import HISTORY
    from ledger.proofs.part_counter import PartCounter

    async def counted() -> Recount:
        counter = PartCounter()
        database = await open_database(address, HISTORY)
        try:
            for asked in _asked():
                assert isinstance(asked, Part), "a server is asked from where it is verified"
                await database.snapshot(partial(counter.count, asked))
                _answer(COUNTED)
        finally:
            await database.close()
        return counter.recount

    return asyncio.run(counted())


def _asked() -> Iterator[Part | str]:
    while True:
        try:
            yield pickle.load(sys.stdin.buffer)
        except EOFError:
            return


def _answer(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
