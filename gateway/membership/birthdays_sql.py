"""Whose birthday a merchant may know of. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, and_, bindparam, or_, select

from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from gateway.membership import members_sql
from gateway.membership.tables import CARD, MEMBER, MEMBERSHIP
from kernel.statements import Prepared

PROFILE = "PROFILE"
"""Purpose of the consent that lets a merchant use what a member told about itself."""

_IS_BORN_ON = and_(
    MEMBER.c.status == "ACTIVE",
    or_(MEMBER.c.birthday.like(bindparam("day")), MEMBER.c.birthday.like(bindparam("leap_day"))),
    MEMBER.c.id > bindparam("after"),
)
_AT_MERCHANT = Prepared(
    select(MEMBER.c.id, MEMBERSHIP.c.card_id)
    .join(MEMBERSHIP, MEMBERSHIP.c.member_id == MEMBER.c.id)
    .where(MEMBERSHIP.c.merchant_id == bindparam("merchant_id"), _IS_BORN_ON)
    .order_by(MEMBER.c.id)
    .limit(bindparam("limit"))
)
_ANYWHERE = Prepared(
    select(MEMBER.c.id, CARD.c.id.label("card_id"))
    .join(CARD, CARD.c.member_id == MEMBER.c.id)
    .where(_IS_BORN_ON)
    .order_by(MEMBER.c.id)
    .limit(bindparam("limit"))
)


def read_birthday_cards(
    connection: Connection, merchant_id: str, *, on: date, after: str, limit: int
) -> tuple[list[str], str | None]:
    """Cards of members of the merchant whose birthday it is and who consent, by member id.

    The alliance knows what every member told it; a merchant needs consent. Who was born on
    29 February has it on the 28th of other years.

    Returns:
        The cards of one page, and the last member looked at; None at the end.
    """
    is_leap_eve = (on.month, on.day) == (2, 28) and not _has_leap_day(on.year)
    values = {
        "day": f"%-{on:%m-%d}",
        "leap_day": "%-02-29" if is_leap_eve else f"%-{on:%m-%d}",
        "after": after,
        "limit": limit,
    }
    if merchant_id == ALLIANCE_MERCHANT_ID:
        rows = connection.execute(_ANYWHERE, values).all()
        return [row.card_id for row in rows], rows[-1].id if len(rows) == limit else None
    rows = connection.execute(_AT_MERCHANT, {**values, "merchant_id": merchant_id}).all()
    allowed = _consenting(connection, merchant_id, [row.id for row in rows])
    cards = [row.card_id for row in rows if row.id in allowed]
    return cards, rows[-1].id if len(rows) == limit else None


def _consenting(connection: Connection, merchant_id: str, member_ids: Sequence[str]) -> set[str]:
    if not member_ids:
        return set()
    return {
        member_id
        for member_id, consents in members_sql.read_consents(connection, member_ids).items()
        if any(
            each.granted and each.merchant_id == merchant_id and each.purpose == PROFILE
            for each in consents
        )
    }


def _has_leap_day(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
