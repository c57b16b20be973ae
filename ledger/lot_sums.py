"""Whether every lot is what was moved into it and out of it, and cards and the pool have the lots.

One pass over lots and sums of movements, both in the order of their key, where the database would
sort them. Which row is wrong, the queries of `ledger/invariants.py` find.

Source: docs/rules/arithmetic.md, rule 7; docs/rules/settlement.md, rule 2.
"""

from __future__ import annotations

from ledger.lots import residual_funding
from ledger.port import Cursor
from ledger.state import NEVER, Asset, Lot

AT_ONCE = 8_192
_LOTS = (
    "SELECT id, remaining, residual, funding, original, asset, card_id FROM lot "
    "WHERE lane = ? AND id > ? ORDER BY id LIMIT ?"
)
_MOVED = (
    "SELECT lot_id, sum(amount), sum(funding), count(*) FROM lot_move "
    "WHERE lane = ? AND lot_id > ? AND lot_id <= ? GROUP BY lot_id ORDER BY lot_id"
)
_CARDS = "SELECT account, posted FROM account WHERE lane = ? AND has_floor = 1"
_POOL = "SELECT coalesce(sum(amount), 0) FROM position WHERE lane = ? AND account = 'POOL'"
_COUNTS = "SELECT (SELECT count(*) FROM lot), (SELECT count(*) FROM lot_move)"
_BEFORE_ALL = -(2**63)


def lots_agree(cursor: Cursor) -> bool:
    """Whether V3, V4, the pool and the funding of lots hold; at times False although they do."""
    seen = moved = 0
    for (lane,) in cursor.all("SELECT lane FROM lane_head ORDER BY lane"):
        held: dict[str, int] = {}
        backing, after = 0, _BEFORE_ALL
        while lots := cursor.all(_LOTS, (lane, after, AT_ONCE)):
            before, after = after, lots[-1][0]
            sums = cursor.all(_MOVED, (lane, before, after))
            if [row[:3] for row in lots] != [(row[0], int(row[1]), int(row[2])) for row in sums]:
                return False
            seen += len(lots)
            moved += sum(row[3] for row in sums)
            for lot_id, remaining, residual, funding, original, asset, card_id in lots:
                account = f"{asset.lower()}:{card_id}"
                held[account] = held.get(account, 0) + remaining
                backing += residual
                is_whole = remaining == original and residual == funding
                if not is_whole and (remaining or residual):
                    lot = Lot(lot_id, Asset.POINTS, "", funding, original, remaining, 0, 0, NEVER)
                    if residual_funding(lot) != residual:
                        return False
        posted = dict(cursor.all(_CARDS, (lane,)))
        if any(posted.get(account, 0) != held.get(account, 0) for account in posted | held):
            return False
        if cursor.all(_POOL, (lane,)) != [(backing,)]:
            return False
    return [(seen, moved)] == cursor.all(_COUNTS)
