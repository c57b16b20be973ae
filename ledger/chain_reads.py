"""Recomputes the chain of blocks from the books."""

from __future__ import annotations

from ledger.chain import GENESIS, block_hash, leaf
from ledger.grouped import Grouped
from ledger.port import Cursor

_TX = (
    "seq, kind, card_id, merchant_id, order_no, effective_at, created_at, month, origin_month, "
    "reason"
)
_ENTRY = "seq, leg, account, asset, kind, amount, points, month, rule_version, order_no"
_MOVE = "seq, leg, lot_id, amount, funding, month"
_REQUEST = (
    "SELECT tx_seq, request_hash FROM ledger_request "
    "WHERE lane = ? AND tx_seq IS NOT NULL ORDER BY tx_seq"
)


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
    entries = Grouped(cursor.step(_in_lane("entry", _ENTRY, "seq, leg"), (lane,)))
    moves = Grouped(cursor.step(_in_lane("lot_move", _MOVE, "seq, leg"), (lane,)))
    requests = Grouped(cursor.step(_REQUEST, (lane,)))
    txs = cursor.step(_in_lane("ledger_tx", _TX, "seq"), (lane,))
    previous = GENESIS
    tx = next(txs, None)
    for number, sealed in cursor.step(_in_lane("block", "seq, hash", "seq"), (lane,)):
        leaves = []
        while tx is not None and tx[0] <= number:
            seq: int = tx[0]
            request = requests.of(seq)
            request_hash = request[0][1] if request else ""
            leaves.append(leaf(request_hash, tx, entries.of(seq), moves.of(seq)))
            tx = next(txs, None)
        previous = block_hash(previous, leaves)
        if not leaves or previous != sealed:
            return int(number)
    return None if tx is None else int(tx[0])


def _in_lane(table: str, columns: str, order: str) -> str:
    return f"SELECT {columns} FROM {table} WHERE lane = ? ORDER BY {order}"
