"""Shares the counting of the books: between readers, or processes, since Python runs one thread.

A process of its own takes half a second to start, so that only large books are worth it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from kernel.database import Database, open_database
from ledger.migrations import HISTORY
from ledger.recount import Kept, Part, Recount, read_requests

logger = logging.getLogger(__name__)

LARGE = 30_000
"""Transactions of books that processes of their own count."""
PROCESSES_MAX = 8


async def recounted(database: Database, kept: Kept, *, help_after: asyncio.Event) -> Recount:
    """All parts of the books.

    Args:
        help_after: set when a second reader is free to help.
    """
    recount = Recount()
    processes = min(os.cpu_count() or 1, PROCESSES_MAX)
    if database.address is not None and processes > 1 and kept.booked[0] >= LARGE:
        parts = list(kept.parts())
        shares = [parts[first::processes] for first in range(processes)]
        counting = (_in_process(database.address, len(kept.last), share) for share in shares)
        for other in await asyncio.gather(*counting):
            recount.add(other)
    # What a process did not count is counted here.
    missing = [part for part in kept.parts() if part not in recount.leaves]
    if missing:
        await _count_here(database, len(kept.last), recount, missing, help_after)
    return recount


async def _count_here(
    database: Database,
    lanes: int,
    recount: Recount,
    parts: Sequence[Part],
    help_after: asyncio.Event,
) -> None:
    """Adds parts, by one reader, and by a second one as soon as there is one."""
    request_of = await database.snapshot(partial(read_requests, lanes=lanes))
    waiting = iter(parts)

    async def work() -> Recount:
        own = Recount()
        await _count(database, own, waiting, request_of)
        return own

    async def work_later() -> Recount:
        await help_after.wait()
        return await work()

    for each in await asyncio.gather(work(), work_later()):
        recount.add(each)


async def _count(
    database: Database,
    recount: Recount,
    parts: Iterator[Part],
    request_of: Sequence[dict[int, str]],
) -> None:
    for part in parts:
        await database.snapshot(partial(recount.count, part, request_of[part.lane]))


async def _in_process(address: str | Path, lanes: int, parts: Sequence[Part]) -> Recount:
    """What a process of its own counted; nothing when it failed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        told, _ = await process.communicate(pickle.dumps((address, lanes, list(parts))))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        logger.error("a process that counted the books ended with %s", process.returncode)
        return Recount()
    recount: Recount = pickle.loads(told)
    return recount


async def _answer(address: str | Path, lanes: int, parts: Sequence[Part]) -> Recount:
    database = await open_database(address, HISTORY)
    try:
        request_of = await database.snapshot(partial(read_requests, lanes=lanes))
        recount = Recount()
        await _count(database, recount, iter(parts), request_of)
        return recount
    finally:
        await database.close()


def main() -> None:
    """The process: what to count comes pickled on its input, what it counted goes to its output."""
    asked = pickle.load(sys.stdin.buffer)
    pickle.dump(asyncio.run(_answer(*asked)), sys.stdout.buffer)
