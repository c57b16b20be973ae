"""Reads the notices of a card. See docs/rules/points.md, rule 14."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select

from ledger.families.family_books import names_of
from ledger.outbox.tables import expiry_notice
from ledger.stores.every_lane import in_every_lane


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice; instants in microseconds.

    Attributes:
        expires_at: first instant at which the points can be spent no more.
        days: how many days ahead it was told.
    """

    expires_at: int
    days: int
    points: int
    recorded_at: int


def read_notices(
    connection: Connection, card_id: str, *, before: tuple[int, int], limit: int
) -> list[NoticeRow]:
    """Notices of a card, the latest expiry first and the nearest notice of it first.

    Those of cards that were merged into it are among them.

    Args:
        before: (expiry, days) of the last one seen.
    """
    told = expiry_notice.c
    expires_at, days = before
    statement = (
        select(told.expires_at, told.days, func.sum(told.points), func.max(told.recorded_at))
        .where(
            in_every_lane(expiry_notice),
            told.card_id.in_(names_of(connection, [card_id])[card_id]),
            or_(
                told.expires_at < expires_at, and_(told.expires_at == expires_at, told.days > days)
            ),
        )
        .group_by(told.expires_at, told.days)
        .order_by(told.expires_at.desc(), told.days)
        .limit(limit)
    )
    return [NoticeRow(*map(int, row)) for row in connection.execute(statement)]
