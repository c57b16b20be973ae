"""What the ledger shows of clearing periods: figures, proofs, statements and their entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.statements import Prepared
from ledger.rules.state import ALLIANCE, LANES, POOL, SettlementKind
from ledger.stores.lanes import lanes_of

_LANES = "lane IN (SELECT lane FROM lane_head)"
_MONTH_SPAN = Prepared(
    "SELECT min((SELECT min(month) FROM ledger_tx t WHERE t.lane = h.lane)), "
    "max((SELECT max(month) FROM ledger_tx t WHERE t.lane = h.lane)) FROM lane_head h"
)
_PERIODS = Prepared(
    "SELECT month, journal_hash FROM period WHERE lane = 0 AND month IN :months", lists=("months",)
)
_PAID = Prepared(
    "SELECT DISTINCT month FROM statement_step WHERE lane = 0 AND state = 'PAID' "
    "AND month IN :months",
    lists=("months",),
)
_UNPAID = Prepared(
    f"SELECT p.month, p.account FROM position p WHERE p.{_LANES} AND p.month IN :months "
    "AND p.account <> :alliance AND p.account <> :pool AND p.account <> :lanes "
    "AND NOT EXISTS (SELECT 1 FROM statement_step s WHERE s.lane = 0 AND s.month = p.month "
    "AND s.merchant_id = p.account AND s.state = 'PAID') "
    "GROUP BY p.month, p.account HAVING sum(p.amount) <> 0",
    lists=("months",),
)
_NETS = Prepared(
    "SELECT month, sum(amount), sum(CASE WHEN account = :alliance THEN amount ELSE 0 END) "
    f"FROM position WHERE {_LANES} AND month IN :months GROUP BY month",
    lists=("months",),
)
_CLOSED_POOLS = Prepared(
    "SELECT month, pool_opening, pool_closing, backing FROM period WHERE lane = 0"
)
_POOL_MOVED = Prepared(
    "SELECT month, sum(amount) FROM position "
    f"WHERE {_LANES} AND account = :pool AND month > :last GROUP BY month"
)
_BACKING_MOVED = Prepared(
    f"SELECT month, sum(funding) FROM lot_move WHERE {_LANES} AND month > :last GROUP BY month"
)
_STATEMENT_MERCHANTS = Prepared(
    f"SELECT DISTINCT account FROM position WHERE {_LANES} AND month = :month "
    "AND account > :after AND account <> :alliance AND account <> :pool AND account <> :lanes "
    "ORDER BY account LIMIT :limit"
)
_STATEMENT_MONTHS = Prepared(
    f"SELECT DISTINCT month FROM position WHERE {_LANES} AND account = :merchant "
    "AND month < :before ORDER BY month DESC LIMIT :limit"
)
_LINES = Prepared(
    "SELECT month, account, kind, sum(points), sum(amount), sum(entries) FROM position "
    f"WHERE {_LANES} AND month IN :months AND account IN :merchants "
    "GROUP BY month, account, kind",
    lists=("months", "merchants"),
)
_LEGS = Prepared(
    "SELECT e.lane, e.seq, e.leg, t.effective_at, e.kind, e.points, e.amount, e.order_no, "
    "t.origin_month, e.rule_version FROM entry e "
    "JOIN ledger_tx t ON t.lane = e.lane AND t.seq = e.seq "
    "WHERE e.lane = :lane AND e.asset = 'SETTLEMENT' AND e.account = :merchant "
    "AND e.month = :month AND (e.seq, e.leg) > (:seq, :leg) ORDER BY e.seq, e.leg LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A clearing period.

    Attributes:
        journal_hash: None until it is closed.
        is_settled: whether every statement that has something to pay was paid.
    """

    month: int
    journal_hash: str | None
    is_settled: bool


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

    lane: int
    seq: int
    leg: int
    at: int
    kind: SettlementKind
    points: int
    amount_minor: int
    order_no: str | None
    origin_month: int | None
    rule_version: int


