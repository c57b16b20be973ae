"""Closes a clearing period: proves it, hashes its journal, freezes it. One transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from ledger.days import last_micros
from ledger.entering import Moment
from ledger.expiry import sweep_chunk
from ledger.period_reads import read_nets, read_pools
from ledger.periods import journal_hash, refuse_unless_closable
from ledger.sqlite import Cursor

_JOURNAL = """
SELECT json_array(
  t.seq, t.kind, t.card_id, t.merchant_id, t.order_no, t.effective_at, t.created_at,
  t.origin_month, t.reason, e.leg, e.account, e.asset, e.kind, e.amount, e.points,
  e.rule_version, e.order_no)
FROM ledger_tx t JOIN entry e ON e.lane = t.lane AND e.seq = t.seq
WHERE t.lane = 0 AND t.month = ? ORDER BY t.seq, e.leg
"""
_UNBALANCED = """
SELECT e.seq, e.asset FROM ledger_tx t JOIN entry e ON e.lane = t.lane AND e.seq = t.seq
WHERE t.lane = 0 AND t.month = ? GROUP BY e.seq, e.asset HAVING sum(e.amount) <> 0 LIMIT 1
"""


class BooksDoNotBalance(AssertionError):
    """A period's proof failed; it stays open."""


def close_month(connection: Connection, month: int, *, moment: Moment) -> None:
    """Closes a month, and with it older months that have no entries.

    What expired in it is posted first; the caller has swept, so that little is left to do here.

    Raises:
        PeriodNotClosable: it is closed, has not ended for 24 h, or an older one is open.
        BooksDoNotBalance: a proof failed; only tampering or a bug can cause it.

    Source: docs/rules/periods.md, rules 2, 3, 5, 6 and 8.
    """
    time_zone = moment.settings.time_zone
    until = min(moment.micros, last_micros(month, time_zone))
    while sweep_chunk(connection, moment, until=until):
        pass
    closed_month = connection.exec_driver_sql(
        "SELECT max(month) FROM period WHERE lane = 0"
    ).scalar_one()
    since = -1 if closed_month is None else closed_month
    open_months = [
        row[0]
        for row in connection.exec_driver_sql(
            "SELECT DISTINCT month FROM ledger_tx WHERE lane = 0 AND month > ? AND month < ?",
            (since, month),
        )
    ]
    refuse_unless_closable(
        month,
        closed_month=closed_month,
        older_months=open_months,
        time_zone=time_zone,
        now=moment.now,
    )
    first = month if closed_month is None else closed_month + 1
    for each in range(first, month + 1):
        _freeze(connection, each, moment.micros)


def first_changed_month(connection: Connection) -> int | None:
    """The first closed month whose journal is not what was hashed; None when all are."""
    closed = connection.exec_driver_sql(
        "SELECT month, journal_hash FROM period WHERE lane = 0 ORDER BY month"
    ).all()
    for month, digest in closed:
        if _journal_hash_of(connection, month) != digest:
            return int(month)
    return None


def _journal_hash_of(connection: Connection, month: int) -> str:
    return journal_hash(line for (line,) in Cursor(connection).step(_JOURNAL, (month,)))


def _freeze(connection: Connection, month: int, now: int) -> None:
    unbalanced = connection.exec_driver_sql(_UNBALANCED, (month,)).one_or_none()
    if unbalanced is not None:
        raise BooksDoNotBalance(f"transaction {unbalanced[0]} in {unbalanced[1]}")
    [net] = read_nets(connection, [month])
    if net.total != 0:
        raise BooksDoNotBalance(f"positions of month {month} sum to {net.total}")
    [pool] = read_pools(connection, [month])
    if pool.closing != pool.backing:
        raise BooksDoNotBalance(f"pool {pool.closing} backs lots of {pool.backing}")
    digest = _journal_hash_of(connection, month)
    connection.exec_driver_sql(
        "INSERT INTO period VALUES (0, ?, ?, ?, ?, ?, ?, ?)",
        (month, now, digest, pool.opening, pool.closing, pool.backing, net.alliance),
    )
    connection.exec_driver_sql("UPDATE lane_head SET closed_month = ?", (month,))
