"""A member was erased: no merchant gives its card anything, and nobody gets what it had.

Orders stay as they were booked. See docs/rules/identity.md, rule 16.
"""

from __future__ import annotations

from sqlalchemy import Connection

from merchants.merging_sql import move_membership, read_coupon_ids
from merchants.voiding_sql import void_coupon

ERASED = "The member was erased."


def forget_wallet(connection: Connection, merchant_id: str, card_id: str) -> None:
    """The card has not joined the merchant any more, and its unused coupons are void.

    A coupon that an open checkout holds stays held; let go, it is nobody's who could use it.
    """
    for coupon_id in read_coupon_ids(connection, merchant_id, card_id):
        void_coupon(connection, merchant_id=merchant_id, coupon_id=coupon_id, reason=ERASED)
    move_membership(connection, merchant_id, before=card_id, after=None)
