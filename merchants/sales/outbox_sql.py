"""SQL of the outbox: what was committed, in the order of commits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from kernel.clock import from_micros
from kernel.database.commits import commit_horizon
from kernel.ids import derived_id_within
from kernel.statements import Prepared
from merchants.port import Event, EventKind, OrderState
from merchants.sales.orders_sql import OrderRow
from merchants.sales.refunds_sql import RefundRow
from merchants.stored import load, redemptions_from_json

_ADD = Prepared(
    "INSERT INTO outbox (merchant_id, order_id, refund_no)"
    " VALUES (:merchant_id, :order_id, :refund_no) RETURNING cursor"
)
_CURSOR = Prepared(
    "SELECT cursor FROM outbox WHERE merchant_id = :merchant_id AND order_id = :order_id"
    " AND refund_no = :refund_no"
)
_SELECT = (
    "SELECT o.cursor, o.refund_no, s.merchant_id, s.order_id, s.order_no, s.store_id, s.channel,"
    " s.card_id, s.attempt_id, s.placed_at, s.payable_minor, s.shipping_minor, s.points_spent,"
    " s.coins_spent_minor, s.points_earned, s.redemptions AS sale_redemptions, r.at,"
    " r.cash_minor, r.points, r.coins_minor, r.points_kept, r.qualifying_minor, r.redemptions,"
    " r.state_after"
    " FROM outbox AS o"
    " JOIN sale AS s ON s.merchant_id = o.merchant_id AND s.order_id = o.order_id"
    " LEFT JOIN refund AS r ON r.merchant_id = o.merchant_id AND r.order_id = o.order_id"
    " AND r.refund_no = o.refund_no"
)
_OF_MERCHANT = Prepared(
    f"{_SELECT} WHERE o.merchant_id = :merchant_id AND o.cursor > :after"
    " AND o.written_by < :horizon ORDER BY o.cursor LIMIT :limit"
)
_OF_ALL = Prepared(
    f"{_SELECT} WHERE o.cursor > :after AND o.written_by < :horizon ORDER BY o.cursor LIMIT :limit"
)


def add_event(
    connection: Connection, *, merchant_id: str, order_id: str, refund_no: str = ""
) -> int:
    """The cursor of the new event; an empty `refund_no` is the sale."""
    added = connection.execute(
        _ADD, {"merchant_id": merchant_id, "order_id": order_id, "refund_no": refund_no}
    )
    return int(added.scalar_one())


def read_cursor(
    connection: Connection, *, merchant_id: str, order_id: str, refund_no: str = ""
) -> int:
    """The cursor of an event that was added."""
    found = connection.execute(
        _CURSOR, {"merchant_id": merchant_id, "order_id": order_id, "refund_no": refund_no}
    )
    return int(found.scalar_one())


def read_events(
    connection: Connection, merchant_id: str | None, *, after: int, limit: int
) -> list[Event]:
    """Events behind `after`, oldest first: the merchant's, or for None everybody's.

    One that was committed while an earlier one may still be is left for the next time, so that
    whoever goes on behind the last of them misses none.
    """
    values = {"after": after, "limit": limit, "horizon": commit_horizon(connection)}
    if merchant_id is None:
        rows = connection.execute(_OF_ALL, values)
    else:
        rows = connection.execute(_OF_MERCHANT, {"merchant_id": merchant_id, **values})
    return [_event(row) for row in rows]


def sale_event(order: OrderRow, cursor: int) -> Event:
    """The sale as the outbox tells it."""
    goods = order.payable_minor - order.shipping_minor
    return Event(
        id=event_id(order.merchant_id, order_id=order.order_id),
        cursor=cursor,
        merchant_id=order.merchant_id,
        kind=EventKind.ORDER_PLACED,
        at=from_micros(order.placed_at),
        order_id=order.order_id,
        order_no=order.order_no,
        store_id=order.store_id,
        channel=order.channel,
        card_id=order.card_id,
        attempt_id=order.attempt_id,
        refund_no=None,
        cash_minor=order.payable_minor,
        points=order.points_spent,
        coins_minor=order.coins_spent_minor,
        points_kept=order.points_earned,
        qualifying_minor=goods + order.coins_spent_minor,
        redemptions=redemptions_from_json(load(order.redemptions)),
    )


def refund_event(order: OrderRow, refund: RefundRow, cursor: int) -> Event:
    """The refund as the outbox tells it."""
    return Event(
        id=event_id(order.merchant_id, order_id=order.order_id, refund_no=refund.refund_no),
        cursor=cursor,
        merchant_id=order.merchant_id,
        kind=EventKind.ORDER_REFUNDED,
        at=from_micros(refund.at),
        order_id=order.order_id,
        order_no=order.order_no,
        store_id=order.store_id,
        channel=order.channel,
        card_id=order.card_id,
        attempt_id=None,
        refund_no=refund.refund_no,
        cash_minor=refund.cash_minor,
        points=refund.points,
        coins_minor=refund.coins_minor,
        points_kept=refund.points_kept,
        qualifying_minor=refund.qualifying_minor,
        redemptions=redemptions_from_json(load(refund.redemptions)),
        is_ended=refund.state_after == OrderState.REFUNDED,
    )


def event_id(merchant_id: str, *, order_id: str, refund_no: str = "") -> str:
    """The one id of the order's event."""
    return derived_id_within("evt", merchant_id, order_id, refund_no)


def _event(row: Any) -> Event:
    is_sale = row.refund_no == ""
    goods = row.payable_minor - row.shipping_minor
    return Event(
        id=event_id(row.merchant_id, order_id=row.order_id, refund_no=row.refund_no),
        cursor=row.cursor,
        merchant_id=row.merchant_id,
        kind=EventKind.ORDER_PLACED if is_sale else EventKind.ORDER_REFUNDED,
        at=from_micros(row.placed_at if is_sale else row.at),
        order_id=row.order_id,
        order_no=row.order_no,
        store_id=row.store_id,
        channel=row.channel,
        card_id=row.card_id,
        attempt_id=row.attempt_id if is_sale else None,
        refund_no=None if is_sale else row.refund_no,
        cash_minor=row.payable_minor if is_sale else row.cash_minor,
        points=row.points_spent if is_sale else row.points,
        coins_minor=row.coins_spent_minor if is_sale else row.coins_minor,
        points_kept=row.points_earned if is_sale else row.points_kept,
        qualifying_minor=goods + row.coins_spent_minor if is_sale else row.qualifying_minor,
        redemptions=redemptions_from_json(
            load(row.sale_redemptions if is_sale else row.redemptions)
        ),
        is_ended=row.state_after == OrderState.REFUNDED,
    )
