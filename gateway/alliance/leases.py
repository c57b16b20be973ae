"""Which process of several works on what, until when.

A lease ends by itself when its process is gone. Where one process has the database to itself,
nothing is leased. See docs/decisions/database.md.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Integer, Table, Text

from gateway.alliance.tables import METADATA, REQUESTS
from kernel.clock import Clock, to_micros
from kernel.database import Database, DatabaseUnavailable, Isolation, Overloaded
from kernel.requests import RequestKey
from kernel.statements import Prepared

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than a process works on one thing; clocks of machines differ by much less."""

Table(
    "lease",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Integer, nullable=False),
    sqlite_with_rowid=False,
)
_TAKE = Prepared(
    "INSERT INTO lease (name, holder, until) VALUES (:name, :holder, :until)"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until"
    " WHERE lease.until <= :now OR lease.holder = excluded.holder"
)
_GIVE_BACK = Prepared("DELETE FROM lease WHERE name = :name AND holder = :holder")
_OF_OTHERS = Prepared(
    "SELECT name FROM lease WHERE name IN :names AND holder <> :holder AND until > :now",
    lists=("names",),
)


class Leases:
    """What this process holds, and what others do.

    Attributes:
        holder: names this process.
    """

    def __init__(self, database: Database, *, clock: Clock, holder: str) -> None:
        self.holder = holder
        self._database = database
        self._clock = clock

    async def take(self, name: str) -> bool:
        """Whether this process may work on it; for ever so where it is the only one.

        Raises:
            DatabaseUnavailable, Overloaded: nobody knows.
        """
        if not self._database.is_shared:
            return True
        now = self._clock.now()
        values = {
            "name": name,
            "holder": self.holder,
            "until": to_micros(now + LEASE),
            "now": to_micros(now),
        }
        taken: int = await self._database.transaction(
            lambda connection: connection.execute(_TAKE, values).rowcount,
            isolation=Isolation.READ_COMMITTED,
            is_idempotent=True,
            is_one_statement=True,
        )
        return taken == 1

    async def give_back(self, name: str) -> None:
        """Lets others work on it at once; if that fails, later."""
        if not self._database.is_shared:
            return
        values = {"name": name, "holder": self.holder}
        try:
            await self._database.transaction(
                lambda connection: connection.execute(_GIVE_BACK, values).rowcount,
                isolation=Isolation.READ_COMMITTED,
                is_idempotent=True,
                is_one_statement=True,
            )
        except (DatabaseUnavailable, Overloaded) as error:
            logger.warning("the lease of %s ends by itself: %s", name, error)

    async def let_go(self, key: RequestKey) -> None:
        """Lets others go on at once with a request that broke off here; if that fails, later."""
        if not self._database.is_shared:
            return
        try:
            await self._database.transaction(
                lambda connection: REQUESTS.let_go(connection, key, owner=self.holder),
                isolation=Isolation.READ_COMMITTED,
                is_idempotent=True,
                is_one_statement=True,
            )
        except (DatabaseUnavailable, Overloaded) as error:
            logger.warning("the claim of a request ends by itself: %s", error)

    def read_of_others(
        self, connection: Connection, names: Sequence[str], *, now: datetime
    ) -> set[str]:
        """Those that other processes work on."""
        if not self._database.is_shared or not names:
            return set()
        values = {"names": list(names), "holder": self.holder, "now": to_micros(now)}
        return {row.name for row in connection.execute(_OF_OTHERS, values)}
