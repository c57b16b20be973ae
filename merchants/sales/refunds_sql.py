"""SQL of refunds. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from kernel.statements import Prepared

_COLUMNS = (
    "merchant_id, order_id, refund_no, position, fact_hash, lines, shipping_minor, cash_minor,"
    " points, coins_minor, points_kept, qualifying_minor, coupon_outcome, redemptions,"
    " state_after, at, deducted_minor, deducted_coins_minor, deducted_points, deducted_for"
)
_INSERT = Prepared(
    f"INSERT INTO refund ({_COLUMNS}) VALUES (:merchant_id, :order_id, :refund_no, :position,"
    " :fact_hash, :lines, :shipping_minor, :cash_minor, :points, :coins_minor, :points_kept,"
    " :qualifying_minor, :coupon_outcome, :redemptions, :state_after, :at, :deducted_minor,"
    " :deducted_coins_minor, :deducted_points, :deducted_for)"
)
_OF_ORDER = Prepared(
    f"SELECT {_COLUMNS} FROM refund WHERE merchant_id = :merchant_id AND order_id = :order_id"
    " ORDER BY position"
)


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund as it is kept; `lines` and `redemptions` are JSON text, `at` microseconds.

    Attributes:
        position: counts the order's refunds from 1.
        deducted_minor, deducted_coins_minor, deducted_points: kept back because a coupon or a gift
            is no longer earned; negative when given back.
        deducted_for: names of `KeptBackReason`, with commas between them.
    """

    merchant_id: str
    order_id: str
    refund_no: str
    position: int
    fact_hash: str
    lines: str
    shipping_minor: int
    cash_minor: int
    points: int
    coins_minor: int
    points_kept: int
    qualifying_minor: int
    coupon_outcome: str
    redemptions: str
    state_after: str
    at: int
    deducted_minor: int
    deducted_coins_minor: int
    deducted_points: int
    deducted_for: str


_NAMES = tuple(RefundRow.__dataclass_fields__)
_values_of = attrgetter(*_NAMES)


def insert_refund(connection: Connection, refund: RefundRow) -> None:
    """Keeps a refund."""
    connection.execute(_INSERT, {name: getattr(refund, name) for name in _NAMES})


def read_refunds(connection: Connection, *, merchant_id: str, order_id: str) -> list[RefundRow]:
    """The order's refunds, oldest first."""
    rows = connection.execute(_OF_ORDER, {"merchant_id": merchant_id, "order_id": order_id})
    return [_refund(row) for row in rows]


def _refund(row: Any) -> RefundRow:
    return RefundRow(*_values_of(row))
