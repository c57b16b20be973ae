"""SQL of orders. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kernel.clock import from_micros
from kernel.statements import Prepared
from merchants.keys_sql import EACH_KEY, MERCHANT, Key, keys_parameter, matches
from merchants.port import OrderFacts, OrderState

_FACTS = (
    "merchant_id, order_id, order_no, fact_hash, attempt_id, store_id, channel, membership_id,"
    " card_id, state, placed_at, list_minor, payable_minor, shipping_minor, points_spent,"
    " coins_spent_minor, points_earned, absorbed_minor, refunded_minor, qualifying_minor,"
    " earn_points_per_major_unit, earn_bps, redemptions"
)
_WHOLE = f"{_FACTS}, lines, decisions"
_NAMES = tuple(_WHOLE.split(", "))
_OF_S = ", ".join(f"s.{name}" for name in _NAMES)
_INSERT = Prepared(
    f"INSERT INTO sale ({_WHOLE}) VALUES (:merchant_id, :order_id, :order_no, :fact_hash,"
    " :attempt_id, :store_id, :channel, :membership_id, :card_id, 'PAID', :placed_at,"
    " :list_minor, :payable_minor, :shipping_minor, :points_spent, :coins_spent_minor,"
    " :points_earned, :absorbed_minor, 0, :qualifying_minor, :earn_points_per_major_unit,"
    " :earn_bps, :redemptions, :lines, :decisions) ON CONFLICT DO NOTHING"
)
_BY_NO = Prepared(
    f"SELECT {_WHOLE} FROM sale WHERE merchant_id = :merchant_id AND order_no = :order_no"
)
_BY_KEY = Prepared(
    f"SELECT {_OF_S} FROM {EACH_KEY} sale AS s WHERE {matches('s.merchant_id', 's.order_id')}"
)
_BY_ATTEMPT = Prepared(
    "SELECT order_id FROM sale WHERE merchant_id = :merchant_id AND attempt_id = :attempt_id"
)
_ABSORB = Prepared(
    "UPDATE sale SET absorbed_minor = :absorbed_minor, redemptions = :redemptions"
    " WHERE merchant_id = :merchant_id AND order_id = :order_id"
)
_REFUND = Prepared(
    "UPDATE sale SET state = :state, refunded_minor = refunded_minor + :cash_minor,"
    " qualifying_minor = :qualifying_minor"
    " WHERE merchant_id = :merchant_id AND order_id = :order_id"
)
_OF_CARDS = Prepared(
    f"SELECT {_OF_S} FROM {EACH_KEY} sale AS s WHERE s.merchant_id = {MERCHANT} AND s.order_id IN ("
    f"SELECT p.order_id FROM sale AS p WHERE {matches('p.merchant_id', 'p.card_id')}"
    " AND (p.placed_at, p.order_id) < (:placed_at, :order_id)"
    " ORDER BY p.placed_at DESC, p.order_id DESC LIMIT :limit"
    ") ORDER BY s.merchant_id, s.card_id, s.placed_at DESC, s.order_id DESC"
)
_OF_MERCHANT = Prepared(
    f"SELECT {_WHOLE} FROM sale WHERE merchant_id = :merchant_id"
    " AND (placed_at, order_id) < (:placed_at, :order_id)"
    " ORDER BY placed_at DESC, order_id DESC LIMIT :limit"
)
END = (2**62, "")
"""Behind every (placed_at, order_id), newest first."""


_BOUGHT = Prepared(
    "SELECT lines FROM sale WHERE merchant_id = :merchant_id AND card_id = :card_id"
    " AND state <> 'REFUNDED' ORDER BY placed_at DESC, order_id DESC LIMIT :limit"
)
BOUGHT_ORDERS_MAX = 200
"""Orders that are looked through for what a card bought before."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as it is kept; `lines`, `decisions` and `redemptions` are JSON text."""

    merchant_id: str
    order_id: str
    order_no: str
    fact_hash: str
    attempt_id: str
    store_id: str
    channel: str
    membership_id: str | None
    card_id: str | None
    state: str
    placed_at: int
    list_minor: int
    payable_minor: int
    shipping_minor: int
    points_spent: int
    coins_spent_minor: int
    points_earned: int
    absorbed_minor: int
    refunded_minor: int
    qualifying_minor: int
    earn_points_per_major_unit: int
    earn_bps: int
    redemptions: str
    lines: str
    decisions: str

    @property
    def facts(self) -> OrderFacts:
        """What others need to act on it."""
        return OrderFacts(
            id=self.order_id,
            merchant_id=self.merchant_id,
            order_no=self.order_no,
            store_id=self.store_id,
            channel=self.channel,
            state=OrderState(self.state),
            placed_at=from_micros(self.placed_at),
            membership_id=self.membership_id,
            card_id=self.card_id,
            attempt_id=self.attempt_id,
            payable_minor=self.payable_minor,
            refunded_minor=self.refunded_minor,
            points_spent=self.points_spent,
            coins_spent_minor=self.coins_spent_minor,
            points_earned=self.points_earned,
        )


