"""A database in one SQLite file: one thread writes, a few read."""

from __future__ import annotations

import asyncio
import logging
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import apsw
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from kernel.database.interface import Database, DatabaseUnavailable, InDoubt, Isolation, Overloaded
from kernel.database.migrating import Schema, bring_up_to_date, is_up_to_date
from kernel.database.sqlite_checkpoints import Checkpoints
from kernel.database.sqlite_dialect import address_of_file, sqlite_version_info
from kernel.statements import driver_connection, run

T = TypeVar("T")
logger = logging.getLogger(__name__)

SQLITE_LEAST = (3, 51, 3)
BATCH_MAX = 256
WAITING_MAX = 4_096
READERS = 2
SWITCH_INTERVAL_S = 0.000_2
"""How long a thread may keep Python's lock that another waits for. The threads of a database let go
of it at each statement; with Python's own 5 ms each may wait that long to go on."""


@dataclass(slots=True)
class _Job(Generic[T]):
    work: Callable[[Connection], T]
    future: asyncio.Future[T]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SqliteDatabase(Database):
    """One SQLite file: one writer that commits waiting work in groups, and a few readers.

    Every commit is on the disk before its callers hear of it (WAL, synchronous=FULL).
    """

    def __init__(self, path: Path, schema: Schema) -> None:
        self.path = path
        self._schema = schema
        self._checkpoints = Checkpoints(path)
        self._engine = _sqlite_engine(path, checkpoints=self._checkpoints)
        self._read_engine = _sqlite_engine(path)
        self._waiting: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._asked: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._readers: list[threading.Thread] = []
        self._closed = False

    @property
    def is_shared(self) -> bool:
        """False: a server locks its data directory."""
        return False

    @classmethod
    async def open(cls, path: Path, schema: Schema) -> SqliteDatabase:
        """The database at `path`, with the tables of `schema`.

        Raises:
            DatabaseRefused: it is newer than this code, or has no revision.
            DatabaseUnavailable: the file can not be opened or written.
        """
        if sqlite_version_info < SQLITE_LEAST:
            raise DatabaseUnavailable(
                f"apsw was built with SQLite {apsw.sqlite_lib_version()}, which can lose commits: "
                f"install its wheel, or build it with {'.'.join(map(str, SQLITE_LEAST))} or newer"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        database = cls(path, schema)
        await asyncio.to_thread(database._start)
        return database

    async def transaction(
        self,
        work: Callable[[Connection], T],
        *,
        isolation: Isolation = Isolation.SERIALIZABLE,
        is_idempotent: bool = False,
        is_one_statement: bool = False,
    ) -> T:
        """What `work` returns, once all it wrote is durable; see `Database`."""
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        if self._waiting.qsize() >= WAITING_MAX:
            raise Overloaded("too many writes wait")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = _Job(work, future, loop)
        self._waiting.put(job)
        return await future

    async def snapshot(
        self, work: Callable[[Connection], T], *, is_one_statement: bool = False
    ) -> T:
        """What `work` returns, reading one unchanging state of the file; see `Database`."""
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._asked.put(_Job(work, future, loop))
        return await future

    async def close(self) -> None:
        """Finishes what waits, then lets go of the file."""
        if self._closed:
            return
        self._closed = True
        self._waiting.put(None)
        if self._writer is not None:
            await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._checkpoints.end)
        for _ in self._readers:
            self._asked.put(None)
        for reader in self._readers:
            await asyncio.to_thread(reader.join)
        self._engine.dispose()
        self._read_engine.dispose()

    def _start(self) -> None:
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                _prepare_tables(connection, self._schema)
            reading = [self._read_engine.connect() for _ in range(READERS)]
            copying = self._read_engine.connect()
            writing = self._engine.connect()
        except DBAPIError as error:  # A damaged file is a DatabaseError, which says as much.
            raise DatabaseUnavailable(f"can not open {self.path.name}: {error.orig}") from error
        # A process that fails without closing ends all the same: what its threads had not committed
        # nobody was told of.
        self._writer = threading.Thread(
            target=self._write_until_closed,
            args=(writing,),
            name=f"write-{self.path.stem}",
            daemon=True,
        )
        self._writer.start()
        self._checkpoints.start(copying)
        for number, connection in enumerate(reading):
            reader = threading.Thread(
                target=self._read_until_closed,
                args=(connection,),
                name=f"read-{self.path.stem}-{number}",
                daemon=True,
            )
            self._readers.append(reader)
            reader.start()

    def _read_until_closed(self, connection: Connection) -> None:
        with connection:
            while (job := self._asked.get()) is not None:
                _read(connection, job)
                _settle([job])

    def _reopened(self, connection: Connection) -> Connection:
        """A connection that believes nothing the old one did; the old one when none opens."""
        try:
            fresh = self._engine.connect()
        except OperationalError as error:
            logger.error("can not reopen %s: %s", self.path.name, error.orig)
            return connection
        connection.close()
        return fresh

    def _write_until_closed(self, connection: Connection) -> None:
        try:
            while (job := self._waiting.get()) is not None:
                batch = [job]
                is_last = False
                while len(batch) < BATCH_MAX and not self._waiting.empty():
                    following = self._waiting.get()
                    if following is None:
                        is_last = True
                        break
                    batch.append(following)
                _commit_together(connection, batch)
                if any(isinstance(each.error, InDoubt) for each in batch):
                    connection = self._reopened(connection)
                _settle(batch)
                if is_last:
                    return
        finally:
            connection.close()


