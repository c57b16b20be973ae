"""Ledgers for the benchmark, and clients that wait for each answer before they ask again."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import quantiles

from sqlalchemy import Connection

from kernel.clock import SetClock
from kernel.database import Database
from kernel.ids import SeededIds
from ledger.bench.workloads import NOW, Workload
from ledger.bench.yardstick import Written, record
from ledger.booking.batch import Submission, run_batch
from ledger.contract import CaptureOrder, LedgerSettings
from ledger.opening import open_ledger_database
from ledger.proofs.recounting import all_or_none
from ledger.rules.state import RuleTerms
from ledger.stores.ports import port_on
from ledger.writer import SqlLedger, order_submission

RAW_BATCH = 1_000
_SETTINGS = LedgerSettings()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast requests were answered.

    Attributes:
        per_second: requests.
        processor: microseconds of the process for each.
        median, slowest: of their latencies, in milliseconds; `slowest` leaves 1 % out.
    """

    per_second: float
    processor: float
    median: float
    slowest: float


@asynccontextmanager
async def ledger_at(
    address: str | Path, *, lanes: int = 1
) -> AsyncIterator[tuple[Database, SqlLedger]]:
    """An open ledger, made when it is missing; closed on leaving, in whatever way."""
    clock = SetClock(NOW)
    database = await open_ledger_database(
        address, clock=clock, ids=SeededIds("bench"), initial_rule=RuleTerms(), lanes=lanes
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        ledger = SqlLedger(database, clock=clock, settings=lambda: _SETTINGS, lanes=lanes)
        stack.push_async_callback(ledger.close)
        yield database, ledger


async def fill(path: Path, orders: Iterable[CaptureOrder]) -> None:
    """Books orders as fast as it goes."""
    async with ledger_at(path) as (database, _):
        for batch in _batches(orders):
            await database.transaction(_booking(batch))


async def recorded(path: Path, workload: Workload) -> tuple[list[Written], list[Written]]:
    """What the ledger writes for the first orders, and for those to measure.

    A thousand orders to a transaction; leaves the file as it was.
    """
    copy = path.with_suffix(".recorded")
    shutil.copy(path, copy)
    async with ledger_at(copy) as (database, _):
        first, measured = [
            [await database.transaction(_recording(batch)) for batch in _batches(orders)]
            for orders in (workload.first, workload.measured)
        ]
    remove(copy)
    return first, measured


async def paced(
    path: Path, workload: Workload, *, clients: int, orders_max: int | None = None
) -> Pace:
    """How fast so many clients are served the measured orders; leaves the file as it was."""
    copy = path.with_suffix(".paced")
    shutil.copy(path, copy)
    async with ledger_at(copy) as (_, ledger):
        await served(ledger, workload.first, clients=RAW_BATCH)
        pace = await served(ledger, workload.measured[:orders_max], clients=clients)
    remove(copy)
    return pace


async def served(ledger: SqlLedger, orders: Sequence[CaptureOrder], *, clients: int) -> Pace:
    """How fast so many clients are served by an open ledger, which keeps what they book."""
    latencies: list[float] = []
    waiting = iter(orders)

    async def client() -> None:
        for order in waiting:
            begun = time.perf_counter()
            await ledger.capture_order(order)
            latencies.append(time.perf_counter() - begun)

    begun, used = time.perf_counter(), time.process_time()
    async with all_or_none() as group:
        for _ in range(clients):
            group.create_task(client())
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    cuts = quantiles(latencies, n=100)
    count = len(orders)
    return Pace(count / seconds, used / count * 1e6, cuts[49] * 1_000, cuts[98] * 1_000)


def submissions(orders: Iterable[CaptureOrder]) -> list[Submission]:
    """The orders on their way."""
    return [order_submission(order, now=NOW, settings=_SETTINGS) for order in orders]


def remove(path: Path) -> None:
    """Removes a database and its log."""
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        file.unlink(missing_ok=True)


def _batches(orders: Iterable[CaptureOrder]) -> Iterable[list[Submission]]:
    stream = iter(orders)
    while some := list(islice(stream, RAW_BATCH)):
        yield submissions(some)


def _booking(batch: list[Submission]):  # type: ignore[no-untyped-def]
    def book(connection: Connection) -> None:
        run_batch(port_on(connection, 0), batch)

    return book


def _recording(batch: list[Submission]):  # type: ignore[no-untyped-def]
    return lambda connection: record(connection, batch)
