"""Statements on display tokens that a merchant took for its own. The caller owns the transaction.

Source: docs/rules/cards.md, rule 5.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from gateway.membership.cards import read_token
from gateway.membership.tables import USED_TOKEN
from kernel.statements import Prepared

_USER = Prepared(
    select(USED_TOKEN.c.merchant_id).where(USED_TOKEN.c.proof == bindparam("token_proof"))
)
_KEEP = Prepared(
    "INSERT INTO used_display_token (proof, merchant_id, expires_s)"
    " VALUES (:proof, :merchant_id, :expires_s) ON CONFLICT (proof) DO NOTHING"
)
_FORGET = Prepared(delete(USED_TOKEN).where(USED_TOKEN.c.expires_s <= bindparam("now_s")))


def read_user(connection: Connection, proof: str) -> str | None:
    """The merchant that took the token; None while nobody did."""
    user: str | None = connection.execute(_USER, {"token_proof": proof}).scalar()
    return user


def keep_user(connection: Connection, token: str, *, merchant_id: str, now: datetime) -> bool:
    """Whether a good token is the merchant's own, now or before; forgets those that expired."""
    shown = read_token(token)
    assert shown is not None, "the token named somebody"
    user = read_user(connection, shown.proof)
    if user is None:
        connection.execute(_FORGET, {"now_s": int(now.timestamp())})
        connection.execute(
            _KEEP,
            {"proof": shown.proof, "merchant_id": merchant_id, "expires_s": shown.expires_s},
        )
        user = read_user(connection, shown.proof)
    return user == merchant_id
