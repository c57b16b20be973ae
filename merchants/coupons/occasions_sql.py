"""SQL of coupons that templates give by themselves. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from kernel.statements import Prepared

_NOTE = Prepared(
    "INSERT INTO coupon_occasion (merchant_id, template_id, card_id, occasion, coupon_id)"
    " VALUES (:merchant_id, :template_id, :card_id, :occasion, :coupon_id)"
    " ON CONFLICT DO NOTHING"
)
_SETTLE = Prepared(
    "UPDATE coupon_occasion SET coupon_id = :coupon_id WHERE merchant_id = :merchant_id"
    " AND template_id = :template_id AND card_id = :card_id AND occasion = :occasion"
)
_DROP = Prepared(
    "DELETE FROM coupon_occasion WHERE merchant_id = :merchant_id"
    " AND template_id = :template_id AND card_id = :card_id AND occasion = :occasion"
)
_CARDS = Prepared(
    "SELECT m.card_id FROM membership AS m WHERE m.merchant_id = :merchant_id"
    " AND m.card_id > :after AND NOT EXISTS (SELECT 1 FROM forgotten_card AS f"
    " WHERE f.merchant_id = m.merchant_id AND f.card_id = m.card_id)"
    " ORDER BY m.card_id LIMIT :limit"
)
_GIVEN = Prepared(
    "SELECT card_id, occasion FROM coupon_occasion WHERE merchant_id = :merchant_id"
    " AND template_id = :template_id AND card_id IN :card_ids ORDER BY card_id, occasion",
    lists=("card_ids",),
)


def note_occasion(
    connection: Connection, *, merchant_id: str, template_id: str, card_id: str, occasion: str
) -> bool:
    """Whether the occasion had given nothing yet; it is this transaction's to give now."""
    values = {
        "merchant_id": merchant_id,
        "template_id": template_id,
        "card_id": card_id,
        "occasion": occasion,
        "coupon_id": "",
    }
    return connection.execute(_NOTE, values).rowcount == 1


def settle_occasion(
    connection: Connection,
    *,
    merchant_id: str,
    template_id: str,
    card_id: str,
    occasion: str,
    coupon_id: str | None,
) -> None:
    """Keeps what the occasion gave; with nothing given, a later time may give it."""
    key = {
        "merchant_id": merchant_id,
        "template_id": template_id,
        "card_id": card_id,
        "occasion": occasion,
    }
    if coupon_id is None:
        connection.execute(_DROP, key)
    else:
        connection.execute(_SETTLE, {**key, "coupon_id": coupon_id})


def read_cards(connection: Connection, merchant_id: str, *, after: str, limit: int) -> list[str]:
    """Up to `limit` cards that joined the merchant, behind `after`, by id; no erased member's."""
    rows = connection.execute(_CARDS, {"merchant_id": merchant_id, "after": after, "limit": limit})
    return list(rows.scalars())


def read_given(
    connection: Connection, *, merchant_id: str, template_id: str, card_ids: Sequence[str]
) -> set[tuple[str, str]]:
    """(card_id, occasion) of what the template gave these cards by itself."""
    values = {
        "merchant_id": merchant_id,
        "template_id": template_id,
        "card_ids": list(card_ids),
    }
    return {(row.card_id, row.occasion) for row in connection.execute(_GIVEN, values)}
