"""Reads batched for one client request: all cards, periods or statements in one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection
from strawberry.dataloader import DataLoader

from kernel.clock import to_micros
from kernel.database import Database
from ledger import reads
from ledger.clearing import period_reads
from ledger.clearing.period_reads import LineRow, PeriodNet, PeriodRow, PoolFigures
from ledger.contract import CardStanding
from ledger.reports.liability import Cohort, read_cohorts
from ledger.rules.state import RuleTerms
from ledger.settlement_rules import rules_sql
from ledger.settlement_rules.proposals import shortfall, warnings_of
from ledger.statements.statements_sql import Life, read_lives

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class LedgerLoaders:
    """The loaders of one client request.

    Attributes:
        expiring_by_card: key (card id, last instant in microseconds).
        lines_by_statement, life_by_statement: key (month, merchant id).
        warnings_by_terms: what an approver of a rule of these terms should know.
    """

    def __init__(self, database: Database, now: datetime) -> None:
        micros = to_micros(now)

        def expiring(
            connection: Connection, keys: Sequence[tuple[str, int]]
        ) -> list[list[tuple[int, int]]]:
            found: dict[tuple[str, int], list[tuple[int, int]]] = {}
            for until in {until for _, until in keys}:
                cards = [card_id for card_id, last in keys if last == until]
                rows = reads.read_expiring(connection, cards, now=micros, until=until)
                found |= {(card, until): row for card, row in zip(cards, rows, strict=True)}
            return [found[key] for key in keys]

        def warnings(connection: Connection, keys: Sequence[RuleTerms]) -> list[list[str]]:
            lots = rules_sql.read_live_lots(connection, now=micros)
            waiting = rules_sql.read_waiting(connection, now=micros)
            return [
                warnings_of(
                    terms, shortfall_minor=shortfall(lots, terms.redeem_price), waiting=waiting
                )
                for terms in keys
            ]

        self.standing_by_card: DataLoader[str, CardStanding] = _loader(
            database, lambda connection, keys: reads.read_standings(connection, keys, now=micros)
        )
        self.expiring_by_card: DataLoader[tuple[str, int], list[tuple[int, int]]] = _loader(
            database, expiring
        )
        self.period_by_month: DataLoader[int, PeriodRow] = _loader(
            database, period_reads.read_periods
        )
        self.net_by_month: DataLoader[int, PeriodNet] = _loader(database, period_reads.read_nets)
        self.pool_by_month: DataLoader[int, PoolFigures] = _loader(
            database, period_reads.read_pools
        )
        self.cohorts_by_issuer: DataLoader[str, list[Cohort]] = _loader(database, _cohorts)
        self.lines_by_statement: DataLoader[tuple[int, str], list[LineRow]] = _loader(
            database, period_reads.read_lines
        )
        self.life_by_statement: DataLoader[tuple[int, str], Life] = _loader(database, read_lives)
        self.warnings_by_terms: DataLoader[RuleTerms, list[str]] = _loader(database, warnings)


def _cohorts(connection: Connection, issuers: Sequence[str]) -> list[list[Cohort]]:
    by_issuer: dict[str, list[Cohort]] = {}
    for cohort in read_cohorts(connection):
        by_issuer.setdefault(cohort.issuer_id, []).append(cohort)
    return [by_issuer.get(issuer, []) for issuer in issuers]


def _loader(
    database: Database, read: Callable[[Connection, Sequence[KeyT]], list[ValueT]]
) -> DataLoader[KeyT, ValueT]:
    async def load(keys: list[KeyT]) -> list[ValueT]:
        return await database.snapshot(lambda connection: read(connection, keys))

    return DataLoader(load_fn=load)