def insert_order(connection: Connection, placed: OrderRow) -> bool:
    """Whether neither its id nor its number was taken, and it is kept now."""
    values = {name: getattr(placed, name) for name in _NAMES}
    return connection.execute(_INSERT, values).rowcount == 1


def read_order_by_no(connection: Connection, *, merchant_id: str, order_no: str) -> OrderRow | None:
    """The merchant's order with that number."""
    row = connection.execute(
        _BY_NO, {"merchant_id": merchant_id, "order_no": order_no}
    ).one_or_none()
    return None if row is None else _order(row)


def read_orders(connection: Connection, keys: Sequence[Key]) -> dict[Key, OrderRow]:
    """Orders by (merchant_id, order_id); unknown ones are left out."""
    rows = connection.execute(_BY_KEY, {"keys": keys_parameter(keys)})
    return {(row.merchant_id, row.order_id): _order(row) for row in rows}


def read_order_of_attempt(
    connection: Connection, *, merchant_id: str, attempt_id: str
) -> str | None:
    """Id of the order that the attempt placed."""
    order_id: str | None = connection.execute(
        _BY_ATTEMPT, {"merchant_id": merchant_id, "attempt_id": attempt_id}
    ).scalar()
    return order_id


def write_absorbed(
    connection: Connection,
    *,
    merchant_id: str,
    order_id: str,
    absorbed_minor: int,
    redemptions: str,
) -> None:
    """Keeps what lost coupons cost the merchant, and which ones it still redeemed."""
    connection.execute(
        _ABSORB,
        {
            "merchant_id": merchant_id,
            "order_id": order_id,
            "absorbed_minor": absorbed_minor,
            "redemptions": redemptions,
        },
    )


def write_refunded(
    connection: Connection,
    *,
    merchant_id: str,
    order_id: str,
    state: str,
    cash_minor: int,
    qualifying_minor: int,
) -> None:
    """Moves the order's state and what is left of it."""
    connection.execute(
        _REFUND,
        {
            "merchant_id": merchant_id,
            "order_id": order_id,
            "state": state,
            "cash_minor": cash_minor,
            "qualifying_minor": qualifying_minor,
        },
    )


def read_order_pages(
    connection: Connection, keys: Sequence[Key], *, after: tuple[int, str] | None, limit: int
) -> dict[Key, list[OrderRow]]:
    """A page of orders for each (merchant_id, card_id), newest first; one statement."""
    placed_at, order_id = after or END
    rows = connection.execute(
        _OF_CARDS,
        {
            "keys": keys_parameter(keys),
            "placed_at": placed_at,
            "order_id": order_id,
            "limit": limit,
        },
    )
    pages: dict[Key, list[OrderRow]] = {}
    for row in rows:
        pages.setdefault((row.merchant_id, row.card_id), []).append(_order(row))
    return pages


def read_merchant_page(
    connection: Connection, merchant_id: str, *, after: tuple[int, str] | None, limit: int
) -> list[OrderRow]:
    """The merchant's orders, newest first."""
    placed_at, order_id = after or END
    rows = connection.execute(
        _OF_MERCHANT,
        {
            "merchant_id": merchant_id,
            "placed_at": placed_at,
            "order_id": order_id,
            "limit": limit,
        },
    )
    return [_order(row) for row in rows]


def _order(row: Any) -> OrderRow:
    return OrderRow(**dict(zip(_NAMES, row, strict=True)))


def read_bought_lines(connection: Connection, *, merchant_id: str, card_id: str) -> list[str]:
    """Lines, as text, of the card's last orders that were not refunded, newest first."""
    rows = connection.execute(
        _BOUGHT, {"merchant_id": merchant_id, "card_id": card_id, "limit": BOUGHT_ORDERS_MAX}
    )
    return list(rows.scalars())
