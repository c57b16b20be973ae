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
from enum import Enum, auto
from time import monotonic
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]
import orjson
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from kernel.database.postgresql_errors import (
    DRIVER_ERRORS,
    FAILURES,
    LOST,
    is_stale_plan,
    spoils_connection,
)
from kernel.database.postgresql_together import Shape, all_values, together
from kernel.statements import SEAT, told

T = TypeVar("T")

SEAT_LIFETIME_SECONDS = 3_600
PREPARED_STATEMENTS = 500
_CHANGED = re.compile(r"(?:SELECT|UPDATE|DELETE|INSERT \d+) (\d+)")


_SHAPES: dict[str, Shape] = {}
"""Of each read that was ever foreseen; as many as there are such statements."""


class _Alone(Enum):
    """What work that runs outside of a transaction may do, and did."""

    NO = auto()
    MAY_READ = auto()
    HAS_READ = auto()
    MAY_WRITE = auto()
    HAS_WRITTEN = auto()


class _NeedsTransaction(BaseException):
    """Work that reads asks for more than one statement can tell."""


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
        opened_at: on the monotonic clock.
    """

    def __init__(self, opened: AsyncConnection, driver: asyncpg.Connection) -> None:
        self._opened = opened
        self._driver = driver
        self.opened_at = monotonic()
        self._alone = _Alone.NO
        self._foreseen: dict[str, dict[tuple[Any, ...], SeatRows]] = {}
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
        return self._driver.is_closed() or monotonic() > self.opened_at + SEAT_LIFETIME_SECONDS

    async def work(self, work: Callable[[Connection], T], *, begin: str | None) -> T:
        """What `work` returns, inside the transaction that `begin` begins.

        Args:
            begin: None for work of one prepared statement, which is a transaction by itself.
        """
        self._alone = _Alone.MAY_WRITE if begin is None else _Alone.NO
        self._foreseen.clear()
        if begin is not None:
            await self._command(begin)
        return await greenlet_spawn(work, self.connection)

    async def read(
        self, work: Callable[[Connection], T], *, begin: str, is_one_statement: bool
    ) -> T:
        """What `work` returns, reading one state.

        Args:
            is_one_statement: it reads by one statement, as a rule; if it turns out to need more,
                it runs again inside a transaction.
        """
        if is_one_statement:
            self._alone = _Alone.MAY_READ
            self._foreseen.clear()
            try:
                return await greenlet_spawn(work, self.connection)
            except _NeedsTransaction:
                pass
        return await self.work(work, begin=begin)

    def claim(self, statement: str) -> None:
        """Counts a statement of work that runs outside of a transaction; called by work."""
        if self._alone is _Alone.NO:
            return
        if self._alone is _Alone.MAY_READ and statement.startswith("SELECT"):
            self._alone = _Alone.HAS_READ
        elif self._alone is _Alone.MAY_WRITE:
            self._alone = _Alone.HAS_WRITTEN
        elif self._alone is _Alone.HAS_WRITTEN:
            raise AssertionError("work of one statement runs one")
        else:
            raise _NeedsTransaction

    async def commit(self) -> None:
        """Returns once the transaction is durable.

        Raises:
            DBAPIError: it failed, or the answer is lost.
        """
        try:
            said = await self._command("COMMIT")
        except DRIVER_ERRORS as error:
            raise self._told("COMMIT", error) from error
        if said != "COMMIT":  # Also under `python -O`: nothing was kept.
            raise AssertionError("work goes on after a failed statement only under a savepoint")

    def fetch(self, statement: str, values: Sequence[Any]) -> SeatRows:
        """What a statement with `$1`, `$2`, … gives; called by work.

        Raises:
            DBAPIError: it failed.
        """
        if self._foreseen:
            known = self._foreseen.get(statement)
            if known is not None and tuple(values) in known:
                return known.pop(tuple(values))
        self.claim(statement)
        try:
            rows: SeatRows = await_only(self._fetch(statement, values))
        except DRIVER_ERRORS as error:
            raise self._told(statement, error) from error
        return rows

    def foresee(self, reads: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """Asks several reads at once; `fetch` gives each answer once. Called by work.

        Raises:
            DBAPIError: it failed.
        """
        if not reads:
            return
        self.claim("SELECT")
        try:
            await_only(self._foresee(reads))
        except DRIVER_ERRORS as error:
            raise self._told("together", error) from error

    def run(self, statement: str) -> None:
        """Runs a statement without parameters; called by work.

        Raises:
            DBAPIError: it failed.
        """
        self.claim(statement)
        try:
            await_only(self._command(statement))
        except DRIVER_ERRORS as error:
            raise self._told(statement, error) from error

    async def settle(self) -> None:
        """Ends what is left of a transaction, and lets SQLAlchemy forget what it believes of it."""
        if self._driver.is_in_transaction():
            await self._command("ROLLBACK")
        if self.connection.in_transaction():
            self.connection.rollback()

    async def leave(self) -> None:
        """Gives the connection back to SQLAlchemy's pool."""
        await self._opened.close()

    def drop(self) -> None:
        """Closes the connection without a word: who is asked to end one may be mute."""
        self._driver.terminate()
        sync = self._opened.sync_connection
        if sync is not None:
            sync.invalidate()
            sync.close()

    def _told(self, statement: str, error: Exception) -> Exception:
        """The driver's error as work knows it."""
        if isinstance(error, LOST):
            # What is asked next would wait as long, or be given the answer to this.
            self._driver.terminate()
        return told(statement, error)

    async def _command(self, statement: str) -> str:
        """Runs a statement without parameters: one round trip; what the server says it did."""
        said: str = await self._driver.execute(statement)
        return said

    async def _foresee(self, reads: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        shapes = [_SHAPES.get(sql) or await self._shape(sql) for sql, _ in reads]
        asked = [
            (sql, shape, values)
            for (sql, values), shape in zip(reads, shapes, strict=True)
            if shape.fits
        ]
        if not asked:
            return
        statement = together(tuple((sql, shape) for sql, shape, _ in asked))
        found = await self._fetch(statement, all_values([values for *_, values in asked]))
        [answers] = found.fetchall()
        for (sql, shape, values), answer in zip(asked, answers, strict=True):
            rows = [] if answer is None else orjson.loads(answer)
            description = [(name,) for name in shape.columns]
            answered = SeatRows(rows, description, f"SELECT {len(rows)}")
            self._foreseen.setdefault(sql, {})[values] = answered

    async def _shape(self, statement: str) -> Shape:
        prepared, _ = self._prepared.get(statement) or await self._prepare(statement)
        shape = _SHAPES[statement] = Shape.of(prepared)
        return shape

    async def _fetch(self, statement: str, values: Sequence[Any]) -> SeatRows:
        """Runs a statement: one round trip, once it is prepared."""
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
        event.listen(self._engine.sync_engine, "before_cursor_execute", _count)
        self._free: list[Seat] = []
        self._fresh_since = 0.0
        """When tables were last found changed: what was prepared before is not used again."""

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Seat]:
        """A seat of one's own; one that failed is thrown away."""
        seat = await self._take()
        try:
            yield seat
        except BaseException as error:
            if is_stale_plan(error):
                self._fresh_since = monotonic()
            await self._put_back(seat, is_lost=spoils_connection(error))
            raise
        await self._put_back(seat)

    async def close(self) -> None:
        """Closes those that are free."""
        while self._free:
            await self._free.pop().leave()

    async def _take(self) -> Seat:
        while self._free:
            seat = self._free.pop()
            if not self._is_worn(seat):
                return seat
            seat.drop()
        return await Seat.open(self._engine)

    async def _put_back(self, seat: Seat, *, is_lost: bool = False) -> None:
        if is_lost or self._is_worn(seat):
            seat.drop()
            return
        try:
            await seat.settle()
        except BaseException as error:  # Cancelled, too: a seat that is kept nowhere is leaked.
            seat.drop()
            if not isinstance(error, FAILURES):
                raise
            return
        self._free.append(seat)

    def _is_worn(self, seat: Seat) -> bool:
        return seat.is_worn or seat.opened_at <= self._fresh_since


def _count(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
    """Counts a statement that SQLAlchemy itself executes."""
    seat = connection.get_execution_options().get(SEAT)
    if seat is not None:
        seat.claim(statement)
