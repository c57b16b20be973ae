"""What the ledger shows of clearing periods: figures, proofs, statements and their entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from ledger.state import ALLIANCE, POOL, SettlementKind


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A clearing period.

    Attributes:
        journal_hash: None until it is closed.
    """

    month: int
    journal_hash: str | None


@dataclass(frozen=True, slots=True)
class PeriodNet:
    """What a period moved, minor units.

    Attributes:
        total: of merchants, alliance and pool; 0 unless a row was tampered with.
    """

    total: int
    alliance: int


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """The pool at a period's begin and end, and the funding of the lots that live at its end."""

    opening: int
    closing: int
    backing: int


@dataclass(frozen=True, slots=True)
class LineRow:
    """One kind of one statement, summed."""

    kind: SettlementKind
    points: int
    amount_minor: int
    entries: int


@dataclass(frozen=True, slots=True)
class LegRow:
    """One settlement leg of one event; `at` in microseconds."""

    seq: int
    leg: int
    at: int
    kind: SettlementKind
    points: int
    amount_minor: int
    order_no: str | None
    origin_month: int | None
    rule_version: int


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One settlement rule, as it is stored."""

    version: int
    rule_id: str
    state: str
    effective_from: int
    issue_price: str
    redeem_price: str
    issue_fee_bps: int
    redeem_fee_bps: int
    breakage_issuer_bps: int


def read_month_span(connection: Connection, *, current_month: int) -> tuple[int, int] | None:
    """The first and the last month that have a period; None before the first entry."""
    first, last = connection.exec_driver_sql(
        "SELECT (SELECT min(month) FROM ledger_tx WHERE lane = 0), "
        "(SELECT max(month) FROM ledger_tx WHERE lane = 0)"
    ).one()
    return None if first is None else (first, max(last, current_month))


def read_periods(connection: Connection, months: Sequence[int]) -> list[PeriodRow]:
    """The periods of these months, in their order."""
    rows = connection.exec_driver_sql(
        "SELECT month, journal_hash FROM period "
        "WHERE lane = 0 AND month IN (SELECT value FROM json_each(?))",
        (orjson.dumps(list(months)).decode(),),
    )
    hash_by_month: dict[int, str] = {row[0]: row[1] for row in rows}
    return [PeriodRow(month, hash_by_month.get(month)) for month in months]


def read_nets(connection: Connection, months: Sequence[int]) -> list[PeriodNet]:
    """What each month moved, in their order."""
    rows = connection.exec_driver_sql(
        "SELECT month, sum(amount), sum(CASE WHEN account = ? THEN amount ELSE 0 END) "
        "FROM position WHERE lane = 0 AND month IN (SELECT value FROM json_each(?)) GROUP BY month",
        (ALLIANCE, orjson.dumps(list(months)).decode()),
    )
    net_by_month = {row[0]: PeriodNet(row[1], row[2]) for row in rows}
    return [net_by_month.get(month, PeriodNet(0, 0)) for month in months]


def read_pools(connection: Connection, months: Sequence[int]) -> list[PoolFigures]:
    """The pool of each month, in their order.

    The pool is summed from settlement entries; the backing from the lots' own movements.
    """
    closed = {
        row[0]: PoolFigures(*row[1:])
        for row in connection.exec_driver_sql(
            "SELECT month, pool_opening, pool_closing, backing FROM period WHERE lane = 0"
        )
    }
    last = max(closed, default=-1)
    pool = _by_month(
        connection,
        "SELECT month, sum(amount) FROM position "
        f"WHERE lane = 0 AND account = '{POOL}' AND month > ? GROUP BY month",
        last,
    )
    backing = _by_month(
        connection,
        "SELECT month, sum(funding) FROM lot_move WHERE lane = 0 AND month > ? GROUP BY month",
        last,
    )
    before = closed[last] if closed else PoolFigures(0, 0, 0)
    return [
        closed.get(month)
        or PoolFigures(
            opening=before.closing + sum(v for m, v in pool.items() if m < month),
            closing=before.closing + sum(v for m, v in pool.items() if m <= month),
            backing=before.backing + sum(v for m, v in backing.items() if m <= month),
        )
        for month in months
    ]


def read_statement_merchants(
    connection: Connection, month: int, *, after: str, limit: int
) -> list[str]:
    """Merchants with entries in a month, by id, behind `after`."""
    rows = connection.exec_driver_sql(
        "SELECT DISTINCT account FROM position "
        "WHERE lane = 0 AND month = ? AND account > ? AND account NOT IN (?, ?) "
        "ORDER BY account LIMIT ?",
        (month, after, ALLIANCE, POOL, limit),
    )
    return [row[0] for row in rows]


def read_statement_months(
    connection: Connection, merchant_id: str, *, before: int, limit: int
) -> list[int]:
    """Months in which a merchant has entries, newest first, older than `before`."""
    rows = connection.exec_driver_sql(
        "SELECT DISTINCT month FROM position "
        "WHERE lane = 0 AND account = ? AND month < ? ORDER BY month DESC LIMIT ?",
        (merchant_id, before, limit),
    )
    return [row[0] for row in rows]


def read_lines(
    connection: Connection, statements: Sequence[tuple[int, str]]
) -> list[list[LineRow]]:
    """The lines of each (month, merchant), in their order; empty when it has no entries."""
    rows = connection.exec_driver_sql(
        "SELECT p.month, p.account, p.kind, p.points, p.amount, p.entries "
        "FROM json_each(?) s CROSS JOIN position p ON p.lane = 0 "
        "AND p.month = s.value ->> 0 AND p.account = s.value ->> 1",
        (orjson.dumps(list(dict.fromkeys(statements))).decode(),),
    )
    lines_by_statement: dict[tuple[int, str], list[LineRow]] = {}
    for month, account, kind, points, amount, entries in rows:
        line = LineRow(SettlementKind(kind), points, amount, entries)
        lines_by_statement.setdefault((month, account), []).append(line)
    order = list(SettlementKind)
    return [
        sorted(lines_by_statement.get(key, []), key=lambda line: order.index(line.kind))
        for key in statements
    ]


def read_legs(
    connection: Connection,
    month: int,
    merchant_id: str,
    *,
    after: tuple[int, int],
    limit: int,
) -> list[LegRow]:
    """What a statement is made of, in the order it was posted, behind `after`."""
    rows = connection.exec_driver_sql(
        "SELECT e.seq, e.leg, t.effective_at, e.kind, e.points, e.amount, e.order_no, "
        "t.origin_month, e.rule_version FROM entry e INDEXED BY entry_statement "
        "JOIN ledger_tx t ON t.lane = e.lane AND t.seq = e.seq "
        "WHERE e.lane = 0 AND e.asset = 'SETTLEMENT' AND e.account = ? AND e.month = ? "
        "AND (e.seq, e.leg) > (?, ?) ORDER BY e.seq, e.leg LIMIT ?",
        (merchant_id, month, *after, limit),
    )
    return [
        LegRow(seq, leg, at, SettlementKind(kind), points, amount, order_no, origin, version)
        for seq, leg, at, kind, points, amount, order_no, origin, version in rows
    ]


def read_rules(connection: Connection, *, before_version: int, limit: int) -> list[RuleRow]:
    """Settlement rules, newest version first, older than `before_version`."""
    rows = connection.exec_driver_sql(
        "SELECT version, rule_id, state, effective_from, issue_price, redeem_price, "
        "issue_fee_bps, redeem_fee_bps, breakage_issuer_bps FROM settlement_rule "
        "WHERE lane = 0 AND version < ? ORDER BY version DESC LIMIT ?",
        (before_version, limit),
    )
    return [RuleRow(*row) for row in rows]


def _by_month(connection: Connection, statement: str, after: int) -> dict[int, int]:
    return {row[0]: row[1] for row in connection.exec_driver_sql(statement, (after,))}
