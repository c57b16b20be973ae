"""SQL of other merchants' orders in the alliance's own backend. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kernel.statements import Prepared

_EVENT = Prepared(
    "INSERT INTO recorded_event (merchant_id, order_id, refund_no, at, qualifying_minor, is_ended)"
    " VALUES (:merchant_id, :order_id, :refund_no, :at, :qualifying_minor, :is_ended)"
    " ON CONFLICT DO NOTHING"
)
_INSERT = Prepared(
    "INSERT INTO recorded_order (merchant_id, order_id, at_merchant_id, card_id, placed_at,"
    " qualifying_minor, is_refunded) VALUES (:merchant_id, :order_id, :at_merchant_id, :card_id,"
    " :placed_at, :qualifying_minor, :is_refunded) ON CONFLICT DO NOTHING"
)
_READ = Prepared(
    "SELECT merchant_id, order_id, at_merchant_id, card_id, placed_at, qualifying_minor,"
    " is_refunded"
    " FROM recorded_order WHERE merchant_id = :merchant_id AND order_id = :order_id"
)
_WRITE = Prepared(
    "UPDATE recorded_order SET placed_at = :placed_at, qualifying_minor = :qualifying_minor,"
    " is_refunded = :is_refunded WHERE merchant_id = :merchant_id AND order_id = :order_id"
)


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """Another merchant's order; `merchant_id` is the alliance's own, `placed_at` microseconds."""

    merchant_id: str
    order_id: str
    at_merchant_id: str
    card_id: str
    placed_at: int
    qualifying_minor: int
    is_refunded: bool


def insert_recorded_event(
    connection: Connection,
    *,
    merchant_id: str,
    order_id: str,
    refund_no: str,
    at: int,
    qualifying_minor: int,
    is_ended: bool,
) -> bool:
    """Whether the event was not known; an empty `refund_no` is the sale."""
    values = {
        "merchant_id": merchant_id,
        "order_id": order_id,
        "refund_no": refund_no,
        "at": at,
        "qualifying_minor": qualifying_minor,
        "is_ended": int(is_ended),
    }
    return connection.execute(_EVENT, values).rowcount == 1


def insert_recorded_order(connection: Connection, order: RecordedOrder) -> bool:
    """Whether the order was not known, and is now."""
    return connection.execute(_INSERT, _values(order)).rowcount == 1


def read_recorded_order(
    connection: Connection, *, merchant_id: str, order_id: str
) -> RecordedOrder:
    """The order, which is known."""
    row = connection.execute(_READ, {"merchant_id": merchant_id, "order_id": order_id}).one()
    return RecordedOrder(
        merchant_id=row.merchant_id,
        order_id=row.order_id,
        at_merchant_id=row.at_merchant_id,
        card_id=row.card_id,
        placed_at=row.placed_at,
        qualifying_minor=row.qualifying_minor,
        is_refunded=bool(row.is_refunded),
    )


def write_recorded_order(connection: Connection, order: RecordedOrder) -> None:
    """Keeps what counts of it now."""
    connection.execute(_WRITE, _values(order))


def _values(order: RecordedOrder) -> dict[str, Any]:
    return {
        "merchant_id": order.merchant_id,
        "order_id": order.order_id,
        "at_merchant_id": order.at_merchant_id,
        "card_id": order.card_id,
        "placed_at": order.placed_at,
        "qualifying_minor": order.qualifying_minor,
        "is_refunded": int(order.is_refunded),
    }
