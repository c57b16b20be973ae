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
_EXPIRED = Prepared(
    select(USED_TOKEN.c.proof).where(USED_TOKEN.c.expires_s <= bindparam("before_s")).limit(1)
)
_FORGET = Prepared(delete(USED_TOKEN).where(USED_TOKEN.c.expires_s <= bindparam("before_s")))

KEPT_SECONDS = 60
"""How long a token is kept past its end: by that much another gateway's clock may be late."""


def read_user(connection: Connection, proof: str) -> str | None:
    """The merchant that took the token; None while nobody did."""
    user: str | None = connection.execute(_USER, {"token_proof": proof}).scalar()
    return user


def keep_user(connection: Connection, token: str, *, merchant_id: str) -> bool:
    """Whether a good token is the merchant's own, now or before.

    Of transactions that keep a token at once, one that only sees what was committed before each
    statement learns whose it became.
    """
    shown = read_token(token)
    assert shown is not None, "the token named somebody"
    user = read_user(connection, shown.proof)
    if user is None:
        connection.execute(
            _KEEP,
            {"proof": shown.proof, "merchant_id": merchant_id, "expires_s": shown.expires_s},
        )
        user = read_user(connection, shown.proof)
    return user == merchant_id


def has_expired(connection: Connection, *, now: datetime) -> bool:
    """Whether there is any token that no gateway takes for good any more."""
    return connection.execute(_EXPIRED, {"before_s": _before(now)}).scalar() is not None


def forget_expired(connection: Connection, *, now: datetime) -> int:
    """Deletes tokens that no gateway takes for good any more; how many."""
    return connection.execute(_FORGET, {"before_s": _before(now)}).rowcount


def _before(now: datetime) -> int:
    return int(now.timestamp()) - KEPT_SECONDS
