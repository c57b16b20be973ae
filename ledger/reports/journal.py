"""A period as rows and figures, as `ledger.reports.export` writes it down.

Source: docs/rules/export.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, case, func, select

from kernel.clock import from_micros
from kernel.graphql import format_datetime
from ledger.clearing.period_reads import read_pools
from ledger.reports.months import label_of
from ledger.rules.periods import entry_id
from ledger.stores.every_lane import MONEY, in_every_lane
from ledger.tables import entry, ledger_info, ledger_tx, period, position

JOURNAL_COLUMNS = (
    "seq", "tx_kind", "card_id", "merchant_id", "tx_order_no", "effective_at", "posted_at",
    "origin_month", "reason", "leg", "account", "asset", "kind", "amount", "points",
    "rule_version", "order_no",
)  # fmt: skip
"""What each value of a journal line is, as docs/rules/periods.md, rule 6, lists them."""

STATEMENT_COLUMNS = (
    "id", "effective_at", "posted_at", "kind", "amount", "points", "rule_version", "order_no",
    "origin_period",
)  # fmt: skip
"""What each value of a merchant's line is."""

_CHUNK = 1_000
_STREAMED = {"stream_results": True, "yield_per": _CHUNK}
_TX_OF_ENTRY = (entry.c.lane == ledger_tx.c.lane) & (entry.c.seq == ledger_tx.c.seq)


def read_journal_header(connection: Connection, month: int) -> dict[str, Any]:
    """What stands before a period's journal: names, proofs, and the sums that it must give.

    Of a closed period, always the same.
    """
    closed = connection.execute(
        select(period).where(in_every_lane(period), period.c.month == month)
    ).one_or_none()
    [pool] = read_pools(connection, [month])
    return {
        "format": "alliance-journal/1",
        **_names(connection, month),
        "state": "OPEN" if closed is None else "CLOSED",
        "closedAt": None if closed is None else format_datetime(from_micros(closed.closed_at)),
        "journalHash": None if closed is None else closed.journal_hash,
        "transactions": _transactions(connection, month),
        "totals": _totals(connection, month),
        "nets": _nets(connection, month),
        "pool": {"opening": pool.opening, "closing": pool.closing, "backing": pool.backing},
        "columns": JOURNAL_COLUMNS,
    }


def read_journal(connection: Connection, month: int) -> Iterator[tuple[Any, ...]]:
    """Every entry of a period with its transaction, in posting order, read as it is asked for."""
    tx = ledger_tx.c
    statement = (
        select(
            tx.seq, tx.kind, tx.card_id, tx.merchant_id, tx.order_no, tx.effective_at,
            tx.created_at, tx.origin_month, tx.reason, entry.c.leg, entry.c.account,
            entry.c.asset, entry.c.kind, entry.c.amount, entry.c.points, entry.c.rule_version,
            entry.c.order_no,
        )
        .join_from(ledger_tx, entry, _TX_OF_ENTRY)
        .where(in_every_lane(ledger_tx), tx.month == month)
        .order_by(tx.lane, tx.seq, entry.c.leg)
    )  # fmt: skip
    for row in connection.execute(statement, execution_options=_STREAMED):
        yield tuple(row)


def read_statement_header(
    connection: Connection, month: int, merchant_id: str
) -> dict[str, Any] | None:
    """What stands before one merchant's part of a period; None when it has no entries."""
    statement = select(
        func.count(), func.coalesce(func.sum(entry.c.amount), 0), func.sum(entry.c.points)
    ).where(*_is_of(month, merchant_id))
    entries, net, points = connection.execute(statement).one()
    if entries == 0:
        return None
    closed = connection.execute(
        select(period).where(in_every_lane(period), period.c.month == month)
    ).one_or_none()
    return {
        "format": "alliance-statement/1",
        **_names(connection, month),
        "merchantId": merchant_id,
        "state": "OPEN" if closed is None else "CLOSED",
        "journalHash": None if closed is None else closed.journal_hash,
        "totals": {"entries": entries, "sum": int(net), "points": int(points)},
        "columns": STATEMENT_COLUMNS,
    }


def read_statement(
    connection: Connection, month: int, merchant_id: str
) -> Iterator[tuple[Any, ...]]:
    """Every settlement leg of one merchant in a period, read as it is asked for."""
    ledger_id = connection.execute(select(ledger_info.c.ledger_id)).scalar_one()
    tx = ledger_tx.c
    statement = (
        select(
            entry.c.lane, entry.c.seq, entry.c.leg, tx.effective_at, tx.created_at, entry.c.kind,
            entry.c.amount, entry.c.points, entry.c.rule_version, entry.c.order_no,
            tx.origin_month,
        )
        .join_from(ledger_tx, entry, _TX_OF_ENTRY)
        .where(*_is_of(month, merchant_id))
        .order_by(entry.c.lane, entry.c.seq, entry.c.leg)
    )  # fmt: skip
    rows = connection.execute(statement, execution_options=_STREAMED)
    for lane, seq, leg, *values, origin in rows:
        leg_id = entry_id("leg", ledger_id, lane, seq, leg)
        yield (leg_id, *values, None if origin is None else label_of(origin))


def _is_of(month: int, merchant_id: str) -> tuple[Any, ...]:
    columns = entry.c
    is_theirs = columns.account == merchant_id, columns.month == month
    return in_every_lane(entry), columns.asset == MONEY, *is_theirs


def _names(connection: Connection, month: int) -> dict[str, Any]:
    ledger_id = connection.execute(select(ledger_info.c.ledger_id)).scalar_one()
    return {"ledgerId": ledger_id, "period": label_of(month)}


def _transactions(connection: Connection, month: int) -> int:
    statement = (
        select(func.count())
        .select_from(ledger_tx)
        .where(in_every_lane(ledger_tx), ledger_tx.c.month == month)
    )
    return int(connection.execute(statement).scalar_one())


def _totals(connection: Connection, month: int) -> dict[str, dict[str, int]]:
    """Of each asset: entries, their sum, and the sum of those above 0."""
    raised = case((entry.c.amount > 0, entry.c.amount), else_=0)
    statement = (
        select(entry.c.asset, func.count(), func.sum(entry.c.amount), func.sum(raised))
        .join_from(ledger_tx, entry, _TX_OF_ENTRY)
        .where(in_every_lane(ledger_tx), ledger_tx.c.month == month)
        .group_by(entry.c.asset)
        .order_by(entry.c.asset)
    )
    return {
        asset: {"entries": entries, "sum": int(total), "moved": int(moved)}
        for asset, entries, total, moved in connection.execute(statement)
    }


def _nets(connection: Connection, month: int) -> dict[str, int]:
    """The net of every party of the period, by its name."""
    statement = (
        select(position.c.account, func.sum(position.c.amount))
        .where(in_every_lane(position), position.c.month == month)
        .group_by(position.c.account)
        .order_by(position.c.account)
    )
    return {account: int(net) for account, net in connection.execute(statement)}
