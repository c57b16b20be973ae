"""SQL of the ids of merged cards, and what they mean now. The caller owns the transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from kernel.statements import Prepared

_SURVIVOR = Prepared(
    "SELECT survivor_id FROM card_alias WHERE merchant_id = :merchant_id AND card_id = :card_id"
)
_NAMES = Prepared(
    "SELECT COUNT(*) FROM card_alias WHERE merchant_id = :merchant_id AND survivor_id = :card_id"
)
_FOLLOW = Prepared(
    "UPDATE card_alias SET survivor_id = :survivor_id"
    " WHERE merchant_id = :merchant_id AND survivor_id = :card_id"
)
_ALIAS = Prepared(
    "INSERT INTO card_alias (merchant_id, card_id, survivor_id, merge_id)"
    " VALUES (:merchant_id, :card_id, :survivor_id, :merge_id)"
)
_FORGET = Prepared("DELETE FROM card_alias WHERE merchant_id = :merchant_id AND card_id = :card_id")


def read_survivor(connection: Connection, merchant_id: str, card_id: str) -> str | None:
    """The card that a merged card's id means now; None when it was never merged."""
    survivor: str | None = connection.execute(
        _SURVIVOR, {"merchant_id": merchant_id, "card_id": card_id}
    ).scalar()
    return survivor


def is_survivor(connection: Connection, merchant_id: str, card_id: str) -> bool:
    """Whether another card was merged into this one."""
    found = connection.execute(_NAMES, {"merchant_id": merchant_id, "card_id": card_id})
    return bool(found.scalar())


def keep_alias(
    connection: Connection, merchant_id: str, *, card_id: str, survivor_id: str, merge_id: str
) -> None:
    """Makes a card's id, and whatever was merged into it, other names of the survivor."""
    values = {"merchant_id": merchant_id, "card_id": card_id, "survivor_id": survivor_id}
    connection.execute(_FOLLOW, values)
    connection.execute(_ALIAS, {**values, "merge_id": merge_id})


def forget_alias(connection: Connection, merchant_id: str, card_id: str) -> None:
    """Makes a card's id its own again."""
    connection.execute(_FORGET, {"merchant_id": merchant_id, "card_id": card_id})
