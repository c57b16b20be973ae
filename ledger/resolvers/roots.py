"""Answers the ledger's root fields."""

from __future__ import annotations

from typing import Any

import strawberry
from sqlalchemy import Connection as SqlConnection

from kernel.database import Isolation
from kernel.pages import After, Connection, First, connection_of, page_args
from kernel.refusals import NotFound
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestLog
from ledger.booking.entering import Moment
from ledger.booking.expiry import sweep
from ledger.clearing import period_reads
from ledger.clearing.closing import close_month
from ledger.context import LedgerContext, LedgerInfo
from ledger.resolvers.cursors import whole_numbers
from ledger.rules.days import last_micros, month_of
from ledger.rules.state import NEVER
from ledger.schema import periods, roots
from ledger.stores.ports import port_on
from ledger.tables import public_request

_requests = RequestLog(public_request)


async def clearing_periods(
    info: LedgerInfo, first: First = 20, after: After = strawberry.UNSET
) -> Connection[periods.ClearingPeriod] | None:
    """A page of the clearing periods."""
    context = info.context
    context.admin()
    page = page_args(first, after or None, key_length=1)
    [before] = whole_numbers(page, (NEVER,))
    zone = context.settings.time_zone
    current = month_of(context.now, zone)

    def read(connection: SqlConnection) -> list[period_reads.PeriodRow]:
        span = period_reads.read_month_span(connection, current_month=current)
        if span is None:
            return []
        newest = min(span[1], before - 1)
        oldest = max(span[0], newest - page.limit + 1)
        return period_reads.read_periods(connection, range(newest, oldest - 1, -1))

    rows = await context.read(read)
    return connection_of(
        rows,
        page,
        key=lambda row: (row.month,),
        node=lambda row: periods.ClearingPeriod.of(row, time_zone=zone),
    )


async def clearing_period(info: LedgerInfo, id: strawberry.ID) -> periods.ClearingPeriod | None:
    """One clearing period."""
    info.context.admin()
    month = await info.context.month_of_period(id)
    return None if month is None else await _period(info.context, month)


async def close_period(info: LedgerInfo, input: roots.ClosePeriodInput) -> roots.PeriodClosed:
    """Closes a clearing period.

    Raises:
        InvalidInput: the request id is empty or too long.
        NotFound: there is no such period.
        PeriodNotClosable: it is closed already, too young, or an older one is open.
        RequestIdReused: the request id was used with another period.
    """
    context = info.context
    caller = context.admin()
    key = request_key(caller, "closePeriod", input)
    month = await context.month_of_period(input.period_id)
    moment = Moment(context.now, context.settings)

    def close(connection: SqlConnection) -> dict[str, Any]:
        if month is None:
            raise NotFound(input.period_id)
        close_month(connection, month, moment=moment)
        return {"month": month}

    if month is not None:
        until = min(moment.micros, last_micros(month, context.settings.time_zone))
        await sweep(context.database, moment, until=until)

    def close_once(connection: SqlConnection) -> Answer:
        # Locked before the answer is looked for: of two with one id, the second finds the first's.
        port_on(connection, 0).lock()
        return _requests.answer_once(
            connection, key, now=context.now, work=lambda: close(connection)
        )

    answer = await context.database.transaction(close_once, isolation=Isolation.READ_COMMITTED)
    closed_month: int = answer.success()["month"]
    [row] = await context.read(
        lambda connection: period_reads.read_periods(connection, [closed_month])
    )
    context.load.period_by_month.prime(closed_month, row, force=True)
    return roots.PeriodClosed(replayed=answer.replayed, period=await _period(context, closed_month))


async def _period(context: LedgerContext, month: int) -> periods.ClearingPeriod:
    row = await context.load.period_by_month.load(month)
    return periods.ClearingPeriod.of(row, time_zone=context.settings.time_zone)
