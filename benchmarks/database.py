"""Closures on a writer thread beside awaiting each statement through aiosqlite.

Two reads, one insert and one update by primary key in each transaction; one point read in each
snapshot. Both write to the same kind of file with synchronous=FULL.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import Column, Connection, Integer, MetaData, Table, event, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kernel.database import Database, open_database

METADATA = MetaData()
ROW = Table("row", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer))
ROUNDS = 5
CALLS = 300
CLIENTS = 32

READ = select(ROW.c.value).where(ROW.c.id == 1)
WRITES = (
    READ,
    select(ROW.c.value).where(ROW.c.id == 2),
    insert(ROW).values(value=1),
    update(ROW).where(ROW.c.id == 1).values(value=2),
)


def _write(connection: Connection) -> None:
    for statement in WRITES:
        connection.execute(statement)


def _read(connection: Connection) -> None:
    connection.execute(READ).all()


async def _per_second(call: Callable[[], Awaitable[object]]) -> float:
    clients = asyncio.Semaphore(CLIENTS)

    async def one() -> None:
        async with clients:
            await call()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CALLS)))
    return CALLS / (time.perf_counter() - started)


async def _run(directory: Path) -> None:
    async with AsyncExitStack() as stack:
        closures = await open_database(directory / "closures.sqlite", METADATA)
        stack.push_async_callback(closures.close)
        awaited = create_async_engine(f"sqlite+aiosqlite:///{directory / 'awaited.sqlite'}")
        stack.push_async_callback(awaited.dispose)
        event.listen(awaited.sync_engine, "connect", _durable)
        async with awaited.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        await _compare(closures, awaited)


async def _compare(closures: Database, awaited: AsyncEngine) -> None:
    one_writer = asyncio.Lock()

    async def awaited_write() -> None:
        async with one_writer, awaited.begin() as connection:
            for statement in WRITES:
                await connection.execute(statement)

    await _print_ratio("write", lambda: closures.transaction(_write), awaited_write)
    await _print_ratio("read", lambda: closures.snapshot(_read), lambda: _awaited_read(awaited))


async def _awaited_read(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        (await connection.execute(READ)).all()


def _durable(raw: object, _record: object) -> None:
    cursor = raw.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


async def _print_ratio(
    name: str, ours: Callable[[], Awaitable[object]], yardstick: Callable[[], Awaitable[object]]
) -> None:
    pairs = [(await _per_second(ours), await _per_second(yardstick)) for _ in range(ROUNDS)]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    mine = statistics.median(pair[0] for pair in pairs)
    theirs = statistics.median(pair[1] for pair in pairs)
    print(f"{name}: closures {mine:.0f}/s, aiosqlite {theirs:.0f}/s, ratio {ratio:.1f}")


def main() -> None:
    """Prints the ratios."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_run(Path(directory)))
