"""A process that books on a ledger as fast as it can and writes down what was acknowledged.

Arguments: the ledger's directory, the first key, how many keys, how many clients at once, how
SQLite is to sync (FULL is what the ledger does by itself; the others exist to show that a test
would see the difference; SHORT_LOG is FULL with a log that is copied into the file, cut off and
begun anew every few commits, COPIED_BESIDE the same with a thread that copies it), and perhaps
before which acknowledgement it kills itself. A key decides all of its request, so that the same key
books the same. An acknowledged key is a line of the file `acknowledged` in the directory, written
at once; a key that the ledger could not take is a line of `unavailable`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import apsw
from sqlalchemy import event
from sqlalchemy.pool import Pool

from kernel.database import DatabaseUnavailable, Overloaded, sqlite_checkpoints
from tests.ledger.book import MARCH, Books

LEDGER = "ledger.sqlite"


async def book(books: Books, key: int) -> None:
    """Books what the key stands for: an order, a grant, or a hold that an order captures."""
    card = f"m{key % 40}"
    merchant = "ABC"[key % 3]
    at = MARCH + timedelta(seconds=key)
    if key % 5 == 0:
        await books.grant(f"grant-{key}", card, 10 + key % 90)
    elif key % 5 == 1:
        spent = key % 70
        await books.order(f"order-{key}", merchant, card, earned=key % 50, spent=spent, at=at)
    else:
        await books.order(f"order-{key}", merchant, card, earned=1 + key % 200, at=at)


async def work(directory: Path, first: int, many: int, clients: int, killed_at: int = 0) -> None:
    """Books the keys, `clients` at a time."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    acknowledged = os.open(directory / "acknowledged", flags)
    unavailable = os.open(directory / "unavailable", flags)
    books = await Books.open(directory / LEDGER)
    keys = iter(range(first, first + many))
    numbers = count(1)

    async def client(mine: Iterator[int]) -> None:
        for key in mine:
            try:
                await book(books, key)
                if next(numbers) == killed_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                os.write(acknowledged, b"%d\n" % key)
            except (DatabaseUnavailable, Overloaded):
                os.write(unavailable, b"%d\n" % key)
                await asyncio.sleep(0.001)

    await asyncio.gather(*(client(keys) for _ in range(clients)))
    await books.close()


def sync_by(mode: str) -> None:
    """Makes every connection sync as told."""

    def weaken(raw: apsw.Connection, *_: object) -> None:
        raw.execute(f"PRAGMA synchronous={mode}")

    event.listen(Pool, "checkout", weaken)


def shorten_log(*, is_copied_beside: bool) -> None:
    """Makes a log worth a copy after some ten commits."""
    sqlite_checkpoints.BYTES_KEPT = 40_000
    sqlite_checkpoints.GIVEN_BACK_MAX = 200_000
    sqlite_checkpoints.CHECKPOINT_PAGES = 60
    sqlite_checkpoints.ROUNDS_MAX = sqlite_checkpoints.ROUNDS_MAX if is_copied_beside else 0
    sqlite_checkpoints.PAUSE_S = 0.001


if __name__ == "__main__":
    if sys.argv[5] in ("SHORT_LOG", "COPIED_BESIDE"):
        shorten_log(is_copied_beside=sys.argv[5] == "COPIED_BESIDE")
    elif sys.argv[5] != "FULL":
        sync_by(sys.argv[5])
    numbers = map(int, (*sys.argv[2:5], *sys.argv[6:]))
    asyncio.run(work(Path(sys.argv[1]), *numbers))
