"""Statements on display tokens that somebody joined with. The caller owns the transaction.

Source: docs/rules/cards.md, rule 5.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from gateway.membership.cards import read_token
from gateway.membership.tables import USED_TOKEN
from kernel.statements import Prepared

_USER = Prepared(
    select(USED_TOKEN.c.merchant_id).where(USED_TOKEN.c.proof == bindparam("token_proof"))
)
_KEEP = Prepared(insert(USED_TOKEN))
_FORGET = Prepared(delete(USED_TOKEN).where(USED_TOKEN.c.expires_s <= bindparam("now_s")))


def read_user(connection: Connection, proof: str) -> str | None:
    """The merchant that somebody joined with the token; None while nobody did."""
    user: str | None = connection.execute(_USER, {"token_proof": proof}).scalar()
    return user


def keep_user(connection: Connection, token: str, *, merchant_id: str, now: datetime) -> None:
    """Makes a good token the merchant's own; forgets those that expired."""
    shown = read_token(token)
    assert shown is not None, "the token named somebody"
    connection.execute(_FORGET, {"now_s": int(now.timestamp())})
    if read_user(connection, shown.proof) is None:
        connection.execute(
            _KEEP,
            {"proof": shown.proof, "merchant_id": merchant_id, "expires_s": shown.expires_s},
        )
