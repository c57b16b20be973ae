"""SQL of promotions' stock: each change is one conditional write. The caller owns the transaction.

Source: docs/rules/pricing.md, rule 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.offers import StockUnits

_TAKE = Prepared(
    "UPDATE promotion SET taken = taken + :units WHERE merchant_id = :merchant_id"
    " AND promotion_id = :promotion_id AND stock IS NOT NULL AND taken + :units <= stock"
)
_GIVE_BACK = Prepared(
    "UPDATE promotion SET taken = taken - :units"
    " WHERE merchant_id = :merchant_id AND promotion_id = :promotion_id"
)
_LEFT = Prepared(
    "SELECT stock - taken FROM promotion WHERE merchant_id = :merchant_id"
    " AND promotion_id = :promotion_id AND stock IS NOT NULL"
)
_INSERT_USE = Prepared(
    "INSERT INTO promotion_use (merchant_id, promotion_id, attempt_id, units, state, order_id, at)"
    " VALUES (:merchant_id, :promotion_id, :attempt_id, :units, :state, :order_id, :at)"
)
_OF_ATTEMPT = Prepared(
    "SELECT promotion_id, units FROM promotion_use WHERE merchant_id = :merchant_id"
    " AND attempt_id = :attempt_id AND state = :state ORDER BY promotion_id"
)
_OF_ORDER = Prepared(
    "SELECT promotion_id, units, attempt_id FROM promotion_use WHERE merchant_id = :merchant_id"
    " AND order_id = :order_id AND state = 'SOLD' ORDER BY promotion_id"
)
_MOVE = Prepared(
    "UPDATE promotion_use SET state = :state, order_id = :order_id WHERE merchant_id ="
    " :merchant_id AND promotion_id = :promotion_id AND attempt_id = :attempt_id"
    " AND state = :was"
)


def hold_stock(
    connection: Connection,
    wanted: Sequence[StockUnits],
    *,
    merchant_id: str,
    attempt_id: str,
    at: int,
) -> str | None:
    """Holds the units for the attempt; the first promotion that has too few, or None.

    What the attempt holds already stays. Raising rolls back what was held before the refusal.
    """
    held = {each.promotion_id for each in read_held(connection, merchant_id, attempt_id)}
    for each in wanted:
        if each.promotion_id in held:
            continue
        key = {"merchant_id": merchant_id, "promotion_id": each.promotion_id}
        if connection.execute(_TAKE, {**key, "units": each.units}).rowcount == 0:
            return each.promotion_id
        use = {"attempt_id": attempt_id, "units": each.units, "state": "HELD", "order_id": None}
        connection.execute(_INSERT_USE, {**key, **use, "at": at})
    return None


def sell_stock(
    connection: Connection,
    bought: Sequence[StockUnits],
    *,
    merchant_id: str,
    attempt_id: str,
    order_id: str,
    at: int,
) -> None:
    """Turns what the attempt holds into what its order bought.

    Units of a paid order that nobody holds any more are taken as far as they are there: what is
    paid stands, and the stock never falls below 0.
    """
    held = {each.promotion_id for each in read_held(connection, merchant_id, attempt_id)}
    for each in bought:
        key: dict[str, Any] = {
            "merchant_id": merchant_id,
            "promotion_id": each.promotion_id,
            "attempt_id": attempt_id,
            "order_id": order_id,
        }
        if each.promotion_id in held:
            connection.execute(_MOVE, {**key, "was": "HELD", "state": "SOLD"})
            continue
        left = connection.execute(
            _LEFT, {"merchant_id": merchant_id, "promotion_id": each.promotion_id}
        ).scalar()
        units = min(each.units, left or 0)
        taken = {"merchant_id": merchant_id, "promotion_id": each.promotion_id, "units": units}
        if units and connection.execute(_TAKE, taken).rowcount:
            connection.execute(_INSERT_USE, {**key, "units": units, "state": "SOLD", "at": at})


def release_stock(connection: Connection, *, merchant_id: str, attempt_id: str) -> None:
    """Gives back what the attempt holds."""
    for each in read_held(connection, merchant_id, attempt_id):
        _end(
            connection,
            each,
            merchant_id=merchant_id,
            attempt_id=attempt_id,
            was="HELD",
            becomes="RELEASED",
            order_id=None,
        )


def return_stock(connection: Connection, *, merchant_id: str, order_id: str) -> None:
    """Gives back what the order bought."""
    rows = connection.execute(_OF_ORDER, {"merchant_id": merchant_id, "order_id": order_id}).all()
    for row in rows:
        _end(
            connection,
            StockUnits(row.promotion_id, row.units),
            merchant_id=merchant_id,
            attempt_id=row.attempt_id,
            was="SOLD",
            becomes="RETURNED",
            order_id=order_id,
        )


def read_held(connection: Connection, merchant_id: str, attempt_id: str) -> list[StockUnits]:
    """What the attempt holds."""
    rows = connection.execute(
        _OF_ATTEMPT, {"merchant_id": merchant_id, "attempt_id": attempt_id, "state": "HELD"}
    )
    return [StockUnits(row.promotion_id, row.units) for row in rows]


def _end(
    connection: Connection,
    stock: StockUnits,
    *,
    merchant_id: str,
    attempt_id: str,
    was: str,
    becomes: str,
    order_id: str | None,
) -> None:
    key = {"merchant_id": merchant_id, "promotion_id": stock.promotion_id}
    moved = connection.execute(
        _MOVE,
        {**key, "attempt_id": attempt_id, "was": was, "state": becomes, "order_id": order_id},
    )
    if moved.rowcount:
        connection.execute(_GIVE_BACK, {**key, "units": stock.units})
