"""Statements on who may be one person under two names. The caller owns the transaction."""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, select

from gateway.membership.tables import IDENTITY
from kernel.statements import Prepared

_OTHERS = IDENTITY.alias("others")
_SHARED = Prepared(
    select(IDENTITY.c.kind)
    .join(
        _OTHERS,
        and_(_OTHERS.c.kind == IDENTITY.c.kind, _OTHERS.c.value_hash == IDENTITY.c.value_hash),
    )
    .where(
        IDENTITY.c.member_id == bindparam("member_id"),
        _OTHERS.c.member_id == bindparam("other_id"),
    )
    .limit(1)
)


def share_an_identity(connection: Connection, member_id: str, other_id: str) -> bool:
    """Whether some phone number, e-mail address or the like was given for both members.

    Merchants may have asserted it, each for one of the two.
    """
    found = connection.execute(_SHARED, {"member_id": member_id, "other_id": other_id})
    return found.one_or_none() is not None
