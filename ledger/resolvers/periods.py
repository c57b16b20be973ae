"""Fills clearing periods, statements and their proofs."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import strawberry

from kernel.callers import CallerKind
from kernel.clock import to_micros
from kernel.graphql import Long, Money
from kernel.pages import After, Connection, First, connection_of, page_args
from ledger.clearing import period_reads
from ledger.clearing.period_reads import LegRow
from ledger.context import LedgerContext, LedgerInfo
from ledger.reports.as_of import AsOf, read_net_as_of
from ledger.resolvers.cursors import text, whole_numbers
from ledger.rules.periods import period_id
from ledger.rules.state import NEVER
from ledger.schema import periods
from ledger.statements.life import disputable_until
from ledger.statements.statements_sql import Life


class HasMonth(Protocol):
    """Something of a clearing period."""

    month: int


class HasMerchant(Protocol):
    """A statement."""

    month: int
    merchant: periods.Merchant


class HasId(Protocol):
    """An entity."""

    id: strawberry.ID


async def merchant_statement(
    merchant: strawberry.Parent[HasId], info: LedgerInfo, period_id: strawberry.ID
) -> periods.SettlementStatement | None:
    """The merchant's statement for one period."""
    info.context.require_account_of(merchant.id)
    month = await info.context.month_of_period(period_id)
    return None if month is None else await _find_statement(info.context, month, merchant.id)


