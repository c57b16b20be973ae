"""The chain of blocks that makes every later change to the books show.

Each transaction is sealed by one block: the hash of the block before it, and of the transaction
with its entries and movements. Whoever kept one hash can prove all that came before it.

Source: docs/rules/arithmetic.md, rule 8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from ledger.sqlite import Grouped, Lane

GENESIS = bytes(32)

_TX = (
    "seq, kind, card_id, merchant_id, order_no, effective_at, created_at, month, origin_month, "
    "reason"
)
_ENTRY = "seq, leg, account, asset, kind, amount, points, month, rule_version, order_no"
_MOVE = "seq, leg, lot_id, amount, funding, month"


def block_hash(
    previous: bytes,
    tx: Sequence[Any],
    entries: Sequence[Sequence[Any]],
    moves: Sequence[Sequence[Any]],
) -> bytes:
    """SHA-256 of the previous hash and of the transaction's rows as JSON arrays without spaces.

    Args:
        tx, entries, moves: rows without their lane, columns in the order of the tables.
    """
    return hashlib.sha256(previous + orjson.dumps((tx, entries, moves))).digest()


def seal(
    lane: Lane,
    tx: Sequence[Any],
    entries: Sequence[Sequence[Any]],
    moves: Sequence[Sequence[Any]],
) -> None:
    """Adds the block of the newest transaction. The caller owns the transaction."""
    hashed = block_hash(read_head(lane) or GENESIS, tx, entries, moves)
    lane.run("INSERT INTO block VALUES (0, ?, ?)", (tx[0], hashed))


def read_head(lane: Lane) -> bytes | None:
    """The hash of the newest block; None before the first."""
    row = lane.first("SELECT hash FROM block WHERE lane = 0 ORDER BY seq DESC LIMIT 1")
    return None if row is None else bytes(row[0])


def first_broken_block(lane: Lane) -> int | None:
    """The first transaction whose block is missing or wrong, or the first block without one."""
    blocks = Grouped(lane.step("SELECT seq, hash FROM block WHERE lane = 0 ORDER BY seq"))
    entries = Grouped(lane.step(f"SELECT {_ENTRY} FROM entry WHERE lane = 0 ORDER BY seq, leg"))
    moves = Grouped(lane.step(f"SELECT {_MOVE} FROM lot_move WHERE lane = 0 ORDER BY seq, leg"))
    previous = GENESIS
    for tx in lane.step(f"SELECT {_TX} FROM ledger_tx WHERE lane = 0 ORDER BY seq"):
        seq: int = tx[0]
        previous = block_hash(previous, tx, entries.of(seq), moves.of(seq))
        if blocks.of(seq) != [(seq, previous)]:
            return seq
    orphan = lane.first(
        "SELECT min(seq) FROM block WHERE lane = 0 "
        "AND seq NOT IN (SELECT seq FROM ledger_tx WHERE lane = 0)"
    )
    assert orphan is not None
    return None if orphan[0] is None else int(orphan[0])
