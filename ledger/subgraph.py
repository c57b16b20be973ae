"""The ledger as a whole: its database, its contract and its subgraph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, select

from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database
from kernel.ids import IdSource
from kernel.refusals import add_chinese
from kernel.subgraph import SubgraphSchema, build_subgraph
from ledger.background import Repeated
from ledger.context import LedgerContext
from ledger.contract import GrantOverBudget, Ledger, LedgerSettings
from ledger.deposits.credit import DepositHeld, DepositTooLow
from ledger.deposits.deposits_sql import first_unbalanced_movement
from ledger.deposits.issuing import DepositedIssuing
from ledger.loaders import LedgerLoaders
from ledger.opening import open_ledger_database
from ledger.outbox.delivery import Delivery, Sender, always_ours
from ledger.outbox.notices import announce
from ledger.proofs.verify import Finding, Report, verify
from ledger.registry import Registry
from ledger.reports.export import ExportFormat, Write, export_period, export_statement
from ledger.reports.liability import read_cohorts
from ledger.reports.liability_csv import Row, rows_of
from ledger.rules.days import month_of
from ledger.rules.periods import PeriodNotClosable
from ledger.rules.state import RuleTerms
from ledger.schema.cards import Card
from ledger.schema.deposit_changes import DepositHeldRefusal, DepositTooLowRefusal
from ledger.schema.grants import GrantOverBudgetRefusal
from ledger.schema.periods import Merchant
from ledger.schema.roots import Mutation, PeriodNotClosableRefusal, Query
from ledger.schema.settlement_rules import (
    PoolUnderfundedRefusal,
    RuleStateRefusal,
    SelfApprovalRefusal,
)
from ledger.schema.statement_changes import StatementStateRefusal
from ledger.settlement_rules.proposals import PoolUnderfunded, RuleNotWaiting, SelfApproval
from ledger.statements.life import StatementState
from ledger.sweeper import ExpirySweeper
from ledger.tables import ledger_info
from ledger.wording import CHINESE
from ledger.writer import SqlLedger

add_chinese(CHINESE)

NOTICE_PAUSE_SECONDS = 600.0
"""Notices are due by the day."""


@cache
def ledger_schema() -> SubgraphSchema:
    """The ledger's subgraph schema; needs no database."""
    return build_subgraph(
        "ledger",
        query=Query,
        mutation=Mutation,
        types=[Card, Merchant],
        refusals={
            PeriodNotClosable: PeriodNotClosableRefusal,
            GrantOverBudget: GrantOverBudgetRefusal,
            DepositTooLow: DepositTooLowRefusal,
            DepositHeld: DepositHeldRefusal,
            PoolUnderfunded: PoolUnderfundedRefusal,
            SelfApproval: SelfApprovalRefusal,
            RuleNotWaiting: RuleStateRefusal,
            StatementState: StatementStateRefusal,
        },
    )