async def merchant_statements(
    merchant: strawberry.Parent[HasId],
    info: LedgerInfo,
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[periods.SettlementStatement] | None:
    """A page of the merchant's statements."""
    info.context.require_account_of(merchant.id)
    page = page_args(first, after or None, key_length=1)
    [before] = whole_numbers(page, (NEVER,))
    months = await info.context.read(
        lambda connection: period_reads.read_statement_months(
            connection, merchant.id, before=before, limit=page.limit
        )
    )
    return connection_of(
        months,
        page,
        key=lambda month: (month,),
        node=lambda month: periods.SettlementStatement.of(month, merchant.id),
    )


async def merchant_net_as_of(
    merchant: strawberry.Parent[HasId],
    info: LedgerInfo,
    at: datetime,
    recorded_by: datetime | None = strawberry.UNSET,
) -> Money | None:
    """The sum of the merchant's legs at an instant, by what the books know now or knew once."""
    context = info.context
    context.require_account_of(merchant.id)
    as_of = AsOf(to_micros(at), to_micros(recorded_by) if recorded_by else None)
    net = await context.read(lambda connection: read_net_as_of(connection, merchant.id, as_of))
    return context.money(net)


async def period_zero_sum(period: strawberry.Parent[HasMonth], info: LedgerInfo) -> bool:
    """Whether the period's money sums to zero."""
    return (await info.context.load.net_by_month.load(period.month)).total == 0


async def period_alliance(period: strawberry.Parent[HasMonth], info: LedgerInfo) -> Money:
    """What the alliance earned in the period."""
    info.context.admin()
    return info.context.money((await info.context.load.net_by_month.load(period.month)).alliance)


async def period_pool(period: strawberry.Parent[HasMonth], info: LedgerInfo) -> periods.PoolProof:
    """The pool before and after the period."""
    info.context.admin()
    pool = await info.context.load.pool_by_month.load(period.month)
    return periods.PoolProof(
        opening=info.context.money(pool.opening),
        closing=info.context.money(pool.closing),
        backing=info.context.money(pool.backing),
        balanced=pool.closing == pool.backing,
    )


async def period_statements(
    period: strawberry.Parent[HasMonth],
    info: LedgerInfo,
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[periods.SettlementStatement]:
    """A page of the period's statements."""
    info.context.admin()
    page = page_args(first, after or None, key_length=1)
    behind = text(page)
    merchant_ids = await info.context.read(
        lambda connection: period_reads.read_statement_merchants(
            connection, period.month, after=behind, limit=page.limit
        )
    )
    return connection_of(
        merchant_ids,
        page,
        key=lambda merchant_id: (merchant_id,),
        node=lambda merchant_id: periods.SettlementStatement.of(period.month, merchant_id),
    )


async def period_statement(
    period: strawberry.Parent[HasMonth], info: LedgerInfo, merchant_id: strawberry.ID
) -> periods.SettlementStatement | None:
    """One merchant's statement."""
    info.context.require_account_of(merchant_id)
    return await _find_statement(info.context, period.month, merchant_id)


async def statement_state(
    statement: strawberry.Parent[HasMerchant], info: LedgerInfo
) -> periods.StatementState:
    """ISSUED once its period is closed, then where its last step led."""
    life = await _life(info, statement)
    return periods.StatementState(life.state.value)


async def statement_disputable_until(
    statement: strawberry.Parent[HasMerchant], info: LedgerInfo
) -> datetime | None:
    """Until when the statement can be disputed."""
    closed_at = (await _life(info, statement)).closed_at
    return None if closed_at is None else disputable_until(info.context.instant(closed_at))


async def statement_steps(
    statement: strawberry.Parent[HasMerchant], info: LedgerInfo
) -> list[periods.StatementStep]:
    """What was done with the statement."""
    return [
        periods.StatementStep(
            state=periods.StatementState(step.state.value),
            at=info.context.instant(step.told_at),
            by_merchant=step.told_by == f"{CallerKind.MERCHANT}:{statement.merchant.id}",
            reason=step.reason,
            adjustment=(
                info.context.money(step.adjustment_minor) if step.adjustment_minor else None
            ),
        )
        for step in (await _life(info, statement)).steps
    ]


async def statement_period(
    statement: strawberry.Parent[HasMonth], info: LedgerInfo
) -> periods.ClearingPeriod:
    """The statement's period."""
    row = await info.context.load.period_by_month.load(statement.month)
    return periods.ClearingPeriod.of(row, time_zone=info.context.settings.time_zone)


async def statement_net(statement: strawberry.Parent[HasMerchant], info: LedgerInfo) -> Money:
    """Sum of the statement's lines."""
    key = statement.month, str(statement.merchant.id)
    lines = await info.context.load.lines_by_statement.load(key)
    return info.context.money(sum(line.amount_minor for line in lines))


async def statement_lines(
    statement: strawberry.Parent[HasMerchant], info: LedgerInfo
) -> list[periods.StatementLine]:
    """One line per kind; one read for all statements of the request."""
    key = statement.month, str(statement.merchant.id)
    lines = await info.context.load.lines_by_statement.load(key)
    return [
        periods.StatementLine(
            kind=line.kind,
            points=Long(line.points),
            amount=info.context.money(line.amount_minor),
            count=Long(line.entries),
        )
        for line in lines
    ]


async def statement_entries(
    statement: strawberry.Parent[HasMerchant],
    info: LedgerInfo,
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[periods.StatementEntry]:
    """A page of the legs that the statement sums."""
    page = page_args(first, after or None, key_length=3)
    lane, seq, leg = whole_numbers(page, (0, 0, 0))
    rows = await info.context.read(
        lambda connection: period_reads.read_legs(
            connection,
            statement.month,
            statement.merchant.id,
            after=(lane, seq, leg),
            limit=page.limit,
        )
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (row.lane, row.seq, row.leg),
        node=lambda row: _leg(info.context, row),
    )


async def _life(info: LedgerInfo, statement: HasMerchant) -> Life:
    return await info.context.load.life_by_statement.load(
        (statement.month, str(statement.merchant.id))
    )


async def _find_statement(
    context: LedgerContext, month: int, merchant_id: str
) -> periods.SettlementStatement | None:
    """The merchant's statement of a month; None when it has no entries."""
    lines = await context.load.lines_by_statement.load((month, merchant_id))
    return periods.SettlementStatement.of(month, merchant_id) if lines else None


def _leg(context: LedgerContext, row: LegRow) -> periods.StatementEntry:
    origin = row.origin_month
    return periods.StatementEntry(
        id=strawberry.ID(context.entry_id("leg", row.lane, row.seq, row.leg)),
        at=context.instant(row.at),
        kind=row.kind,
        points=Long(row.points),
        amount=context.money(row.amount_minor),
        order_no=row.order_no,
        origin_period=None if origin is None else strawberry.ID(period_id(origin)),
        rule_version=row.rule_version,
    )
