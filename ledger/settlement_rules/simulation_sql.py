"""Reads a history as it was posted, for settling it again. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from ledger.booking.entering import party_of
from ledger.contract import LedgerSettings
from ledger.rules.settlement import Leg
from ledger.rules.state import ALLIANCE, Asset, CardEntryKind, Lot, SettlementKind, TxKind
from ledger.settlement_rules.past import PastDebt, PastEvent, PastMerge, PastMove
from ledger.stores.grouped import Grouped
from ledger.stores.port import Cursor, Row
from ledger.stores.ports import cursor_on

_EVENTS = """
SELECT seq, kind, merchant_id, order_no, effective_at, card_id, reason FROM ledger_tx
WHERE lane = ? AND seq >= (SELECT min(seq) FROM ledger_tx
  WHERE lane = ? AND effective_at >= ? AND effective_at < ?) ORDER BY seq
"""
_LEGS = """
SELECT seq, account, kind, amount, points, rule_version, order_no, asset FROM entry
WHERE lane = ? AND seq >= ? AND (asset = 'SETTLEMENT' OR substr(account, 1, 5) = 'debt:')
ORDER BY seq, leg
"""
_CLAW_BACK, _MERGE = CardEntryKind.CLAW_BACK, CardEntryKind.MERGE
_BROUGHT = """
SELECT d.card_id, p.merge_id, o.merchant_id, o.order_no, p.amount FROM merged_part p
JOIN debt d ON d.lane = p.lane AND d.id = p.ref
JOIN order_state o ON o.lane = d.lane AND o.order_id = d.order_id
WHERE p.lane = ? AND p.kind = 'DEBT' ORDER BY p.ref
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
    entries = Grouped(cursor.step(_LEGS, (lane, first)))
    moves = Grouped(cursor.step(_MOVES, (lane, first)))
    brought = _brought(cursor, lane, settings)
    for seq, kind, merchant_id, order_no, at, card_id, reason in events:
        rows = entries.of(seq)
        merge = None
        if kind == TxKind.MERGE:
            merge = _merge(reason, rows, brought.get((card_id, reason)))
        yield PastEvent(
            party=ALLIANCE if merchant_id is None else party_of(merchant_id, settings),
            order_no=order_no,
            is_counted=since <= at < until,
            legs=tuple(_leg(row) for row in rows if row[7] == Asset.SETTLEMENT),
            moves=tuple(_move(row) for row in moves.of(seq)),
            card_id=card_id,
            merge=merge,
            owed=sum(-row[3] for row in rows if row[2] == _CLAW_BACK and row[7] == Asset.POINTS),
        )


def _brought(
    cursor: Cursor, lane: int, settings: LedgerSettings
) -> dict[tuple[str, str], tuple[PastDebt, ...]]:
    """The debts that merges brought to cards of the lane, by card and merge."""
    found: dict[tuple[str, str], tuple[PastDebt, ...]] = {}
    for card_id, merge_id, merchant_id, order_no, points in cursor.all(_BROUGHT, (lane,)):
        debt = PastDebt(party_of(merchant_id, settings), order_no, points)
        found[card_id, merge_id] = (*found.get((card_id, merge_id), ()), debt)
    return found


def _merge(reason: str, entries: Sequence[Row], brought: tuple[PastDebt, ...] | None) -> PastMerge:
    carried = sum(row[3] for row in entries if row[2] == _MERGE)
    return PastMerge(reason, carried > 0, carried < 0, brought)


def _leg(row: Sequence[Any]) -> Leg:
    return Leg(row[1], SettlementKind(row[2]), row[3], row[4], row[5], row[6])


def _move(row: Sequence[Any]) -> PastMove:
    _, amount, funding, lot_id, asset, issuer_id, lot_funding, original = row
    lot = Lot(lot_id, Asset(asset), issuer_id, lot_funding, original, original, 0, 0, 0)
    return PastMove(lot, amount, funding)