def read_month_span(connection: Connection, *, current_month: int) -> tuple[int, int] | None:
    """The first and the last month that have a period; None before the first entry."""
    first, last = connection.execute(_MONTH_SPAN).one()
    return None if first is None else (first, max(last, current_month))


def read_periods(connection: Connection, months: Sequence[int]) -> list[PeriodRow]:
    """The periods of these months, in their order."""
    rows = connection.execute(_PERIODS, {"months": list(months)})
    hash_by_month: dict[int, str] = {row[0]: row[1] for row in rows}
    settled = _settled(connection, list(hash_by_month)) if hash_by_month else set()
    return [PeriodRow(month, hash_by_month.get(month), month in settled) for month in months]


def _settled(connection: Connection, closed: list[int]) -> set[int]:
    paid = set(connection.execute(_PAID, {"months": closed}).scalars())
    if not paid:
        return paid
    parties = {"alliance": ALLIANCE, "pool": POOL, "lanes": LANES}
    unpaid = connection.execute(_UNPAID, {"months": sorted(paid), **parties})
    return paid - {row[0] for row in unpaid}


def read_nets(connection: Connection, months: Sequence[int]) -> list[PeriodNet]:
    """What each month moved, in their order."""
    rows = connection.execute(_NETS, {"alliance": ALLIANCE, "months": list(months)})
    net_by_month = {row[0]: PeriodNet(int(row[1]), int(row[2])) for row in rows}
    return [net_by_month.get(month, PeriodNet(0, 0)) for month in months]


def read_pools(connection: Connection, months: Sequence[int]) -> list[PoolFigures]:
    """The pool of each month, in their order.

    The pool is summed from settlement entries; the backing from the lots' own movements.
    """
    closed = {row[0]: PoolFigures(*row[1:]) for row in connection.execute(_CLOSED_POOLS)}
    last = max(closed, default=-1)
    values = {"pool": POOL, "last": last}
    pool = {row[0]: int(row[1]) for row in connection.execute(_POOL_MOVED, values)}
    backing = {row[0]: int(row[1]) for row in connection.execute(_BACKING_MOVED, {"last": last})}
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
    values: dict[str, object] = {"month": month, "after": after, "limit": limit}
    values |= {"alliance": ALLIANCE, "pool": POOL, "lanes": LANES}
    return list(connection.execute(_STATEMENT_MERCHANTS, values).scalars())


def read_statement_months(
    connection: Connection, merchant_id: str, *, before: int, limit: int
) -> list[int]:
    """Months in which a merchant has entries, newest first, older than `before`."""
    values = {"merchant": merchant_id, "before": before, "limit": limit}
    return list(connection.execute(_STATEMENT_MONTHS, values).scalars())


def read_lines(
    connection: Connection, statements: Sequence[tuple[int, str]]
) -> list[list[LineRow]]:
    """The lines of each (month, merchant), in their order; empty when it has no entries."""
    values = {
        "months": list({month for month, _ in statements}),
        "merchants": list({merchant_id for _, merchant_id in statements}),
    }
    lines_by_statement: dict[tuple[int, str], list[LineRow]] = {}
    for month, account, kind, points, amount, entries in connection.execute(_LINES, values):
        line = LineRow(SettlementKind(kind), int(points), int(amount), int(entries))
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
    after: tuple[int, int, int],
    limit: int,
) -> list[LegRow]:
    """What a statement is made of, lane by lane in the order it was posted.

    Args:
        after: (lane, seq, leg) behind which to begin.
    """
    first_lane, seq, leg = after
    legs: list[LegRow] = []
    for lane in range(max(0, first_lane), lanes_of(connection)):
        values = {
            "lane": lane,
            "merchant": merchant_id,
            "month": month,
            "seq": seq if lane == first_lane else 0,
            "leg": leg if lane == first_lane else 0,
            "limit": limit - len(legs),
        }
        for at_lane, at_seq, at_leg, at, kind, *rest in connection.execute(_LEGS, values):
            legs.append(LegRow(at_lane, at_seq, at_leg, at, SettlementKind(kind), *rest))
        if len(legs) == limit:
            break
    return legs
