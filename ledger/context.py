"""What the resolvers of one client request share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar

import strawberry
from sqlalchemy import Connection

from kernel.callers import Caller, CallerKind
from kernel.clock import from_micros
from kernel.database import Database
from kernel.graphql import Forbidden, Money
from kernel.ids import IdSource
from ledger.clearing.period_reads import read_month_span
from ledger.contract import LedgerSettings
from ledger.loaders import LedgerLoaders
from ledger.registry import Registry
from ledger.rules.days import month_of
from ledger.rules.periods import entry_id, period_id

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class LedgerContext:
    """One client request.

    Attributes:
        caller: None for an anonymous one, who sees nothing.
        now: the instant that the whole request is answered for.
        ledger_id: names this ledger in the ids of its entries.
        registry: knows which cards and merchants there are.
    """

    caller: Caller | None
    request_id: str
    language: str
    now: datetime
    settings: LedgerSettings
    ledger_id: str
    database: Database
    load: LedgerLoaders
    registry: Registry
    ids: IdSource

    async def read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """What `work` reads."""
        return await self.database.snapshot(work)

    async def month_of_period(self, wanted_id: str) -> int | None:
        """The month whose period has this id; None when there is none."""
        current = month_of(self.now, self.settings.time_zone)
        span = await self.read(
            lambda connection: read_month_span(connection, current_month=current)
        )
        months = range(0) if span is None else range(span[1], span[0] - 1, -1)
        return next((month for month in months if period_id(month) == wanted_id), None)

    def money(self, amount_minor: int) -> Money:
        """An amount in the alliance's currency."""
        return Money.of(amount_minor, self.settings.currency)

    def entry_id(self, prefix: str, lane: int, seq: int, leg: int) -> str:
        """The id of an entry: the same whenever it is read."""
        return entry_id(prefix, self.ledger_id, lane, seq, leg)

    def instant(self, micros: int) -> datetime:
        """An instant from the tables."""
        return from_micros(micros)

    def admin(self) -> Caller:
        """The caller, who is an admin.

        Raises:
            Forbidden: the caller is none.
        """
        if self.caller is None or not self.caller.is_admin:
            raise Forbidden
        return self.caller

    def require_standing_of(self, card_id: str) -> None:
        """Lets pass a card's own member, any merchant, and admins.

        Raises:
            Forbidden: the caller is another member, or no one.
        """
        caller = self.caller
        if caller is None or (caller.card_id != card_id and caller.kind is CallerKind.MEMBER):
            raise Forbidden

    def require_history_of(self, card_id: str) -> None:
        """Lets pass a card's own member, and admins.

        Raises:
            Forbidden: the caller is a merchant, another member, or no one.
        """
        caller = self.caller
        if caller is None or not (caller.is_admin or caller.card_id == card_id):
            raise Forbidden

    def require_account_of(self, merchant_id: str) -> None:
        """Lets pass that merchant, and admins.

        Raises:
            Forbidden: the caller is neither.
        """
        if self.caller is None or not self.caller.may_act_for(merchant_id):
            raise Forbidden


LedgerInfo: TypeAlias = strawberry.Info[LedgerContext, None]
