"""A member was erased: no merchant gives its card anything, and nobody gets what it had.

Membership and orders stay as they were booked. See docs/rules/identity.md, rule 16.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from merchants.cards.forgotten_sql import keep_forgotten, read_forgotten_coupons
from merchants.coupons.coupons_sql import read_coupon_ids
from merchants.coupons.voiding_sql import void_coupon

ERASED = "The member was erased."


def forget_wallet(connection: Connection, merchant_id: str, card_id: str) -> None:
    """The merchant gives the card nothing from now on, and its unused coupons are void.

    What comes later, a join or a sale that was under way, opens nothing. A coupon that an open
    checkout holds stays held; let go, it is void.
    """
    keep_forgotten(connection, merchant_id, card_id)
    for coupon_id in read_coupon_ids(connection, merchant_id, card_id):
        void_coupon(connection, merchant_id=merchant_id, coupon_id=coupon_id, reason=ERASED)


def void_forgotten(connection: Connection, merchant_id: str, coupon_ids: Sequence[str]) -> None:
    """Withdraws coupons that just came back, where their member was erased meanwhile."""
    if not coupon_ids:
        return
    for coupon_id in read_forgotten_coupons(connection, merchant_id, coupon_ids):
        void_coupon(connection, merchant_id=merchant_id, coupon_id=coupon_id, reason=ERASED)
