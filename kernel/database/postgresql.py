"""A schema of a PostgreSQL database: pooled connections, and work that runs again on a conflict.

Work runs on the event loop, switching to other tasks at each statement (in a greenlet).
The database belongs to the loop that opened it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from random import uniform
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.database.addresses import PostgresAddress
from kernel.database.interface import (
    Database,
    DatabaseUnavailable,
    InDoubt,
    Isolation,
    Overloaded,
)
from kernel.database.migrating import Schema
from kernel.database.postgresql_engine import open_engine, prepare_schema
from kernel.database.postgresql_errors import (
    FAILURES,
    LOST,
    Doubtful,
    is_broken_constraint,
    is_duplicate,
    is_impossible_value,
    is_in_doubt,
    is_passing,
    refuse_impossible_text,
)
from kernel.database.postgresql_seats import Seats

T = TypeVar("T")
logger = logging.getLogger(__name__)

WAITING_MAX = 4_096
ATTEMPTS_MAX = 12
PATIENCE_SECONDS = 20
DUPLICATES_MAX = 3
ALONE_AFTER = 3
SERIALIZABLE_AT_ONCE = 4
"""Of one process. The more run side by side, the more of them conflict and are run again; the work
runs on one processor anyway."""
BACK_OFF_SECONDS = 0.005
BACK_OFF_MAX_SECONDS = 0.5
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SERIALIZABLE = f"BEGIN ISOLATION LEVEL {Isolation.SERIALIZABLE.value}"


class PostgresDatabase(Database):
    """A schema of a PostgreSQL database, which other processes may use at the same time."""

    def __init__(self, engine: AsyncEngine, connections: int) -> None:
        self._engine = engine
        self._seats = Seats(engine)
        self._places = asyncio.Semaphore(connections)
        self._serializable = asyncio.Semaphore(SERIALIZABLE_AT_ONCE)
        # Work that met conflicts again and again has the process to itself.
        self._alone = asyncio.Lock()
        self._begun: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def is_shared(self) -> bool:
        """True: any number of gateways may run on it."""
        return True

    @classmethod
    async def open(cls, address: PostgresAddress, schema: Schema) -> PostgresDatabase:
        """The schema at `address`, with the tables of `schema`.

        Raises:
            DatabaseRefused: it is newer than this code, or has no revision.
            DatabaseUnavailable: it can not be reached, or is no database for us.
        """
        engine = open_engine(address)
        try:
            await prepare_schema(engine, address, schema)
        except FAILURES as error:
            await engine.dispose()
            logger.error("can not open the schema %s: %s", address.schema, error)
            raise DatabaseUnavailable(f"can not open the schema {address.schema}") from error
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine, address.connections)

    async def transaction(
        self,
        work: Callable[[Connection], T],
        *,
        isolation: Isolation = Isolation.SERIALIZABLE,
        is_idempotent: bool = False,
        is_one_statement: bool = False,
    ) -> T:
        """What `work` returns, once all it wrote is durable; see `Database`."""
        if is_one_statement and isolation is not Isolation.READ_COMMITTED:
            raise AssertionError("such a statement is beside others")
        begin = None if is_one_statement else f"BEGIN ISOLATION LEVEL {isolation.value}"
        return await self._finish(self._write(begin, work, is_idempotent))

    async def snapshot(
        self, work: Callable[[Connection], T], *, is_one_statement: bool = False
    ) -> T:
        """What `work` returns, reading one unchanging state; see `Database`."""
        return await self._finish(self._read(work, is_one_statement))

    async def close(self) -> None:
        """Finishes what was begun, then lets go of every connection."""
        if self._closed:
            return
        self._closed = True
        while self._begun:
            await asyncio.wait(self._begun)
        await self._seats.close()
        await self._engine.dispose()

    async def _finish(self, begun: Coroutine[Any, Any, T]) -> T:
        """Awaits the work as a task of its own, which ends even if its caller is cancelled."""
        if self._closed or len(self._begun) >= WAITING_MAX:
            begun.close()
            if self._closed:
                raise DatabaseUnavailable("the database is closed")
            raise Overloaded("too much work waits")
        task = asyncio.create_task(begun)
        self._begun.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._begun.discard(task)
        if not task.cancelled():
            # A caller that was cancelled asks for no error; it is no surprise to the loop.
            task.exception()

    async def _read(self, work: Callable[[Connection], T], is_one_statement: bool) -> T:
        began = monotonic()
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with self._places, self._seats.taken() as seat:
                    return await seat.read(work, begin=_READ, is_one_statement=is_one_statement)
            except FAILURES as error:
                if is_broken_constraint(error):
                    raise
                refuse_impossible_text(error)
                if not (is_passing(error) and _may_try_again(attempt, began)):
                    raise _unavailable("nothing was read", error) from error
            await _back_off(attempt)
        raise AssertionError("every attempt ends")

    async def _write(
        self, begin: str | None, work: Callable[[Connection], T], is_idempotent: bool
    ) -> T:
        began, duplicates = monotonic(), 0
        doubt: Doubtful | None = None
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with self._turn(begin, is_alone=attempt > ALONE_AFTER):
                    return await self._commit(begin, work)
            except Doubtful as error:
                doubt = error
                if not (is_idempotent and _may_try_again(attempt, began)):
                    raise _in_doubt(doubt) from doubt
            except FAILURES as error:
                # Two that run beside each other may both find nothing and add the same row: the
                # one that lost looks again. A duplicate that stays one is its work's own.
                duplicates += is_duplicate(error)
                if is_broken_constraint(error) and not 0 < duplicates < DUPLICATES_MAX:
                    raise
                refuse_impossible_text(error)
                if is_impossible_value(error):
                    raise
                is_conflict = is_duplicate(error) or is_passing(error)
                if not (is_conflict and _may_try_again(attempt, began)):
                    # An earlier attempt may have been kept; this one only failed to find out.
                    raise (
                        _unavailable("nothing was kept", error)
                        if doubt is None
                        else _in_doubt(doubt)
                    ) from error
            await _back_off(attempt)
        raise AssertionError("every attempt ends")

    @asynccontextmanager
    async def _turn(self, begin: str | None, *, is_alone: bool) -> AsyncIterator[None]:
        """Within it, work that could conflict runs beside few others of this process, or none."""
        if begin != _SERIALIZABLE:
            yield
            return
        async with AsyncExitStack() as stack:
            if is_alone:
                await stack.enter_async_context(self._alone)
            for _ in range(SERIALIZABLE_AT_ONCE if is_alone else 1):
                await stack.enter_async_context(self._serializable)
            yield

    async def _commit(self, begin: str | None, work: Callable[[Connection], T]) -> T:
        async with self._places, self._seats.taken() as seat:
            try:
                result = await seat.work(work, begin=begin)
                if begin is None:
                    return result
            except FAILURES as error:
                if begin is None and is_in_doubt(error):
                    raise Doubtful from error
                raise
            try:
                await seat.commit()
            except FAILURES as error:
                if is_in_doubt(error):
                    raise Doubtful from error
                raise
            return result


def _may_try_again(attempt: int, began: float) -> bool:
    return attempt < ATTEMPTS_MAX and monotonic() < began + PATIENCE_SECONDS


async def _back_off(attempt: int) -> None:
    """Waits longer after each attempt, and not as long as others do."""
    longest = min(BACK_OFF_SECONDS * 2**attempt, BACK_OFF_MAX_SECONDS)
    await asyncio.sleep(uniform(longest / 4, longest))


def _in_doubt(doubt: Doubtful) -> InDoubt:
    logger.error("the outcome of a commit is not known: %s", doubt.__cause__)
    return InDoubt("the database failed while it committed")


def _unavailable(what: str, error: BaseException) -> DatabaseUnavailable:
    logger.error("%s: %s", what, getattr(error, "orig", None) or error)
    kind = "lost" if isinstance(getattr(error, "orig", error), LOST) else "failed"
    return DatabaseUnavailable(f"the database {kind}, {what}")
