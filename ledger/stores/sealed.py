"""What was booked, transaction by transaction, as the chain seals it.

A transaction, its entries and its movements: three JSON arrays, which the leaf hashes behind the
hash of the request. This room needs no SQLAlchemy: a process that counts starts the sooner.

Source: docs/rules/arithmetic.md, rule 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.stores.port import Booked

if TYPE_CHECKING:
    import apsw

TX = Booked(
    "ledger_tx",
    "seq, kind, card_id, merchant_id, order_no, effective_at, created_at, month, origin_month, "
    "reason",
    is_one=True,
)
ENTRIES = Booked(
    "entry", "seq, leg, account, asset, kind, amount, points, month, rule_version, order_no"
)
MOVES = Booked("lot_move", "seq, leg, lot_id, amount, funding, month")


def _rows(booked: Booked) -> str:
    """Found by the head of their key, so that they come in the order of the rest of it."""
    return (
        f"(SELECT json_group_array(json_array({booked.columns})) FROM {booked.table} each "
        "WHERE each.lane = t.lane AND each.seq = t.seq)"
    )


# As bytes, so that text that is none is hashed and not decoded. JSON has no line feeds of its own.
_IN_FILE = (
    "SELECT CAST(group_concat(line, char(10)) AS BLOB) FROM ("
    f"SELECT json_array({TX.columns}) || ',' || {_rows(ENTRIES)} || ',' || {_rows(MOVES)} AS line "
    f"FROM {TX.table} t WHERE lane = ? AND seq > ? AND seq <= ? ORDER BY seq)"
)


def sealed_in_file(raw: apsw.Connection, lane: int, after: int, up_to: int) -> list[bytes]:
    """Of each transaction in a span, in order, the three arrays with commas between them.

    Written by SQLite itself, all in one value: half the time of a row for each of them. Between
    two rows Python's lock is taken, which another thread may hold for long.
    """
    [(lines,)] = raw.execute(_IN_FILE, (lane, after, up_to))
    return lines.split(b"\n") if isinstance(lines, bytes) else []
