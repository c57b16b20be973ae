"""SQL of the orders that lie in a window of a ladder. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.keys_sql import Key
from merchants.ladders.figures_sql import EVER

_SALES = Prepared(
    "SELECT order_id, placed_at, merchant_id FROM sale WHERE merchant_id = :merchant_id"
    " AND card_id = :card_id AND placed_at >= :since AND placed_at <= :until"
    " AND (placed_at, order_id) < (:placed_at, :order_id)"
    " ORDER BY placed_at DESC, order_id DESC LIMIT :limit"
)
_RECORDED = Prepared(
    "SELECT order_id, placed_at, at_merchant_id AS merchant_id FROM recorded_order"
    " WHERE merchant_id = :merchant_id AND card_id = :card_id AND placed_at >= :since"
    " AND placed_at <= :until AND (placed_at, order_id) < (:placed_at, :order_id)"
    " ORDER BY placed_at DESC, order_id DESC LIMIT :limit"
)
_END = (2**62, "")


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order; `merchant_id` is where it was placed."""

    order_id: str
    placed_at: int
    merchant_id: str


def read_window_page(
    connection: Connection,
    key: Key,
    *,
    since: int | None,
    until: int,
    after: tuple[int, str] | None,
    limit: int,
) -> list[PlacedOrder]:
    """Orders placed from `since` to `until`, both included, newest first; refunded ones too."""
    placed_at, order_id = after or _END
    given = {
        "merchant_id": key[0],
        "card_id": key[1],
        "since": EVER if since is None else since,
        "until": until,
        "placed_at": placed_at,
        "order_id": order_id,
        "limit": limit,
    }
    # A backend's merchant sells, the alliance's own hears of sales; no one does both.
    rows = [*connection.execute(_SALES, given), *connection.execute(_RECORDED, given)]
    rows.sort(key=lambda row: (row.placed_at, row.order_id), reverse=True)
    return [PlacedOrder(row.order_id, row.placed_at, row.merchant_id) for row in rows[:limit]]
