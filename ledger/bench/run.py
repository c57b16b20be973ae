"""Runs the benchmark and tells its figures, line by line."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

from sqlalchemy import Connection

from ledger.bench.clients import Pace, fill, ledger_at, paced, recorded, remove
from ledger.bench.profile import collected_as_served, profiled
from ledger.bench.workloads import Workload, history, mixed, spends, transfers
from ledger.bench.yardstick import Written, flushes_per_second, replay
from ledger.proofs.verify import verify
from ledger.stores import chain
from ledger.stores.ports import cursor_on

CLIENTS = (1, 32, 64, 256, 1_000)
BUSY = 256
LONE_ORDERS = 400
"""Orders of a client that is alone, each of which waits for the disk."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Attributes:
        orders: in each measurement.
        rounds: of which medians are told.
        entries: of the history that is verified; 0 leaves it out.
        lots: on one card, for spending from many.
        is_profiled: whether it is told where the time of an order goes.
    """

    orders: int = 6_000
    rounds: int = 3
    entries: int = 1_300_000
    lots: int = 20_000
    is_profiled: bool = False


@dataclass(frozen=True, slots=True)
class _Raw:
    """How fast raw sqlite3 wrote a workload; of the processor, microseconds an order."""

    per_second: float
    processor: float


@dataclass(slots=True)
class _Figures:
    """What was measured, a few times each.

    Attributes:
        raw: by workload.
        raw_wide: microseconds of processor an order, of raw sqlite3 that writes as the ledger does.
        ours: by workload and clients, one a round.
        beside: by workload and clients, the yardstick just before and after each of `ours`.
    """

    raw: dict[str, list[_Raw]] = field(default_factory=dict)
    raw_wide: dict[str, list[float]] = field(default_factory=dict)
    ours: dict[str, list[Pace]] = field(default_factory=dict)
    beside: dict[str, list[tuple[_Raw, _Raw]]] = field(default_factory=dict)

    def ratio(self, name: str) -> float:
        """How much of the yardstick, by the clock.

        Each round has its own, of what was measured next to each other: the speed of a machine
        changes within minutes.
        """
        return median(
            pace.per_second / mean(raw.per_second for raw in around)
            for pace, around in zip(self.ours[name], self.beside[name], strict=True)
        )

    def ratio_by_processor(self, name: str) -> float:
        """The same by processor time."""
        return median(
            mean(raw.processor for raw in around) / pace.processor
            for pace, around in zip(self.ours[name], self.beside[name], strict=True)
        )

    def pace(self, name: str) -> Pace:
        """The medians of what the ledger did."""
        rounds = self.ours[name]
        return Pace(
            median(pace.per_second for pace in rounds),
            median(pace.processor for pace in rounds),
            median(pace.median for pace in rounds),
            median(pace.slowest for pace in rounds),
        )


def measure_ledger(tell: Callable[[str], None], size: Size) -> None:
    """Tells every figure beside its yardstick; takes minutes at full size."""
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as name, collected_as_served():
        asyncio.run(_measure(tell, size, Path(name)))
    tell("PostgreSQL: `--postgresql` measures it")


async def _measure(tell: Callable[[str], None], size: Size, directory: Path) -> None:
    tell(f"disk: {flushes_per_second(directory):,.0f} flushes/s of one page")
    workloads = {
        "spread": mixed(size.orders, merchants=100),
        "hot": mixed(size.orders, merchants=1),
        "transfers": transfers(size.orders),
        "spends": spends(size.orders, cards=max(1, size.orders // 20), lots=60),
        "many lots": spends(size.lots * 2 // 5, cards=1, lots=size.lots),
        "few lots": spends(size.lots * 2 // 5, cards=max(1, size.lots // 20), lots=20),
    }
    paths, rows = {}, {}
    for name, workload in workloads.items():
        paths[name] = directory / f"{name.replace(' ', '-')}.sqlite"
        await fill(paths[name], workload.before)
        rows[name] = await recorded(paths[name], workload)
    figures = _Figures()
    for _ in range(size.rounds):
        await _round(figures, workloads, paths, rows)
    _tell_paces(tell, figures, _transfers(rows["spread"][1], size.orders))
    for name in ("spread", "spends") if size.is_profiled else ():
        phases = await profiled(paths[name], workloads[name].measured, at_once=BUSY)
        tell(f"{name}: {phases.line(size.orders)}")
    _tell_chain(tell, rows["spread"][1], size.orders, figures.pace(f"spread {BUSY}").per_second)
    if size.entries:
        await _measure_verify(tell, directory / "history.sqlite", size)


async def _round(
    figures: _Figures,
    workloads: dict[str, Workload],
    paths: dict[str, Path],
    rows: dict[str, tuple[list[Written], list[Written]]],
) -> None:
    """Each workload by raw sqlite3 and by the ledger, in turns."""
    for name, workload in workloads.items():
        wide = _raw(paths[name], rows[name], len(workload.measured), many_to_a_statement=True)
        figures.raw_wide.setdefault(name, []).append(wide.processor)
        before = _raw(paths[name], rows[name], len(workload.measured))
        figures.raw.setdefault(name, []).append(before)
        for clients in CLIENTS if name == "spread" else (BUSY,):
            orders_max = LONE_ORDERS if clients == 1 else None
            pace = await paced(paths[name], workload, clients=clients, orders_max=orders_max)
            after = _raw(paths[name], rows[name], len(workload.measured))
            figures.raw[name].append(after)
            figures.ours.setdefault(f"{name} {clients}", []).append(pace)
            figures.beside.setdefault(f"{name} {clients}", []).append((before, after))
            before = after


def _raw(
    path: Path,
    rows: tuple[list[Written], list[Written]],
    count: int,
    *,
    many_to_a_statement: bool = False,
) -> _Raw:
    """Raw sqlite3 writing the rows of `count` orders into a copy of the file."""
    copy = path.with_suffix(".raw")
    shutil.copy(path, copy)
    seconds, used = replay(copy, *rows, many_to_a_statement=many_to_a_statement)
    remove(copy)
    return _Raw(count / seconds, used / count * 1e6)


def _tell_paces(tell: Callable[[str], None], figures: _Figures, transfers: float) -> None:
    raw = median(each.per_second for each in figures.raw["spread"])
    processor = median(each.processor for each in figures.raw["spread"])
    tell(
        f"yardstick: {raw:,.0f} orders/s, {processor:.0f} µs of processor each: "
        f"raw sqlite3 ({sqlite3.sqlite_version}), the same rows, 1000 a commit "
        f"({median(figures.raw_wide['spread']):.0f} µs with as many to a statement as we write)"
    )
    for clients in CLIENTS:
        pace = figures.pace(f"spread {clients}")
        tell(
            f"{clients:5} clients: {pace.per_second:,.0f} orders/s, "
            f"{pace.per_second * transfers:,.0f} two-leg transfers/s, "
            f"{figures.ratio(f'spread {clients}'):.2f} of the yardstick "
            f"({figures.ratio_by_processor(f'spread {clients}'):.2f} by processor time); "
            f"median {pace.median:.1f} ms, p99 {pace.slowest:.1f} ms"
        )
    tell(
        f"no queue: {BUSY} clients that wait for the yardstick itself would wait "
        f"{BUSY / raw * 1_000:.0f} ms each; for 30 ms it takes {BUSY / 0.030:,.0f}/s; "
        f"{BUSY} transfers of two legs are {BUSY / transfers:.0f} orders"
    )
    small = figures.pace(f"transfers {BUSY}")
    tell(
        f"transfers of two legs, {BUSY} clients: {small.per_second:,.0f}/s, "
        f"{figures.ratio(f'transfers {BUSY}'):.2f} of their yardstick; "
        f"median {small.median:.1f} ms, p99 {small.slowest:.1f} ms"
    )
    hot = figures.pace(f"hot {BUSY}").per_second
    tell(f"all at one merchant: {hot / figures.pace(f'spread {BUSY}').per_second:.2f} of spread")
    three = figures.pace(f"spends {BUSY}").per_second
    ratio = figures.ratio(f"spends {BUSY}")
    tell(f"spends over three lots: {three:,.0f}/s, {ratio:.2f} of its yardstick")
    many = figures.pace(f"many lots {BUSY}").per_second
    few = figures.pace(f"few lots {BUSY}").per_second
    tell(
        f"spend from a card of many lots: {1e6 / many:.0f} µs, "
        f"{few / many:.2f} times that of cards of 20"
    )


def _transfers(transactions: list[Written], orders: int) -> float:
    """Pairs of entries of an order."""
    entries = sum(
        len(rows) for written in transactions for write, rows in written if write.name == "entry"
    )
    return entries / 2 / orders


def _tell_chain(
    tell: Callable[[str], None], transactions: list[Written], count: int, per_second: float
) -> None:
    """The time of hashing what one measurement wrote, beside the time of the whole."""
    rows = {
        table: [row for written in transactions for write, some in written
                if write.name == table for row in some]
        for table in ("ledger_tx", "entry", "lot_move")
    }  # fmt: skip
    entries: dict[int, list[tuple[object, ...]]] = {}
    moves: dict[int, list[tuple[object, ...]]] = {}
    for grouped, table in ((entries, "entry"), (moves, "lot_move")):
        for row in rows[table]:
            grouped.setdefault(row[0], []).append(row)
    begun = time.perf_counter()
    leaves = [
        chain.leaf("0" * 64, tx, entries[tx[0]], moves.get(tx[0], [])) for tx in rows["ledger_tx"]
    ]
    chain.block_hash(chain.GENESIS, leaves)
    each = (time.perf_counter() - begun) / count
    tell(f"chain: {each * 1e6:.1f} µs an order, {each * per_second:.1%} of its time")


async def _measure_verify(tell: Callable[[str], None], path: Path, size: Size) -> None:
    await fill(path, history(size.entries))
    rounds: list[tuple[float, float]] = []
    async with ledger_at(path) as (database, _):
        for _ in range(size.rounds):
            begun, used = time.perf_counter(), _processor_seconds()
            report = await verify(database)
            rounds.append((time.perf_counter() - begun, _processor_seconds() - used))
            assert report.is_sound, report.findings
        begun = time.process_time()
        await database.snapshot(_sum_of_entries)
        raw = time.process_time() - begun
    seconds, used = (median(each) for each in zip(*rounds, strict=True))
    tell(
        f"verify: {seconds:.1f} s ({min(rounds)[0]:.1f} to {max(rounds)[0]:.1f}) for "
        f"{report.entries:,} entries, {used:.1f} s of processor: "
        f"{used / raw:.0f} times a plain sum over them"
    )


def _processor_seconds() -> float:
    """Of this process, and of those that it started and that ended."""
    return sum(os.times()[:4])


def _sum_of_entries(connection: Connection) -> None:
    cursor_on(connection).first("SELECT sum(amount) FROM entry")
