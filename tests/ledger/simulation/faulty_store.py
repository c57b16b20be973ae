"""A database in memory that is slow, busy, or loses the reply to a commit, as chance has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from sqlalchemy import Connection, MetaData, create_engine
from sqlalchemy.pool import StaticPool

from kernel.database import Database, DatabaseUnavailable, InDoubt, Isolation, Overloaded
from kernel.statements import run

T = TypeVar("T")


@dataclass(slots=True)
class Faults:
    """How often each happens, of a thousand; and how often it did."""

    busy: int = 30
    broken_off: int = 20
    doubtful: int = 30
    overloaded: int = 5
    happened: int = 0


class FaultyStore(Database):
    """One connection; a transaction takes its time before and after it."""

    def __init__(self, metadata: MetaData, chance: Random, faults: Faults) -> None:
        engine = create_engine("sqlite+apsw://", poolclass=StaticPool)
        self._connection = engine.connect()
        metadata.create_all(self._connection)
        self._engine = engine
        self._chance = chance
        self.faults = faults
        self.is_faulty = False

    async def transaction(
        self,
        work: Callable[[Connection], T],
        *,
        isolation: Isolation = Isolation.SERIALIZABLE,
        is_idempotent: bool = False,
    ) -> T:
        await self._pass_time()
        if self._strikes(self.faults.overloaded):
            raise Overloaded("too much waits")
        if self._strikes(self.faults.busy):
            raise DatabaseUnavailable("busy")
        run(self._connection, "BEGIN")
        try:
            result = work(self._connection)
        except BaseException:
            run(self._connection, "ROLLBACK")
            raise
        if self._strikes(self.faults.broken_off):
            run(self._connection, "ROLLBACK")
            raise DatabaseUnavailable("broken off")
        is_lost = self._strikes(self.faults.doubtful)
        run(self._connection, "ROLLBACK" if is_lost and self._chance.random() < 0.5 else "COMMIT")
        await self._pass_time()
        if is_lost:
            raise InDoubt("the reply is lost")
        return result

    async def snapshot(self, work: Callable[[Connection], T]) -> T:
        return work(self._connection)

    @property
    def is_shared(self) -> bool:
        return False

    async def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    async def _pass_time(self) -> None:
        await asyncio.sleep(self._chance.choice([0.0, 0.001, 0.01, 1.0]))

    def _strikes(self, of_a_thousand: int) -> bool:
        struck = self.is_faulty and self._chance.randrange(1_000) < of_a_thousand
        self.faults.happened += struck
        return struck
