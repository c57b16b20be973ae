"""Shares the counting of the books with other processes, since Python runs one thread.

Only large books are worth the start of a process.
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

from sqlalchemy import Connection

from kernel.database import Database
from kernel.database.addresses import address_of
from ledger.counter import COUNTED
from ledger.ports import cursor_on, sealed_on
from ledger.recount import Kept, Part, Recount, read_requests

logger = logging.getLogger(__name__)

LARGE = 30_000
"""Transactions of books that other processes help to count."""
PROCESSES_MAX = 8
PART_SECONDS = 120
"""How long a process may take to count a part, its start included."""


class _Failed(Exception):
    """Another process did not count what it was asked to."""


async def recounted(database: Database, kept: Kept, *, after: asyncio.Event) -> Recount:
    """All parts of the books.

    Args:
        after: set when this process is free to count; others do not wait.
    """
    recount = Recount()
    processes, is_here = _counters(database, kept)
    await _share(database, recount, kept.parts(), after, processes=processes, is_here=is_here)
    # What a process did not count is counted here.
    missing = [part for part in kept.parts() if part not in recount.leaves]
    if missing:
        await _share(database, recount, iter(missing), after)
    return recount


def _counters(database: Database, kept: Kept) -> tuple[int, bool]:
    """How many processes help, and whether this one counts too.

    It leaves books in a file to the others, who read them in three fifths of the time.
    """
    if database.address is None or kept.booked[0] < LARGE:
        return 0, True
    is_here = not isinstance(address_of(database.address), Path)
    return min(_processors() - is_here, PROCESSES_MAX), is_here


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


async def _share(
    database: Database,
    recount: Recount,
    parts: Iterator[Part],
    after: asyncio.Event,
    *,
    processes: int = 0,
    is_here: bool = True,
) -> None:
    """Adds parts, each counted by whoever is free first."""
    work = _Work(database, parts)

    async def here() -> Recount:
        own = Recount()
        await after.wait()  # Two threads of Python would wait for each other row by row.
        async for part, requests in work:
            await database.snapshot(partial(count_part, own, part, requests))
        return own

    async def there(address: str | Path) -> Recount:
        try:
            async with _process(address) as process:
                return await _counted(process, work)
        except (_Failed, OSError, EOFError, pickle.UnpicklingError) as error:
            logger.error("a process that counted the books failed: %r", error)
            return Recount()

    address = database.address
    who = [there(address) for _ in range(processes)] if address is not None else []
    if is_here:
        who.append(here())
    async with all_or_none() as group:
        counting = [group.create_task(each) for each in who]
    for task in counting:
        recount.add(task.result())


def count_part(
    recount: Recount, part: Part, request_of: Mapping[int, str], connection: Connection
) -> None:
    """Reads a part, then adds it."""
    recount.count(part, request_of, sealed_on(connection, part.lane, part.after, part.up_to))


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


class _Work:
    """Parts for whoever asks, each with the hashes of its lane's requests."""

    def __init__(self, database: Database, parts: Iterator[Part]) -> None:
        self._database = database
        self._parts = parts
        self._lane = -1
        self._requests: Mapping[int, str] = {}
        self._taking = asyncio.Lock()

    def __aiter__(self) -> _Work:
        return self

    async def __anext__(self) -> tuple[Part, Mapping[int, str]]:
        """Parts come lane by lane, so that one lane's requests are read once and kept."""
        async with self._taking:
            part = next(self._parts, None)
            if part is None:
                raise StopAsyncIteration
            if part.lane != self._lane:
                self._requests = await self._database.snapshot(
                    lambda connection: read_requests(part.lane, cursor_on(connection))
                )
                self._lane = part.lane
            return part, self._requests


async def _counted(process: Process, work: _Work) -> Recount:
    """What a process counted, one part after the other until there is none."""
    assert process.stdin is not None
    assert process.stdout is not None
    async for part, requests in work:
        span = range(part.after + 1, part.up_to + 1)
        asked = part, {seq: requests[seq] for seq in span if seq in requests}
        process.stdin.write(pickle.dumps(asked))
        async with asyncio.timeout(PART_SECONDS):
            await process.stdin.drain()
            if await process.stdout.readline() != COUNTED:
                raise _Failed(part)
    process.stdin.close()
    async with asyncio.timeout(PART_SECONDS):
        recount: Recount = pickle.loads(await process.stdout.read())
    return recount


@asynccontextmanager
async def _process(address: str | Path) -> AsyncIterator[Process]:
    """A process that runs `ledger.counter`."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from ledger.counter import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=PIPE, stdout=PIPE
    )
    try:
        assert process.stdin is not None
        place = address_of(address)
        process.stdin.write(pickle.dumps(place if isinstance(place, Path) else address))
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
