"""Connections that stay open between transactions, each with the statements prepared on it.

Transactions are begun and ended here in SQL: what SQLAlchemy's pool and asyncpg's adapter do
around each of them costs several times a round trip. SQLAlchemy's connection on top believes that
every statement commits by itself, and so sends nothing of its own.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]
import orjson
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from kernel.database.postgresql_errors import FAILURES, spoils_connection
from kernel.database.postgresql_together import Shape, all_values, together
from kernel.statements import SEAT, told

T = TypeVar("T")

SEAT_LIFETIME_SECONDS = 3_600
PREPARED_STATEMENTS = 500
_CHANGED = re.compile(r"(?:SELECT|UPDATE|DELETE|INSERT \d+) (\d+)")


_SHAPES: dict[str, Shape] = {}
"""Of each read that was ever foreseen; as many as there are such statements."""


class SeatRows:
    """What a statement gave; the part of a driver's cursor that is used."""

    __slots__ = ("_rows", "_status", "description")

    def __init__(self, rows: list[Any], description: Sequence[tuple[str]], status: str) -> None:
        self._rows = rows
        self._status = status
        self.description = description

    @property
    def rowcount(self) -> int:
        """How many rows were changed, or found; -1 when the statement is of another kind."""
        found = _CHANGED.match(self._status)
        return int(found[1]) if found else -1

    def fetchall(self) -> list[Any]:
        """Every row."""
        return self._rows


class Seat:
    """One connection to the server.

    Attributes:
        connection: SQLAlchemy's, which work is given.
    """

    def __init__(self, opened: AsyncConnection, driver: asyncpg.Connection) -> None:
        self._opened = opened
        self._driver = driver
        self._began = monotonic()
        self._is_lone: bool | None = False
        self._foreseen: dict[tuple[str, tuple[Any, ...]], SeatRows] = {}
        self._prepared: OrderedDict[str, tuple[Any, Sequence[tuple[str]]]] = OrderedDict()
        sync = opened.sync_connection
        assert sync is not None
        self.connection: Connection = sync.execution_options(**{SEAT: self})

    @classmethod
    async def open(cls, engine: AsyncEngine) -> Seat:
        """A seat on a connection of this engine, whose statements commit by themselves."""
        opened = await engine.connect()
        raw = await opened.get_raw_connection()
        return cls(opened, raw.driver_connection)

    @property
    def is_worn(self) -> bool:
        """Whether another is to be opened in its place."""
        return self._driver.is_closed() or monotonic() > self._began + SEAT_LIFETIME_SECONDS

    async def work(self, work: Callable[[Connection], T], *, begin: str | None) -> T:
        """What `work` returns, inside the transaction that `begin` begins.

        Args:
            begin: None for work of one prepared statement, which is a transaction by itself.
        """
        self._is_lone = begin is None
        self._foreseen.clear()
        if begin is not None:
            await self._driver.execute(begin)
        return await greenlet_spawn(work, self.connection)

    async def commit(self) -> None:
        """Returns once the transaction is durable.

        Raises:
            DBAPIError, OSError, TimeoutError: it failed, or the answer is lost.
        """
        try:
            said = await self._driver.execute("COMMIT")
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise told("COMMIT", error) from error
        assert said == "COMMIT", "work goes on after a failed statement only under a savepoint"

    def fetch(self, statement: str, values: Sequence[Any]) -> SeatRows:
        """What a statement with `$1`, `$2`, … gives; called by work.

        Raises:
            DBAPIError: it failed.
        """
        if self._foreseen:
            found = self._foreseen.pop((statement, tuple(values)), None)
            if found is not None:
                return found
        if self._is_lone is not False:
            assert self._is_lone, "work of one statement runs one"
            self._is_lone = None
        try:
            rows: SeatRows = await_only(self._fetch(statement, values))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise told(statement, error) from error
        return rows

    def foresee(self, reads: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """Asks several reads at once; `fetch` gives each answer once. Called by work.

        Raises:
            DBAPIError: it failed.
        """
        try:
            await_only(self._foresee(reads))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise told("together", error) from error

    def run(self, statement: str) -> None:
        """Runs a statement without parameters; called by work.

        Raises:
            DBAPIError: it failed.
        """
        try:
            await_only(self._driver.execute(statement))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise told(statement, error) from error

    async def settle(self) -> None:
        """Ends what is left of a transaction, and lets SQLAlchemy forget what it believes of it."""
        if self._driver.is_in_transaction():
            await self._driver.execute("ROLLBACK")
        if self.connection.in_transaction():
            self.connection.rollback()

    async def leave(self, *, is_lost: bool) -> None:
        """Closes the connection."""
        if is_lost:
            await self._opened.invalidate()
        await self._opened.close()

    async def _foresee(self, reads: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        shapes = [_SHAPES.get(sql) or await self._shape(sql) for sql, _ in reads]
        asked = [
            (sql, shape, values)
            for (sql, values), shape in zip(reads, shapes, strict=True)
            if shape.fits
        ]
        statement = together(tuple((sql, shape) for sql, shape, _ in asked))
        found = await self._fetch(statement, all_values([values for *_, values in asked]))
        [answers] = found.fetchall()
        for (sql, shape, values), answer in zip(asked, answers, strict=True):
            rows = [] if answer is None else orjson.loads(answer)
            description = [(name,) for name in shape.columns]
            self._foreseen[sql, values] = SeatRows(rows, description, f"SELECT {len(rows)}")

    async def _shape(self, statement: str) -> Shape:
        prepared, _ = self._prepared.get(statement) or await self._prepare(statement)
        shape = _SHAPES[statement] = Shape.of(prepared)
        return shape

    async def _fetch(self, statement: str, values: Sequence[Any]) -> SeatRows:
        known = self._prepared.get(statement)
        if known is None:
            known = await self._prepare(statement)
        else:
            self._prepared.move_to_end(statement)
        prepared, description = known
        rows = await prepared.fetch(*values)
        return SeatRows(rows, description, prepared.get_statusmsg() or "")

    async def _prepare(self, statement: str) -> tuple[Any, Sequence[tuple[str]]]:
        prepared = await self._driver.prepare(statement)
        names = tuple((attribute.name,) for attribute in prepared.get_attributes())
        self._prepared[statement] = prepared, names
        if len(self._prepared) > PREPARED_STATEMENTS:
            self._prepared.popitem(last=False)
        return prepared, names


class Seats:
    """The seats of one database that nobody uses; how many there are is its user's concern."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._free: list[Seat] = []

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Seat]:
        """A seat of one's own; one that failed is thrown away."""
        seat = await self._take()
        try:
            yield seat
        except FAILURES as error:
            await self._put_back(seat, is_lost=spoils_connection(error))
            raise
        except BaseException:
            await self._put_back(seat)
            raise
        await self._put_back(seat)

    async def close(self) -> None:
        """Closes those that are free."""
        while self._free:
            await self._free.pop().leave(is_lost=False)

    async def _take(self) -> Seat:
        while self._free:
            seat = self._free.pop()
            if not seat.is_worn:
                return seat
            await seat.leave(is_lost=True)
        return await Seat.open(self._engine)

    async def _put_back(self, seat: Seat, *, is_lost: bool = False) -> None:
        if not is_lost and not seat.is_worn:
            try:
                await seat.settle()
            except FAILURES:
                is_lost = True
            else:
                self._free.append(seat)
                return
        await seat.leave(is_lost=True)
