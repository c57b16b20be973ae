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
from collections.abc import AsyncIterator, Iterator, Mapping
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
PART_SECONDS = 120
"""How long a process may take to count a part, its start and its lane's requests included."""
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
    return min(_processors() - 1, PROCESSES_MAX) if is_large else 0


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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

    async def here() -> Recount:
        requests, own = _Requests(database), Recount()
        for part in parts:
            await database.snapshot(partial(own.count, part, await requests.of(part.lane)))
        return own

    async def here_later() -> Recount:
        await help_after.wait()
        return await here() if processes == 0 else Recount()

    async def there(address: str | Path) -> Recount:
        try:
            async with _process(address) as process:
                return await _counted(process, parts)
        except (_Failed, OSError, EOFError, pickle.UnpicklingError) as error:
            logger.error("a process that counted the books failed: %r", error)
            return Recount()

    address = database.address
    others = [there(address) for _ in range(processes)] if address is not None else []
    async with all_or_none() as group:
        counting = [group.create_task(each) for each in (here(), here_later(), *others)]
    for task in counting:
        recount.add(task.result())


@asynccontextmanager
async def all_or_none() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks that all end with it: when one fails the others are cancelled.

    Raises:
        Exception: what the first one that failed raised.
    """
    first: BaseException
    try:
        async with asyncio.TaskGroup() as group:
            yield group
        return
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
    raise first


class _Requests:
    """The hashes of one lane's requests at a time: parts come lane by lane."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lane = -1
        self._known: Mapping[int, str] = {}

    async def of(self, lane: int) -> Mapping[int, str]:
        """Those of a lane, by transaction."""
        if lane != self._lane:
            self._known = {}  # Two lanes may not fit.
            self._known = await self._database.snapshot(partial(read_requests, lane))
            self._lane = lane
        return self._known


async def _counted(process: Process, parts: Iterator[Part]) -> Recount:
    """What a process counted of the parts, one after the other until there is none."""
    assert process.stdin is not None
    assert process.stdout is not None
    for part in parts:
        process.stdin.write(b"%d %d %d\n" % (part.lane, part.after, part.up_to))
        async with asyncio.timeout(PART_SECONDS):
            if await process.stdout.readline() != _COUNTED:
                raise _Failed(part)
    process.stdin.close()
    async with asyncio.timeout(PART_SECONDS):
        recount: Recount = pickle.loads(await process.stdout.read())
    return recount


@asynccontextmanager
async def _process(address: str | Path) -> AsyncIterator[Process]:
    """A process that runs `main`."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=PIPE, stdout=PIPE
    )
    try:
        assert process.stdin is not None
        asked = pickle.dumps(address)
        process.stdin.write(b"%d\n%b" % (len(asked), asked))
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answer(address: str | Path) -> Recount:
    """Counts the parts that are asked for, line by line, and says of each that it did."""
    recount = Recount()
    database = await open_database(address, HISTORY)
    try:
        requests = _Requests(database)
        for line in sys.stdin.buffer:
            part = Part(*map(int, line.split()))
            await database.snapshot(partial(recount.count, part, await requests.of(part.lane)))
            sys.stdout.buffer.write(_COUNTED)
            sys.stdout.buffer.flush()
    finally:
        await database.close()
    return recount


def main() -> None:
    """The process that counts: where comes pickled, then parts, and last goes what it counted."""
    size = int(sys.stdin.buffer.readline())
    address = pickle.loads(sys.stdin.buffer.read(size))
    pickle.dump(asyncio.run(_answer(address)), sys.stdout.buffer)
