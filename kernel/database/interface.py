"""What every database does for its callers, whichever server keeps it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, TypeVar

from sqlalchemy import Connection

from kernel.statements import Prepared

T = TypeVar("T")

_LOOK = {
    # What reads no table does not look at the file.
    "sqlite": Prepared("SELECT count(*) FROM sqlite_schema"),
    "postgresql": Prepared("SELECT 1"),
}


class DatabaseUnavailable(Exception):
    """The database could not do the work (disk full, busy, lost); nothing of it was kept.

    Clients read the message and the code, so it names no table, file or statement.
    """

    extensions: ClassVar[dict[str, str]] = {"code": "SUBGRAPH_UNAVAILABLE"}


class InDoubt(DatabaseUnavailable):
    """The database failed while it committed: all of the work was kept, or nothing.

    A repeat with the same request id finds out.
    """


class Overloaded(Exception):
    """Too much work waits already; nothing of this one was begun."""

    extensions: ClassVar[dict[str, str]] = {"code": "OVERLOADED"}


class Isolation(StrEnum):
    """What a transaction may see of others that run beside it.

    SQLite runs one at a time, so it serves both alike.
    """

    SERIALIZABLE = "SERIALIZABLE"
    """Nothing: it reads, decides and writes as if alone."""

    READ_COMMITTED = "READ COMMITTED"
    """Each statement sees what was committed before it; the work locks the rows it decides on."""


class Database(ABC):
    """A database whose commits are durable before their callers hear of them.

    Attributes:
        address: by which `open_database` opened it, and another process can; None when none can.
    """

    address: str | Path | None = None

    @property
    @abstractmethod
    def is_shared(self) -> bool:
        """Whether other processes may change it while this one has it open."""

    @abstractmethod
    async def transaction(
        self,
        work: Callable[[Connection], T],
        *,
        isolation: Isolation = Isolation.SERIALIZABLE,
        is_idempotent: bool = False,
        is_one_statement: bool = False,
    ) -> T:
        """What `work` returns, once all it wrote is durable.

        An exception of `work` rolls back all that it wrote, and only that. Cancelling the caller
        does not stop work that was begun. Work may run several times, of which one is kept.

        Args:
            is_idempotent: `work` finds out by itself that it was done already (it keeps its
                request's row); when a commit is in doubt it is run again, where otherwise
                `InDoubt` is raised.
            is_one_statement: `work` runs one prepared statement and is READ_COMMITTED; a server
                is spared the two round trips of BEGIN and COMMIT.

        Raises:
            Overloaded: too much work waits.
            InDoubt: whether it was kept is not known.
            DatabaseUnavailable: the database failed; nothing was kept.
        """

    @abstractmethod
    async def snapshot(
        self, work: Callable[[Connection], T], *, is_one_statement: bool = False
    ) -> T:
        """What `work` returns, reading one unchanging state of the database.

        Args:
            is_one_statement: `work` runs one prepared statement, or foresees all it reads; a
                server is spared the two round trips that keep several on one state. Work that
                turns out to run more runs again from its beginning.

        Raises:
            Overloaded: too much work waits.
            DatabaseUnavailable: the database failed.
        """

    async def answers_within(self, seconds: float) -> bool:
        """Whether something small is read from it in this time."""
        try:
            async with asyncio.timeout(seconds):
                await self.snapshot(_look, is_one_statement=True)
        except (DatabaseUnavailable, Overloaded, TimeoutError):
            return False
        return True

    @abstractmethod
    async def close(self) -> None:
        """Finishes what was begun, then lets go of the database."""


def _look(connection: Connection) -> None:
    connection.execute(_LOOK[connection.dialect.name]).scalar_one()
