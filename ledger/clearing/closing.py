"""Closes a clearing period: proves it, hashes its journal, freezes it. One transaction."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, insert

from kernel.statements import Prepared
from ledger.booking.entering import Moment
from ledger.booking.expiry import sweep_chunk
from ledger.clearing.period_reads import read_nets, read_pools
from ledger.rules.days import last_micros
from ledger.rules.periods import journal_hash, refuse_unless_closable
from ledger.stores.lanes import lanes_of
from ledger.stores.ports import cursor_on, port_on
from ledger.tables import period

_JOURNAL_COLUMNS = """
t.seq, t.kind, t.card_id, t.merchant_id, t.order_no, t.effective_at, t.created_at,
t.origin_month, t.reason, e.leg, e.account, e.asset, e.kind, e.amount, e.points,
e.rule_version, e.order_no
"""
_JOURNAL_ROWS = """
FROM ledger_tx t JOIN entry e ON e.lane = t.lane AND e.seq = t.seq
WHERE t.lane = ? AND t.month = ? ORDER BY t.seq, e.leg
"""
_UNBALANCED = """
SELECT e.seq, e.asset FROM ledger_tx t JOIN entry e ON e.lane = t.lane AND e.seq = t.seq
WHERE t.lane = ? AND t.month = ? GROUP BY e.seq, e.asset HAVING sum(e.amount) <> 0
ORDER BY e.seq, e.asset LIMIT 1
"""
_OPEN_MONTHS = Prepared(
    "SELECT DISTINCT month FROM ledger_tx WHERE lane IN (SELECT lane FROM lane_head) "
    "AND month > :since AND month < :month"
)
_CLOSED = Prepared("SELECT month, journal_hash FROM period WHERE lane = 0 ORDER BY month")
_CLOSED_MONTH = Prepared("SELECT max(month) FROM period WHERE lane = 0")
_NEWEST_BOOKING = Prepared("SELECT max(last_created_at) FROM lane_head")
_CLOSE = Prepared("UPDATE lane_head SET closed_month = :month")
_KEEP = Prepared(insert(period))


class BooksDoNotBalance(AssertionError):
    """A period's proof failed; it stays open."""


def close_month(connection: Connection, month: int, *, moment: Moment) -> None:
    """Closes a month, and with it older months that have no entries.

    What expired in it is posted first; the caller has swept, so that little is left to do here.
    Every lane is locked and closed before anything is hashed.

    Raises:
        PeriodNotClosable: it is closed, has not ended for 24 h, or an older one is open.
        BooksDoNotBalance: a proof failed; only tampering or a bug can cause it.

    Source: docs/rules/periods.md, rules 2, 3, 5, 6 and 8.
    """
    time_zone = moment.settings.time_zone
    until = min(moment.micros, last_micros(month, time_zone))
    lanes = range(lanes_of(connection))
    for lane in lanes:
        port_on(connection, lane).lock()
    for lane in lanes:
        while sweep_chunk(connection, moment, until=until, lane=lane):
            pass
    closed_month = connection.execute(_CLOSED_MONTH).scalar_one()
    since = -1 if closed_month is None else closed_month
    values = {"since": since, "month": month}
    open_months = connection.execute(_OPEN_MONTHS, values).scalars()
    refuse_unless_closable(
        month,
        closed_month=closed_month,
        older_months=open_months,
        time_zone=time_zone,
        now=moment.now,
    )
    connection.execute(_CLOSE, {"month": month})
    # Others booked while the lanes were waited for, and by clocks of their own.
    closed_at = max(moment.micros, connection.execute(_NEWEST_BOOKING).scalar_one())
    first = month if closed_month is None else closed_month + 1
    for each in range(first, month + 1):
        _freeze(connection, each, closed_at)


def first_changed_month(connection: Connection) -> int | None:
    """The first closed month whose journal is not what was hashed; None when all are."""
    for month, digest in connection.execute(_CLOSED):
        if _journal_hash_of(connection, month) != digest:
            return int(month)
    return None


def _journal_hash_of(connection: Connection, month: int) -> str:
    return journal_hash(_journal(connection, month))


def _journal(connection: Connection, month: int) -> Iterator[bytes]:
    cursor = cursor_on(connection)
    for lane in range(lanes_of(connection)):
        yield from cursor.json_lines(_JOURNAL_COLUMNS, _JOURNAL_ROWS, (lane, month))


def _freeze(connection: Connection, month: int, now: int) -> None:
    cursor = cursor_on(connection)
    for lane in range(lanes_of(connection)):
        unbalanced = cursor.first(_UNBALANCED, (lane, month))
        if unbalanced is not None:
            raise BooksDoNotBalance(f"transaction {unbalanced[0]} in {unbalanced[1]}")
    [net] = read_nets(connection, [month])
    if net.total != 0:
        raise BooksDoNotBalance(f"positions of month {month} sum to {net.total}")
    [pool] = read_pools(connection, [month])
    if pool.closing != pool.backing:
        raise BooksDoNotBalance(f"pool {pool.closing} backs lots of {pool.backing}")
    connection.execute(
        _KEEP,
        {
            "lane": 0,
            "month": month,
            "closed_at": now,
            "journal_hash": _journal_hash_of(connection, month),
            "pool_opening": pool.opening,
            "pool_closing": pool.closing,
            "backing": pool.backing,
            "alliance": net.alliance,
        },
    )
