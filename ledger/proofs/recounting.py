"""Shares the work of verifying with other processes, since Python runs one thread.

Only large books are worth the start of a process. What one fails to do is done here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import orjson
from sqlalchemy import Connection

from kernel.database import Database
from kernel.database.addresses import address_of
from kernel.statements import Prepared
from ledger.proofs.counter import COUNTED
from ledger.proofs.part_counter import PartCounter
from ledger.proofs.recount import Kept, Part, Recount
from ledger.stores.port import Row

logger = logging.getLogger(__name__)

LARGE = 30_000
"""Transactions of books that other processes help to count."""
PROCESSES_MAX = 8
PART_SECONDS = 120
"""How long a process may take to count a part, its start included."""
QUERY_SECONDS = 3_600
"""How long it may take to answer a query, which grows with the books."""


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

    async def here() -> Recount:
        counter = PartCounter()
        await after.wait()  # Two threads of Python would wait for each other row by row.
        for part in parts:
            await database.snapshot(partial(counter.count, part))
        return counter.recount

    async def there(address: str | Path) -> Recount:
        try:
            async with _process(address) as process:
                return await _counted(process, parts)
        except (_Failed, OSError, EOFError, pickle.UnpicklingError) as error:
            _tell_failed(error)
            return Recount()

    address = database.address
    who = [there(address) for _ in range(processes)] if address is not None else []
    if is_here:
        who.append(here())
    async with all_or_none() as group:
        counting = [group.create_task(each) for each in who]
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


@asynccontextmanager
async def asking(database: Database, kept: Kept) -> AsyncIterator[Asker]:
    """Who asks the database: another process where those count, see `_counters`."""
    async with AsyncExitStack() as stack:
        _, is_here = _counters(database, kept)
        process = None
        if database.address is not None and not is_here:
            try:
                process = await stack.enter_async_context(_process(database.address))
            except OSError as error:
                _tell_failed(error)
        yield Asker(database, process)


class Asker:
    """Asks a process, and the database from here when there is none, or when it failed."""

    def __init__(self, database: Database, process: Process | None = None) -> None:
        self._database = database
        self._process = process

    async def first_row(self, query: Prepared) -> Row | None:
        """The first row of a query without parameters; None when it has none."""
        if self._process is not None:
            sql, _ = query.bound({})
            try:
                row = orjson.loads(await _told(self._process, sql, seconds=QUERY_SECONDS))
                return None if row is None else tuple(row)
            except (_Failed, OSError, ValueError) as error:
                _tell_failed(error)
                if self._process.returncode is None:
                    self._process.kill()
                self._process = None
        return await self._database.snapshot(partial(_first_row, query))


def _first_row(query: Prepared, connection: Connection) -> Row | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else tuple(row)


async def _counted(process: Process, parts: Iterator[Part]) -> Recount:
    """What a process counted, one part after the other until there is none."""
    assert process.stdin is not None
    assert process.stdout is not None
    for part in parts:
        if await _told(process, part, seconds=PART_SECONDS) != COUNTED:
            raise _Failed(part)
    process.stdin.close()
    async with asyncio.timeout(PART_SECONDS):
        recount: Recount = pickle.loads(await process.stdout.read())
    return recount


async def _told(process: Process, asked: Part | str, *, seconds: float) -> bytes:
    """The line that a process answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(pickle.dumps(asked))
    async with asyncio.timeout(seconds):
        await process.stdin.drain()
        line = await process.stdout.readline()
    if not line.endswith(b"\n"):
        raise _Failed(asked)
    return line


def _tell_failed(error: Exception) -> None:
    logger.error("a process that helped to verify failed: %r", error)


@asynccontextmanager
async def _process(address: str | Path) -> AsyncIterator[Process]:
    """A process that runs `ledger.proofs.counter`."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from ledger.proofs.counter import main; main()"
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