def is_current(path: Path, schema: Schema) -> bool:
    """Whether a file has the tables of `schema` as they are now."""
    engine = _sqlite_engine(path)
    try:
        with engine.connect() as connection:
            return is_up_to_date(connection, schema)
    finally:
        engine.dispose()


def _sqlite_engine(path: Path, *, checkpoints: Checkpoints | None = None) -> Engine:
    """Connections to a file: such as write, whose log is copied, or such as only read."""
    engine = create_engine(address_of_file(path), poolclass=NullPool, isolation_level="AUTOCOMMIT")

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: object) -> None:
        cursor = raw.cursor()
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-32768")
        cursor.execute("PRAGMA temp_store=MEMORY")
        # What was deleted or changed, a member who was forgotten, does not stay in the file.
        cursor.execute("PRAGMA secure_delete=ON")
        if checkpoints is None:
            cursor.execute("PRAGMA query_only=1")
        else:
            raw.set_wal_hook(checkpoints.after_commit)
        cursor.close()

    return engine


def _prepare_tables(connection: Connection, schema: Schema) -> None:
    """All of it is kept, or nothing: a connection that is closed before COMMIT kept nothing."""
    if is_up_to_date(connection, schema):
        return
    # A table that is rebuilt is dropped for a moment, with rows that refer to it; within a
    # transaction this changes nothing.
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    bring_up_to_date(connection, schema)
    connection.exec_driver_sql("COMMIT")


def _read(connection: Connection, job: _Job[Any]) -> None:
    try:
        run(connection, "BEGIN")
        try:
            job.result = job.work(connection)
        finally:
            run(connection, "ROLLBACK")
    except OperationalError as error:
        job.error = _unavailable("nothing was read", error)
    except BaseException as error:  # noqa: BLE001 - it belongs to the job's caller.
        job.error = error


def _commit_together(connection: Connection, batch: list[_Job[Any]]) -> None:
    """Runs the jobs in one transaction, several each under a savepoint: one fails by itself."""
    is_committing = False
    try:
        run(connection, "BEGIN IMMEDIATE")
        if len(batch) == 1:
            if not _run_alone(connection, batch[0]):
                return
        else:
            for job in batch:
                _run_job(connection, job)
        is_committing = True
        run(connection, "COMMIT")
    except DBAPIError as error:
        lost = _unavailable("nothing was kept", error)
        if is_committing and _is_io_error(error):
            # What reached the disk is not known: a log that was written and not flushed may count.
            lost = InDoubt("the database failed while it committed")
        for job in batch:
            job.error = job.error or lost
        if _in_transaction(connection):
            _roll_back(connection)


def _roll_back(connection: Connection) -> None:
    """Ends the transaction; where even that fails, the next batch fails too and tries again."""
    try:
        run(connection, "ROLLBACK")
    except DBAPIError as error:  # The writer must live on to answer those who wait.
        logger.error("can not roll back: %s", error.orig)


def _run_alone(connection: Connection, job: _Job[Any]) -> bool:
    """Runs the only job of a transaction; whether it is to be committed.

    Without a savepoint, under which SQLite keeps a copy of every page before it changes: that
    doubles the cost of work that writes much.
    """
    try:
        job.result = job.work(connection)
    except BaseException as error:  # noqa: BLE001 - it belongs to the job's caller.
        job.error = error
        if isinstance(error, OperationalError):
            job.error = _unavailable("nothing was kept", error)
        if _in_transaction(connection):
            run(connection, "ROLLBACK")
        return False
    return True


def _run_job(connection: Connection, job: _Job[Any]) -> None:
    run(connection, "SAVEPOINT job")
    try:
        job.result = job.work(connection)
    except BaseException as error:  # It belongs to the job's caller, whatever it is.
        job.error = error
        if isinstance(error, OperationalError):
            job.error = _unavailable("nothing was kept", error)
        if not _in_transaction(connection):
            # The database itself gave the transaction up (disk full): the others lost theirs too.
            raise OperationalError("SAVEPOINT job", None, error) from error
        run(connection, "ROLLBACK TO job")
    run(connection, "RELEASE job")


def _unavailable(what: str, error: DBAPIError) -> DatabaseUnavailable:
    logger.error("%s: %s", what, error.orig)
    return DatabaseUnavailable(f"the database failed, {what}")


def _is_io_error(error: DBAPIError) -> bool:
    return isinstance(error.orig, apsw.IOError)


def _in_transaction(connection: Connection) -> bool:
    return driver_connection(connection).in_transaction


def _settle(batch: list[_Job[Any]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
    for job in batch:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle_all, jobs)


def _settle_all(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        job.settle()
