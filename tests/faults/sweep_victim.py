"""A process that sweeps a ledger and kills itself, for real, at its nth statement.

Arguments: the ledger's file, the instant to sweep at (ISO 8601), the number of the statement. Ends
by itself when the sweep has fewer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

import apsw
from sqlalchemy import event
from sqlalchemy.pool import Pool

from tests.ledger.book import Books


async def main(path: Path, now: datetime, last: int) -> None:
    counted = -1

    def count(_: object) -> None:
        nonlocal counted
        if counted >= 0:
            counted += 1
        if counted == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(raw: apsw.Connection, *_: object) -> None:
        raw.trace_v2(apsw.SQLITE_TRACE_STMT, count)

    event.listen(Pool, "checkout", watch)
    books = await Books.open(path)
    books.clock.set(now)
    counted = 0
    await books.sweep()
    counted = -1
    await books.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])))
