"""Reads a history as it was posted, for settling it again. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from ledger.contract import LedgerSettings
from ledger.entering import party_of
from ledger.grouped import Grouped
from ledger.ports import cursor_on
from ledger.settlement import Leg
from ledger.simulation import PastEvent, PastMove
from ledger.state import ALLIANCE, Asset, Lot, SettlementKind, TxKind

_EVENTS = """
SELECT seq, kind, merchant_id, order_no, effective_at FROM ledger_tx
WHERE lane = ? AND seq >= (SELECT min(seq) FROM ledger_tx
  WHERE lane = ? AND effective_at >= ? AND effective_at < ?) ORDER BY seq
"""
_LEGS = """
SELECT seq, account, kind, amount, points, rule_version, order_no FROM entry
WHERE lane = ? AND seq >= ? AND asset = 'SETTLEMENT' ORDER BY seq, leg
"""
_MOVES = """
SELECT m.seq, m.amount, m.funding, l.id, l.asset, l.issuer_id, l.funding, l.original
FROM lot_move m JOIN lot l ON l.lane = m.lane AND l.id = m.lot_id
WHERE m.lane = ? AND m.seq >= ? ORDER BY m.seq, m.leg
"""


def read_events(
    connection: Connection, lane: int, *, since: int, until: int, settings: LedgerSettings
) -> Iterator[PastEvent]:
    """Every event of a lane from the first that took effect in the time on, as they were posted.

    Args:
        since, until: microseconds; `until` is not part of it.
    """
    cursor = cursor_on(connection)
    events = cursor.all(_EVENTS, (lane, lane, since, until))
    if not events:
        return
    first = events[0][0]
    legs = Grouped(cursor.step(_LEGS, (lane, first)))
    moves = Grouped(cursor.step(_MOVES, (lane, first)))
    for seq, kind, merchant_id, order_no, at in events:
        yield PastEvent(
            party=ALLIANCE if merchant_id is None else party_of(merchant_id, settings),
            order_no=order_no,
            is_counted=since <= at < until,
            legs=tuple(_leg(row) for row in legs.of(seq)),
            moves=tuple(_move(row) for row in moves.of(seq)),
            is_merge=kind == TxKind.MERGE,
        )


def _leg(row: Sequence[Any]) -> Leg:
    return Leg(row[1], SettlementKind(row[2]), row[3], row[4], row[5], row[6])


def _move(row: Sequence[Any]) -> PastMove:
    _, amount, funding, lot_id, asset, issuer_id, lot_funding, original = row
    lot = Lot(lot_id, Asset(asset), issuer_id, lot_funding, original, original, 0, 0, 0)
    return PastMove(lot, amount, funding)
