"""SQL of the cards of erased members. The caller owns the transaction.

Source: docs/rules/identity.md, rule 16.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from kernel.statements import Prepared

_KEEP = Prepared(
    "INSERT INTO forgotten_card (merchant_id, card_id) VALUES (:merchant_id, :card_id)"
    " ON CONFLICT DO NOTHING"
)
_IS_KEPT = Prepared(
    "SELECT COUNT(*) FROM forgotten_card WHERE merchant_id = :merchant_id AND card_id = :card_id"
)
_COUPONS = Prepared(
    "SELECT c.coupon_id FROM coupon AS c JOIN forgotten_card AS f"
    " ON f.merchant_id = c.merchant_id AND f.card_id = c.card_id"
    " WHERE c.merchant_id = :merchant_id AND c.coupon_id IN :coupon_ids ORDER BY c.coupon_id",
    lists=("coupon_ids",),
)


def keep_forgotten(connection: Connection, merchant_id: str, card_id: str) -> None:
    """Notes, for ever, that the merchant gives the card nothing any more."""
    connection.execute(_KEEP, {"merchant_id": merchant_id, "card_id": card_id})


def is_forgotten(connection: Connection, merchant_id: str, card_id: str) -> bool:
    """Whether the card is an erased member's."""
    found = connection.execute(_IS_KEPT, {"merchant_id": merchant_id, "card_id": card_id})
    return bool(found.scalar())


def read_forgotten_coupons(
    connection: Connection, merchant_id: str, coupon_ids: Sequence[str]
) -> list[str]:
    """Which of the coupons are on cards of erased members."""
    values = {"merchant_id": merchant_id, "coupon_ids": list(coupon_ids)}
    return list(connection.execute(_COUPONS, values).scalars())
