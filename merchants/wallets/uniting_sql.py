"""SQL of what two cards have beside their orders, when they become one. The caller commits."""

from __future__ import annotations

from sqlalchemy import Connection

from kernel.statements import Prepared

# A task that both cards did under one reference counts once, as it would have for one card.
_MOVE_GROWTH = Prepared(
    "UPDATE growth_entry SET card_id = :after WHERE merchant_id = :merchant_id"
    " AND card_id = :before AND NOT EXISTS (SELECT 1 FROM growth_entry AS o"
    " WHERE o.merchant_id = :merchant_id AND o.card_id = :after"
    " AND o.code = growth_entry.code AND o.reference = growth_entry.reference)"
)
_RETURN_GROWTH = Prepared(
    "UPDATE growth_entry SET card_id = done_by WHERE merchant_id = :merchant_id"
    " AND card_id = :before AND done_by = :after"
)
_MOVE_PAID = Prepared(
    "UPDATE paid_membership SET card_id = :after"
    " WHERE merchant_id = :merchant_id AND card_id = :before"
)
_RETURN_PAID = Prepared(
    "UPDATE paid_membership SET card_id = bought_by WHERE merchant_id = :merchant_id"
    " AND card_id = :before AND bought_by = :after"
)
_OWN_PAID = Prepared(
    "SELECT paid_id FROM paid_membership WHERE merchant_id = :merchant_id"
    " AND card_id = :card_id AND bought_by = :card_id"
)
_MOVE_FLOORS = Prepared(
    "UPDATE tier_floor SET card_id = :after WHERE merchant_id = :merchant_id"
    " AND card_id = :before AND cause IN (SELECT p.paid_id FROM paid_membership AS p"
    " WHERE p.merchant_id = :merchant_id AND p.card_id = :after)"
)
_FORGET_HELD = Prepared(
    "DELETE FROM tier_held WHERE merchant_id = :merchant_id AND card_id = :card_id"
)
_END_FLOOR = Prepared(
    "DELETE FROM tier_floor WHERE merchant_id = :merchant_id AND card_id = :card_id"
    " AND cause = :cause"
)


def move_overlays(connection: Connection, merchant_id: str, *, before: str, after: str) -> None:
    """Gives tasks done and paid memberships of one card to another."""
    names = {"merchant_id": merchant_id, "before": before, "after": after}
    for statement in (_MOVE_GROWTH, _MOVE_PAID, _MOVE_FLOORS):
        connection.execute(statement, names)


def return_overlays(connection: Connection, merchant_id: str, *, before: str, after: str) -> None:
    """Gives back to a card what it did and bought itself."""
    names = {"merchant_id": merchant_id, "before": before, "after": after}
    for statement in (_RETURN_GROWTH, _RETURN_PAID, _MOVE_FLOORS):
        connection.execute(statement, names)


def read_own_paid(connection: Connection, merchant_id: str, card_id: str) -> set[str]:
    """Ids of the paid memberships that the card has and bought itself: no merge brought them."""
    names = {"merchant_id": merchant_id, "card_id": card_id}
    return {row.paid_id for row in connection.execute(_OWN_PAID, names)}


def forget_held(connection: Connection, merchant_id: str, card_id: str) -> None:
    """Lets the card's tiers be found again from its history."""
    connection.execute(_FORGET_HELD, {"merchant_id": merchant_id, "card_id": card_id})


def end_floor(connection: Connection, merchant_id: str, card_id: str, *, cause: str) -> None:
    """Ends the floors of that cause."""
    names = {"merchant_id": merchant_id, "card_id": card_id, "cause": cause}
    connection.execute(_END_FLOOR, names)
