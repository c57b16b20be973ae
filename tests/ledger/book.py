"""A ledger in a file, with short ways to make events happen on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute, parse

from kernel.callers import Caller, CallerKind
from kernel.clock import SetClock, to_micros
from kernel.ids import SeededIds
from ledger.contract import (
    ApplyRefund,
    CaptureOrder,
    CardStanding,
    CoinsReceipt,
    CouponRedemption,
    DebtPolicy,
    FundsHeld,
    FundsReleased,
    GrantCoins,
    HoldFunds,
    LedgerSettings,
    OrderReceipt,
    RefundReceipt,
    ReleaseFunds,
)
from ledger.proofs.verify import Report
from ledger.rules.state import RuleTerms
from ledger.settlement_rules.rules_sql import insert_rule
from ledger.stores.ports import cursor_on
from ledger.subgraph import LedgerSubgraph

MARCH = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
ADMIN = Caller(CallerKind.ADMIN, "root")


def member(card: str) -> Caller:
    return Caller(CallerKind.MEMBER, f"mem-{card}", card_id=card)


def merchant(name: str) -> Caller:
    return Caller(CallerKind.MERCHANT, name)


async def execute_async(
    schema: GraphQLSchema, document: DocumentNode, **how: Any
) -> ExecutionResult:
    answer = execute(schema, document, **how)
    return await answer if isawaitable(answer) else answer


class Town:
    """Cards m1, m2, …; merchants A, B, …

    Attributes:
        held_until: of merchants that leave, until when their deposits stay.
    """

    def __init__(self) -> None:
        self.held_until: dict[str, datetime] = {}

    async def has_card(self, card_id: str) -> bool:
        return card_id.startswith("m")

    async def has_merchant(self, merchant_id: str) -> bool:
        return merchant_id in "ABC"

    async def may_fund_grants(self, merchant_id: str) -> bool:
        return merchant_id not in self.held_until

    async def deposit_held_until(self, merchant_id: str) -> datetime | None:
        return self.held_until.get(merchant_id)


class Books:
    """A ledger under a clock that the test sets."""

    def __init__(
        self, subgraph: LedgerSubgraph, path: str | Path, clock: SetClock, town: Town
    ) -> None:
        self.subgraph = subgraph
        self.path = path
        self.clock = clock
        self.settings = LedgerSettings()
        self.town = town
        self.ledger = subgraph.ledger
        self._merchant_of_order: dict[str, tuple[str, str | None]] = {}

    @classmethod
    async def open(
        cls, path: str | Path, rule: RuleTerms | None = None, *, lanes: int = 1
    ) -> Books:
        clock = SetClock(MARCH)
        opened: list[Books] = []
        town = Town()
        subgraph = await LedgerSubgraph.open(
            path,
            clock=clock,
            ids=SeededIds("books"),
            settings=lambda: opened[0].settings,
            registry=town,
            initial_rule=rule,
            lanes=lanes,
        )
        opened.append(cls(subgraph, path, clock, town))
        return opened[0]

    async def close(self) -> None:
        await self.subgraph.close()

    async def verify(self) -> Report:
        return await self.subgraph.verify()

    async def ask(
        self, document: str, caller: Caller | None = ADMIN, **variables: object
    ) -> ExecutionResult:
        """The answer of the subgraph, as its executor gives it."""
        return await execute_async(
            self.subgraph.schema.executable,
            parse(document),
            context_value=self.subgraph.context_for(caller, "request", "en"),
            variable_values=variables,
        )

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def owe_by(self, policy: DebtPolicy) -> None:
        self.settings = replace(self.settings, debt_policy=policy)

    def forget_orders(self) -> None:
        """Lets go of whose orders were booked, which refunds ask for: a long load needs none."""
        self._merchant_of_order.clear()

    async def hold(
        self, attempt: str, card: str, points: int, *, coins: int = 0, merchant: str = "A"
    ) -> FundsHeld:
        return await self.ledger.hold(HoldFunds(attempt, card, merchant, points, coins, self.now))

    async def release(self, attempt: str, card: str) -> FundsReleased:
        return await self.ledger.release(ReleaseFunds(attempt, card, self.now))

    async def order(
        self,
        order_id: str,
        merchant: str,
        card: str | None,
        *,
        earned: int = 0,
        spent: int = 0,
        coins: int = 0,
        attempt: str | None = None,
        at: datetime | None = None,
        active_in: timedelta = timedelta(0),
        expires_in: timedelta | None = YEAR,
        coupons: tuple[CouponRedemption, ...] = (),
    ) -> OrderReceipt:
        self._merchant_of_order[order_id] = merchant, card
        at = at or self.now
        return await self.ledger.capture_order(
            CaptureOrder(
                order_id=order_id,
                order_no=f"no-{order_id}",
                merchant_id=merchant,
                card_id=card,
                attempt_id=attempt,
                points_spent=spent,
                coins_spent_minor=coins,
                points_earned=earned,
                at=at,
                active_at=at + active_in,
                expires_at=None if expires_in is None else at + expires_in,
                redemptions=coupons,
            )
        )

    def refund_of(
        self,
        order_id: str,
        refund_no: str,
        *,
        kept: int,
        points: int = 0,
        coins: int = 0,
        at: datetime | None = None,
        coupons: tuple[CouponRedemption, ...] = (),
    ) -> ApplyRefund:
        merchant, card = self._merchant_of_order.get(order_id, ("A", None))
        return ApplyRefund(
            order_id=order_id,
            refund_no=refund_no,
            merchant_id=merchant,
            card_id=card,
            points_returned=points,
            coins_returned_minor=coins,
            points_kept=kept,
            at=at or self.now,
            redemptions_returned=coupons,
        )

    async def refund(self, order_id: str, refund_no: str, **facts: object) -> RefundReceipt:
        return await self.ledger.apply_refund(self.refund_of(order_id, refund_no, **facts))

    async def grant(
        self,
        key: str,
        card: str,
        amount: int,
        *,
        funder: str | None = None,
        expires_in: timedelta | None = None,
    ) -> CoinsReceipt:
        expires_at = None if expires_in is None else self.now + expires_in
        return await self.ledger.grant_coins(
            GrantCoins(key, card, funder, amount, "thanks", self.now, expires_at)
        )

    async def sweep(self) -> int:
        return await self.subgraph.expiry.run_once()

    async def set_rule(self, terms: RuleTerms) -> None:
        """Lets these terms be in force from now on."""
        await self.subgraph.context_for(None, "", "").database.transaction(
            lambda connection: insert_rule(
                connection,
                f"rule-{terms}-{self.now}",
                terms,
                effective_from=to_micros(self.now),
                proposed_by="",
                accepts_top_up=True,
                is_approved=True,
            )
        )

    async def standing(self, card: str) -> CardStanding:
        [standing] = await self.ledger.balances([card], now=self.now)
        return standing

    async def positions(self) -> dict[str, int]:
        """Net of each party over every period, those at 0 left out."""
        return dict(
            await self.rows(
                "SELECT account, sum(amount) FROM position GROUP BY 1 HAVING sum(amount) <> 0"
            )
        )

    async def pool_backing(self) -> int:
        [(backing,)] = await self.rows("SELECT coalesce(sum(residual), 0) FROM lot")
        return backing

    async def rows(self, statement: str, *values: object) -> list[tuple]:
        return await self.subgraph.context_for(None, "", "").read(
            lambda connection: cursor_on(connection).all(statement, values)
        )

    async def rows_written(self, statement: str) -> None:
        """Runs a statement behind the ledger's back."""
        await self.subgraph.context_for(None, "", "").database.transaction(
            lambda connection: connection.exec_driver_sql(statement)
        )
