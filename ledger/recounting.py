"""Shares the counting of the books: between readers, and processes, since Python runs one thread.

A process of its own takes a second to start, so that only large books are worth it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from kernel.database import Database, open_database
from ledger.migrations import HISTORY
from ledger.recount import Kept, Part, Recount, read_requests

logger = logging.getLogger(__name__)

LARGE = 30_000
"""Transactions of books that other processes help to count."""
PROCESSES_MAX = 8
_COUNTED = b"counted\n"


class _Failed(Exception):
    """Another process did not count what it was asked to."""


async def recounted(database: Database, kept: Kept, *, help_after: asyncio.Event) -> Recount:
    """All parts of the books.

    Args:
        help_after: set when a second reader is free to help.
    """
    recount = Recount()
    await _share(database, kept, recount, kept.parts(), help_after, processes=_others(kept))
    # What a process did not count is counted here.
    missing = [part for part in kept.parts() if part not in recount.leaves]
    if missing:
        await _share(database, kept, recount, iter(missing), help_after, processes=0)
    return recount


def _others(kept: Kept) -> int:
    """How many processes help."""
    is_large = kept.booked[0] >= LARGE
    return min((os.cpu_count() or 1) - 1, PROCESSES_MAX) if is_large else 0


async def _share(
    database: Database,
    kept: Kept,
    recount: Recount,
    parts: Iterator[Part],
    help_after: asyncio.Event,
    *,
    processes: int,
) -> None:
    """Adds parts, each counted by whoever is free first."""
    lanes = len(kept.last)

    async def here() -> Recount:
        request_of = await database.snapshot(partial(read_requests, lanes=lanes))
        own = Recount()
        for part in parts:
            await database.snapshot(partial(own.count, part, request_of[part.lane]))
        return own

    async def here_later() -> Recount:
        await help_after.wait()
        return await here() if processes == 0 else Recount()

    async def there(address: str | Path) -> Recount:
        try:
            async with _process(address, lanes) as process:
                return await _counted(process, parts)
        except (_Failed, OSError, EOFError, pickle.UnpicklingError) as error:
            logger.error("a process that counted the books failed: %r", error)
            return Recount()

    address = database.address
    others = [there(address) for _ in range(processes)] if address is not None else []
    for each in await asyncio.gather(here(), here_later(), *others):
        recount.add(each)


async def _counted(process: Process, parts: Iterator[Part]) -> Recount:
    """What a process counted of the parts, one after the other until there is none."""
    assert process.stdin is not None
    assert process.stdout is not None
    for part in parts:
        process.stdin.write(b"%d %d %d\n" % (part.lane, part.after, part.up_to))
        if await process.stdout.readline() != _COUNTED:
            raise _Failed(part)
    process.stdin.close()
    recount: Recount = pickle.loads(await process.stdout.read())
    return recount


@asynccontextmanager
async def _process(address: str | Path, lanes: int) -> AsyncIterator[Process]:
    """A process that runs `main`."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=PIPE, stdout=PIPE
    )
    try:
        assert process.stdin is not None
        asked = pickle.dumps((address, lanes))
        process.stdin.write(b"%d\n%b" % (len(asked), asked))
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answer(address: str | Path, lanes: int) -> Recount:
    """Counts the parts that are asked for, line by line, and says of each that it did."""
    recount = Recount()
    database = await open_database(address, HISTORY)
    try:
        request_of = await database.snapshot(partial(read_requests, lanes=lanes))
        for line in sys.stdin.buffer:
            part = Part(*map(int, line.split()))
            await database.snapshot(partial(recount.count, part, request_of[part.lane]))
            sys.stdout.buffer.write(_COUNTED)
            sys.stdout.buffer.flush()
    finally:
        await database.close()
    return recount


def main() -> None:
    """The process that counts: where comes pickled, then parts, and last goes what it counted."""
    size = int(sys.stdin.buffer.readline())
    address, lanes = pickle.loads(sys.stdin.buffer.read(size))
    pickle.dump(asyncio.run(_answer(address, lanes)), sys.stdout.buffer)
