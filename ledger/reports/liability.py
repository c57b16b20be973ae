"""What became of each issuer's points, by the month in which they were issued.

The figures that an issuer's accounts need (IFRS 15, B39 to B47); the policy is its own.

Source: docs/rules/liability.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.statements import Prepared
from kernel.units import WHOLE_BP, half_up

_FIRST = """
first_move AS (
  SELECT lane, lot_id, min(seq) AS seq FROM lot_move GROUP BY lane, lot_id
),
issue AS (
  SELECT f.lane, f.lot_id, l.issuer_id, l.expires_at, l.remaining, l.residual,
    coalesce(t.origin_month, t.month) AS cohort
  FROM lot l
  JOIN first_move f ON f.lane = l.lane AND f.lot_id = l.id
  JOIN ledger_tx t ON t.lane = f.lane AND t.seq = f.seq
  WHERE l.asset = 'POINTS'
)
"""
_FLOWS = Prepared(f"""
WITH {_FIRST},
burned AS (
  SELECT b.lane, r.tx_seq AS seq, b.lot_id, o.merchant_id, sum(b.amount) AS units
  FROM burn b
  JOIN ledger_request r ON r.lane = b.lane AND r.operation = 'order' AND r.idem_key = b.order_id
  JOIN order_state o ON o.lane = b.lane AND o.order_id = b.order_id
  WHERE b.asset = 'POINTS'
  GROUP BY b.lane, r.tx_seq, b.lot_id, o.merchant_id
),
moved AS (
  SELECT lane, seq, lot_id,
    sum(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS came,
    sum(CASE WHEN amount < 0 THEN -amount ELSE 0 END) AS went
  FROM lot_move GROUP BY lane, seq, lot_id
)
SELECT i.issuer_id, i.cohort,
  sum(CASE WHEN t.kind <> 'REFUND' THEN m.came ELSE 0 END) AS issued,
  sum(CASE WHEN t.kind = 'REFUND' THEN m.came ELSE 0 END) AS returned,
  sum(CASE WHEN b.merchant_id = i.issuer_id THEN b.units ELSE 0 END) AS redeemed_here,
  sum(CASE WHEN b.merchant_id <> i.issuer_id THEN b.units ELSE 0 END) AS redeemed_elsewhere,
  sum(CASE WHEN i.expires_at <= t.created_at THEN m.went - coalesce(b.units, 0) ELSE 0 END)
    AS expired,
  sum(CASE WHEN i.expires_at > t.created_at THEN m.went - coalesce(b.units, 0) ELSE 0 END)
    AS taken_back
FROM moved m
JOIN issue i ON i.lane = m.lane AND i.lot_id = m.lot_id
JOIN ledger_tx t ON t.lane = m.lane AND t.seq = m.seq
LEFT JOIN burned b ON b.lane = m.lane AND b.seq = m.seq AND b.lot_id = m.lot_id
GROUP BY i.issuer_id, i.cohort
ORDER BY i.issuer_id, i.cohort
""")
_LIVE = Prepared(f"""
WITH {_FIRST}
SELECT issuer_id, cohort, sum(remaining) AS points, sum(residual) AS funding
FROM issue GROUP BY issuer_id, cohort
""")


@dataclass(frozen=True, slots=True)
class Cohort:
    """The points that one issuer issued in one month; each figure is ≥ 0.

    `issued + returned` is the sum of the figures behind it, but for the funding.

    Attributes:
        month: counted as year · 12 + month − 1.
        issued: by sales.
        returned: spent points that refunds gave back; in a lot of their own when theirs had
            expired.
        redeemed_here, redeemed_elsewhere: spent at the issuer, at others.
        taken_back: by claw-back, or to repay debts.
        outstanding: live, held ones included.
        funding_minor: what still backs the live ones.
    """

    issuer_id: str
    month: int
    issued: int
    returned: int
    redeemed_here: int
    redeemed_elsewhere: int
    expired: int
    taken_back: int
    outstanding: int
    funding_minor: int


def read_cohorts(connection: Connection) -> list[Cohort]:
    """Every issuer's points, by issuer and month. Reads every lot and movement once.

    Source: docs/rules/liability.md, rules 1 and 2.
    """
    live = {(row.issuer_id, row.cohort): row for row in connection.execute(_LIVE)}
    return [
        Cohort(
            issuer_id=row.issuer_id,
            month=row.cohort,
            issued=int(row.issued),
            returned=int(row.returned),
            redeemed_here=int(row.redeemed_here),
            redeemed_elsewhere=int(row.redeemed_elsewhere),
            expired=int(row.expired),
            taken_back=int(row.taken_back),
            outstanding=int(live[row.issuer_id, row.cohort].points),
            funding_minor=int(live[row.issuer_id, row.cohort].funding),
        )
        for row in connection.execute(_FLOWS)
    ]


def expected_redemption_bps(cohorts: Sequence[Cohort]) -> int:
    """The share of an issuer's points that is expected to be redeemed, basis points.

    Source: docs/rules/liability.md, rule 3.
    """
    redeemed = sum(each.redeemed_here + each.redeemed_elsewhere - each.returned for each in cohorts)
    gone = redeemed + sum(each.expired for each in cohorts)
    return WHOLE_BP if gone == 0 else half_up(WHOLE_BP * redeemed, gone)
