"""A ledger under steady load for a long time: it stays as fast, as small and as right as it was.

`LOAD_SECONDS` sets how long (600 by default), after a fifth of it at full speed. Requests come when
they are due, and more wait when the ledger falls behind: its batches grow with what waits, and with
them what it does in a second. Few clients that each wait for an answer would hold it at small ones.
A reader that keeps an old snapshot for a while stops the write-ahead log from being folded back;
the log has to stop growing once it lets go.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from operator import sub
from pathlib import Path

import pytest
from sqlalchemy import Connection

from kernel.database.sqlite_checkpoints import BYTES_KEPT
from ledger.bench.profile import collected_as_served
from tests.faults.booker import book
from tests.ledger.book import MARCH, Books

CLIENTS = 256
CLIENTS_MAX = 1_000
MINUTES = 10


def processor_times() -> tuple[int, int]:
    """Of the processors' time until now, what the machine's host gave to others; and all of it."""
    times = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]))
    return times[7], sum(times[:8])


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Load:
    """Clients that book at a set rate, and what they saw in each slice of time."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.next_key = 1
        self.waits: list[float] = []

    async def measure_capacity(self, seconds: float) -> float:
        """Bookings a second when nobody waits on purpose."""
        first, end = self.next_key, time.perf_counter() + seconds

        async def client() -> None:
            while time.perf_counter() < end:
                await self._book()

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return (self.next_key - first) / seconds

    async def run(self, rate: float, seconds: float) -> list[float]:
        """Books at this rate; how long each took, from the instant it was due."""
        self.waits = []
        begin = time.perf_counter()
        due_times = (begin + number / rate for number in range(int(rate * seconds)))

        async def client() -> None:
            for due in due_times:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await self._book()
                self.waits.append(time.perf_counter() - due)

        await asyncio.gather(*(client() for _ in range(CLIENTS_MAX)))
        return self.waits

    async def _book(self) -> None:
        key = self.next_key
        self.next_key += 1
        # What was earned is to be spent: at a clock that stands it would all be pending for ever.
        self.books.clock.set(MARCH + timedelta(seconds=key))
        await book(self.books, key)


async def read_until(books: Books, letting_go: asyncio.Event) -> None:
    """Keeps one reader on the state of the books as it is now."""
    loop = asyncio.get_running_loop()

    def keep(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT count(*) FROM ledger_tx").one()
        asyncio.run_coroutine_threadsafe(letting_go.wait(), loop).result()

    await books.subgraph.context_for(None, "", "").read(keep)


def p99(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]


@pytest.fixture(autouse=True)
def as_served() -> Iterator[None]:
    with collected_as_served():
        yield


@pytest.mark.soak
async def test_a_long_load_leaves_the_ledger_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = float(os.environ.get("LOAD_SECONDS", "600"))
    books = await Books.open(tmp_path / "ledger.sqlite")
    books.settings = replace(books.settings, grant_budget_minor=2**60)  # A million grants.
    log = tmp_path / "ledger.sqlite-wal"
    load = Load(books)
    await load.measure_capacity(seconds / MINUTES)  # A disk that is fresh does more than it keeps.
    rate = await load.measure_capacity(seconds / MINUTES) * 0.7

    slices, logs, sizes = [], [], []
    for number in range(MINUTES):
        letting_go = asyncio.Event()
        reader = None
        if number in (3, 6):
            reader = asyncio.create_task(read_until(books, letting_go))
        before = processor_times()
        slices.append(p99(await load.run(rate, seconds / MINUTES)))
        stolen, passed = map(sub, processor_times(), before)
        books.forget_orders()
        letting_go.set()
        if reader is not None:
            await reader
        logs.append(log.stat().st_size)
        sizes.append(resident_bytes())
        with capsys.disabled():
            print(
                f"slice {number}: {rate:.0f}/s, p99 {slices[-1] * 1e3:.1f} ms, "
                f"log {logs[-1] >> 20} MiB, resident {sizes[-1] >> 20} MiB, "
                f"stolen {stolen / passed:.1%}"
            )

    report = await books.verify()
    await books.close()
    assert report.is_sound
    assert report.transactions > 0
    assert slices[0] < 3, "behind from the first: the machine slowed down after it was measured"
    assert max(slices) < 10 * slices[0]
    assert logs[-1] <= 2 * BYTES_KEPT
    assert sizes[-1] < sizes[2] * 1.25 + (16 << 20)