class LedgerSubgraph:
    """An open ledger.

    Attributes:
        ledger: what the rest of the alliance asks.
        writer: how its writes go, for whoever watches them.
        database: where the books are.
        issuing: whose sales may earn points.
        schema: what clients ask; run with `context_for`.
        expiry: sweeps what expired; runs once it is started.
        notices: announces what will expire; runs once it is started.
    """

    def __init__(
        self,
        database: Database,
        ledger_id: str,
        lanes: int,
        *,
        clock: Clock,
        settings: Callable[[], LedgerSettings],
        registry: Registry,
        ids: IdSource,
    ) -> None:
        self.writer = SqlLedger(database, clock=clock, settings=settings, lanes=lanes)
        self.ledger: Ledger = self.writer
        self.issuing = DepositedIssuing(database, settings)
        self.schema = ledger_schema()
        self.expiry = ExpirySweeper(database, clock=clock, settings=settings)
        self.notices = Repeated("notices", self.announce, pause_seconds=NOTICE_PAUSE_SECONDS)
        self.database = database
        self._ledger_id = ledger_id
        self._clock = clock
        self._settings = settings
        self._registry = registry
        self._ids = ids

    @classmethod
    async def open(
        cls,
        address: str | Path,
        *,
        clock: Clock,
        ids: IdSource,
        settings: Callable[[], LedgerSettings],
        registry: Registry,
        initial_rule: RuleTerms | None = None,
        lanes: int | None = None,
    ) -> LedgerSubgraph:
        """The ledger at `address`, made when it is missing.

        Args:
            settings: asked at every event, so that a change takes effect at once.
            registry: knows which cards and merchants there are.
            initial_rule: first settlement rule of a new ledger; the default terms when absent.
            lanes: how many parts a new ledger has that are written independently, for ever; None
                leaves it to the kind of database, and takes a ledger that is there as it is.

        Raises:
            DatabaseUnavailable: the database can not be opened or written, or holds a ledger with
                another number of lanes.
        """
        database = await open_ledger_database(
            address, clock=clock, ids=ids, initial_rule=initial_rule or RuleTerms(), lanes=lanes
        )
        try:
            info = await database.snapshot(
                lambda connection: connection.execute(
                    select(ledger_info.c.ledger_id, ledger_info.c.lanes)
                ).one()
            )
        except BaseException:
            await database.close()
            raise
        return cls(
            database,
            info.ledger_id,
            info.lanes,
            clock=clock,
            settings=settings,
            registry=registry,
            ids=ids,
        )

    def context_for(self, caller: Caller | None, request_id: str, language: str) -> LedgerContext:
        """The context of one client request; its loaders remember what they read."""
        now = self._clock.now()
        return LedgerContext(
            caller=caller,
            request_id=request_id,
            language=language,
            now=now,
            settings=self._settings(),
            ledger_id=self._ledger_id,
            database=self.database,
            load=LedgerLoaders(self.database, now),
            registry=self._registry,
            ids=self._ids,
        )

    async def verify(self) -> Report:
        """What the invariants say of the whole book."""
        report = await verify(self.database)
        broken = await self.database.snapshot(first_unbalanced_movement)
        if broken is None:
            return report
        promise = "every movement of a deposit has two sides, which sum to zero"
        finding = Finding("deposits", promise, f"movement {broken}")
        return replace(report, findings=(*report.findings, finding))

    async def announce(self) -> int:
        """Records the notices of points that will expire, as many as are due; how many.

        Raises:
            DatabaseUnavailable: those recorded before stay.
            Overloaded: likewise.
        """
        time_zone = self._settings().time_zone
        return await announce(self.database, self._clock.now(), time_zone=time_zone)

    def delivery_to(
        self, sender: Sender, *, is_ours: Callable[[], Awaitable[bool]] = always_ours
    ) -> Delivery:
        """Delivers what happened in these books to a receiver.

        Args:
            is_ours: whether this process, of several on these books, is the one that delivers.
        """
        return Delivery(self.database, sender, clock=self._clock, is_ours=is_ours)

    async def export(
        self, month: int, how: ExportFormat, write: Write, *, merchant_id: str | None = None
    ) -> None:
        """Writes a period down, or one merchant's part of it; `write` runs in another thread.

        Raises:
            NothingToExport: it has no entries, or none of the merchant.
            DatabaseUnavailable: what was written before is not whole.
        """

        def export(connection: Connection) -> None:
            if merchant_id is None:
                export_period(connection, month, how, write)
            else:
                export_statement(connection, month, merchant_id, how, write)

        await self.database.snapshot(export)

    async def liability(self) -> list[Row]:
        """What became of every issuer's points, as rows of `liability_csv.COLUMNS`."""
        current = month_of(self._clock.now(), self._settings().time_zone)
        cohorts = await self.database.snapshot(read_cohorts)
        return rows_of(cohorts, current_month=current)

    async def close(self) -> None:
        """Finishes what waits, then lets go of the file."""
        try:
            await self.writer.close()
        finally:
            await self.database.close()
