"""The chain of blocks that makes every later change to the books show.

Each batch of a lane is sealed by one block: the hash of the block before it, and of the leaves of
its transactions. A leaf is the hash of one transaction: its request, its entries and its
movements. Whoever kept one hash can prove all that came before it.

Source: docs/rules/arithmetic.md, rule 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import orjson

from ledger.stores.port import Row

GENESIS = bytes(32)


def leaf(request_hash: str, tx: Row, entries: Sequence[Row], moves: Sequence[Row]) -> bytes:
    """SHA-256 of a request's hash and its transaction's rows, as JSON arrays without spaces.

    Args:
        tx, entries, moves: rows without their lane, columns in the order of the tables.
    """
    return sha256(orjson.dumps((request_hash, tx, entries, moves))).digest()


def leaf_of_json(request_hash: str, rows: bytes) -> bytes:
    """The same, of rows that are JSON already, with commas between the three; see `sealed`."""
    return sha256(b"[%b,%b]" % (orjson.dumps(request_hash), rows)).digest()


def block_hash(previous: bytes, leaves: Sequence[bytes]) -> bytes:
    """SHA-256 of the hash of the block before, and of the leaves in the order of posting."""
    return sha256(previous + b"".join(leaves)).digest()
