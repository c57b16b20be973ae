"""Recomputes the chain of blocks from the books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ledger.chain import GENESIS, block_hash, leaf
from ledger.port import Cursor, Row

_AT_ONCE = 4_096
_SPAN = "WHERE lane = ? AND seq > ? AND seq <= ? ORDER BY seq"
_TXS = (
    "SELECT seq, kind, card_id, merchant_id, order_no, effective_at, created_at, month, "
    f"origin_month, reason FROM ledger_tx {_SPAN}"
)
_ENTRIES = (
    "SELECT seq, leg, account, asset, kind, amount, points, month, rule_version, order_no "
    f"FROM entry {_SPAN}, leg"
)
_MOVES = f"SELECT seq, leg, lot_id, amount, funding, month FROM lot_move {_SPAN}, leg"
_REQUEST = "SELECT tx_seq, request_hash FROM ledger_request WHERE lane = ? AND tx_seq IS NOT NULL"


def read_heads(cursor: Cursor) -> list[bytes]:
    """The hash of the newest block of each lane that has one, in the order of lanes."""
    rows = cursor.all(
        "SELECT (SELECT hash FROM block b WHERE b.lane = h.lane ORDER BY seq DESC LIMIT 1) "
        "FROM lane_head h ORDER BY h.lane"
    )
    return [bytes(row[0]) for row in rows if row[0] is not None]


def first_broken_block(cursor: Cursor, lane: int) -> int | None:
    """The number of the first block that is missing or wrong, None when all fit.

    A block is numbered by the last transaction that it seals.
    """
    sealed_leaves = _leaves(cursor, lane)
    waiting = next(sealed_leaves, None)
    previous = GENESIS
    for number, sealed in cursor.step(_in_lane("block", "seq, hash", "seq"), (lane,)):
        leaves = []
        while waiting is not None and waiting[0] <= number:
            leaves.append(waiting[1])
            waiting = next(sealed_leaves, None)
        previous = block_hash(previous, leaves)
        if not leaves or previous != sealed:
            return int(number)
    return None if waiting is None else waiting[0]


def _leaves(cursor: Cursor, lane: int) -> Iterator[tuple[int, bytes]]:
    """The number and the leaf of each transaction, read some thousands at a time."""
    request_of: dict[int, str] = dict(cursor.all(_REQUEST, (lane,)))
    last = cursor.first("SELECT coalesce(max(seq), 0) FROM ledger_tx WHERE lane = ?", (lane,))
    assert last is not None
    for start in range(0, last[0], _AT_ONCE):
        span = lane, start, start + _AT_ONCE
        entries = _by_tx(cursor.all(_ENTRIES, span))
        moves = _by_tx(cursor.all(_MOVES, span))
        for tx in cursor.all(_TXS, span):
            seq = tx[0]
            request = request_of.get(seq, "")
            yield seq, leaf(request, tx, entries.get(seq, []), moves.get(seq, []))


def _by_tx(rows: list[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return grouped


def _in_lane(table: str, columns: str, order: str) -> str:
    return f"SELECT {columns} FROM {table} WHERE lane = ? ORDER BY {order}"
