"""The alliance subgraph: opens its database and puts its rooms together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import gateway.resolvers  # noqa: F401  (The types and their resolvers, in the order they need.)
from gateway.alliance_settings import AllianceSettings
from gateway.alliance_tables import METADATA
from gateway.begun_work import BegunWork
from gateway.directory.admission import Admission, BackendCheck, open_directory
from gateway.directory.directory import Directory
from gateway.directory.health import HealthBoard
from gateway.directory.refusals import BackendUnfit
from gateway.membership import tables as membership_tables  # noqa: F401
from gateway.resolvers.context import AllianceContext
from gateway.schema.mutation import Mutation
from gateway.schema.query import Query
from gateway.schema.refusals import ADMINISTRATION_REFUSALS
from gateway.settings_book import SettingsBook
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database
from kernel.ids import IdSource
from kernel.subgraph import SubgraphSchema, build_subgraph
from ledger.contract import Ledger, LedgerSettings
from merchants.port import Backend


async def nothing_booked() -> bool:
    """For a ledger that holds no entry."""
    return False


async def no_remote_backends(endpoint: str) -> None:
    """For a gateway that reaches no remote backend.

    Raises:
        BackendUnfit: always.
    """
    raise BackendUnfit(problems=[["backend.endpoint", "remote backends are not enabled here"]])


@cache
def alliance_schema() -> SubgraphSchema:
    """The schema, which needs no database."""
    return build_subgraph(
        "alliance",
        query=Query,
        mutation=Mutation,
        types=[],
        refusals=ADMINISTRATION_REFUSALS,
    )


class AllianceSubgraph:
    """One alliance: its schema, and what its resolvers ask."""

    def __init__(
        self,
        *,
        database: Database,
        begun: BegunWork,
        clock: Clock,
        ids: IdSource,
        ledger: Ledger,
        backend: Backend,
        settings_book: SettingsBook,
        directory: Directory,
        admission: Admission,
    ) -> None:
        self.database = database
        self.begun = begun
        self.clock = clock
        self.ids = ids
        self.ledger = ledger
        self.backend = backend
        self.settings_book = settings_book
        self.directory = directory
        self.admission = admission
        self.health = HealthBoard(clock)
        self.schema = alliance_schema()

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        ids: IdSource,
        ledger: Ledger,
        backend: Backend,
        anything_booked: Callable[[], Awaitable[bool]] = nothing_booked,
        check_backend: BackendCheck = no_remote_backends,
    ) -> AllianceSubgraph:
        """The alliance kept at `path`; a new one gets settings and its own merchant.

        Whatever a crash cut off is finished first.

        Args:
            path: the database file.
            anything_booked: whether the ledger holds any entry; then the currency stays.
            check_backend: accepts a remote backend, or refuses it.
        """
        database = await Database.open(path, METADATA)
        begun = BegunWork()
        settings_book = await SettingsBook.open(
            database, begun=begun, clock=clock, anything_booked=anything_booked
        )
        directory = await open_directory(database, clock=clock)
        admission = Admission(
            database=database,
            directory=directory,
            backend=backend,
            check_backend=check_backend,
            begun=begun,
            clock=clock,
            ids=ids,
        )
        await admission.finish()
        return cls(
            database=database,
            begun=begun,
            clock=clock,
            ids=ids,
            ledger=ledger,
            backend=backend,
            settings_book=settings_book,
            directory=directory,
            admission=admission,
        )

    @property
    def settings(self) -> AllianceSettings:
        """Settings in force now."""
        return self.settings_book.current

    @property
    def ledger_settings(self) -> LedgerSettings:
        """What the ledger needs to know of the settings in force now."""
        values = self.settings.values
        return LedgerSettings(
            currency=values.currency,
            time_zone=values.time_zone,
            debt_policy=values.debt_policy,
            alliance_merchant_id=self.directory.alliance.id,
        )

    def context_for(
        self, caller: Caller | None, *, request_id: str = "", language: str = ""
    ) -> AllianceContext:
        """What the resolvers of one request are given."""
        return AllianceContext(self, caller=caller, request_id=request_id, language=language)

    async def close(self) -> None:
        """Lets what was begun end, then closes the database."""
        await self.begun.close()
        await self.database.close()
