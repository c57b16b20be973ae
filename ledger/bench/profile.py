"""Where the processor's time of an order goes: one line for each workload."""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from ledger.bench.clients import ledger_at, remove, submissions
from ledger.booking.batch import Submission, run_batch
from ledger.contract import CaptureOrder
from ledger.stores.port import LotsWanted, Query, Row, Write
from ledger.stores.sqlite import SqlitePort


@dataclass(slots=True)
class Phases:
    """Seconds of the processor.

    Attributes:
        asking: makes requests and hashes their bodies.
        reading: what the batches need.
        deciding: rules, rows and hashes.
        writing: statements that run when all is decided.
        committing: the log's pages, and the hop from the loop and back.
    """

    asking: float = 0.0
    reading: float = 0.0
    deciding: float = 0.0
    writing: float = 0.0
    committing: float = 0.0

    def line(self, orders: int) -> str:
        """The phases of one order, and the rate that they allow."""
        micros = {name: getattr(self, name) / orders * 1e6 for name in self.__slots__}
        whole = sum(micros.values())
        told = ", ".join(f"{name} {each:.0f}" for name, each in micros.items())
        return (
            f"µs of processor an order: {told}; one after the other: "
            f"{whole:.0f} µs, {1e6 / whole:,.0f}/s at most"
        )


async def profiled(path: Path, orders: Sequence[CaptureOrder], *, at_once: int) -> Phases:
    """Where the time goes in batches of `at_once`; leaves the file as it was."""
    phases = Phases()
    copy = path.with_suffix(".profiled")
    shutil.copy(path, copy)
    with _counted(phases, "asking"):
        asked = submissions(orders)
    async with ledger_at(copy) as (database, _):
        begun = time.process_time()
        for start in range(0, len(asked), at_once):
            await database.transaction(_work(phases, asked[start : start + at_once]))
        inside = phases.reading + phases.deciding + phases.writing
        phases.committing = time.process_time() - begun - inside
    remove(copy)
    return phases


@contextmanager
def collected_as_served() -> Iterator[None]:
    """Collects garbage as the server does: rarely, and not what was there before."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class _CountingPort(SqlitePort):
    def __init__(self, connection: Connection, phases: Phases) -> None:
        super().__init__(connection, 0)
        self._phases = phases

    def lock(self) -> Row | None:
        with _counted(self._phases, "reading"):
            return super().lock()

    def rows(self, query: Query, keys: Sequence[str | int] = ()) -> list[Row]:
        with _counted(self._phases, "reading"):
            return super().rows(query, keys)

    def free_lots(self, wanted: Sequence[LotsWanted]) -> list[tuple[list[Row], bool]]:
        with _counted(self._phases, "reading"):
            return super().free_lots(wanted)

    def write_all(self, writes: Sequence[tuple[Write, Sequence[Row]]]) -> None:
        with _counted(self._phases, "writing"):
            super().write_all(writes)


def _work(phases: Phases, batch: Sequence[Submission]):  # type: ignore[no-untyped-def]
    def run(connection: Connection) -> None:
        before = phases.reading + phases.writing
        begun = time.thread_time()
        run_batch(_CountingPort(connection, phases), batch)
        others = phases.reading + phases.writing - before
        phases.deciding += time.thread_time() - begun - others

    return run


@contextmanager
def _counted(phases: Phases, name: str) -> Iterator[None]:
    begun = time.thread_time()
    yield
    setattr(phases, name, getattr(phases, name) + time.thread_time() - begun)
