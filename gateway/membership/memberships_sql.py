"""Statements on memberships. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, text, tuple_, update

from gateway.directory.tables import MERCHANT
from gateway.membership.people import Membership
from gateway.membership.tables import MEMBER, MEMBERSHIP
from kernel.clock import from_micros, to_micros
from kernel.pages import PageArgs
from kernel.statements import Prepared

_INSERT_MEMBERSHIP = Prepared(insert(MEMBERSHIP))
# A merged member keeps the memberships that the survivor had too: aliases of the survivor's.
_ASKED = MEMBERSHIP.alias("asked")
_BY_IDS = Prepared(
    select(_ASKED.c.id.label("asked_id"), MEMBERSHIP)
    .select_from(_ASKED)
    .join(MEMBER, MEMBER.c.id == _ASKED.c.member_id)
    .join(
        MEMBERSHIP,
        and_(
            MEMBERSHIP.c.member_id == func.coalesce(MEMBER.c.merged_into, MEMBER.c.id),
            MEMBERSHIP.c.merchant_id == _ASKED.c.merchant_id,
        ),
    )
    .where(_ASKED.c.id.in_(bindparam("membership_ids", expanding=True)))
)
_MARK_TOLD = Prepared(
    update(MEMBERSHIP).where(MEMBERSHIP.c.id == bindparam("membership_id")).values(is_told=True)
)


def insert_membership(connection: Connection, membership: Membership) -> None:
    """Keeps a new membership."""
    connection.execute(
        _INSERT_MEMBERSHIP,
        {
            "id": membership.id,
            "merchant_id": membership.merchant_id,
            "member_id": membership.member_id,
            "card_id": membership.card_id,
            "store_id": membership.store_id,
            "joined_at": to_micros(membership.joined_at),
            "made_by": membership.made_by,
            "made_member": membership.made_member,
            "is_told": membership.is_told,
        },
    )


def mark_told(connection: Connection, membership_id: str) -> None:
    """Notes that the backends know of a membership."""
    connection.execute(_MARK_TOLD, {"membership_id": membership_id})


def read_untold(connection: Connection, *, after: str, limit: int) -> list[Membership]:
    """Up to `limit` memberships behind `after` that some backend does not know of yet, by id."""
    statement = (
        select(MEMBERSHIP)
        # Written out, because a partial index serves no condition with parameters.
        .where(text("NOT is_told"), MEMBERSHIP.c.id > after)
        .order_by(MEMBERSHIP.c.id)
        .limit(limit)
    )
    return [membership_of(row, row.id) for row in connection.execute(statement)]


def read_memberships(
    connection: Connection, membership_ids: Sequence[str]
) -> dict[str, Membership]:
    """Memberships by the id asked for, those that exist; the survivor's for a merged one."""
    rows = connection.execute(_BY_IDS, {"membership_ids": membership_ids})
    return {row.asked_id: membership_of(row, row.id) for row in rows}


def read_membership_ids(
    connection: Connection, *, member_ids: Sequence[str], merchant_id: str
) -> dict[str, str]:
    """Ids of the memberships of members at one merchant, by member id."""
    rows = connection.execute(
        select(MEMBERSHIP.c.member_id, MEMBERSHIP.c.id).where(
            MEMBERSHIP.c.member_id.in_(member_ids), MEMBERSHIP.c.merchant_id == merchant_id
        )
    )
    return {row.member_id: row.id for row in rows}


def read_memberships_page(
    connection: Connection, card_id: str, page: PageArgs
) -> list[tuple[str, Membership]]:
    """Up to `page.limit` memberships of a card with their merchants' names, by (name, id)."""
    statement = (
        select(MERCHANT.c.name.label("merchant_name"), MEMBERSHIP)
        .join(MERCHANT, MERCHANT.c.id == MEMBERSHIP.c.merchant_id)
        .where(MEMBERSHIP.c.card_id == card_id)
        .order_by(MERCHANT.c.name, MEMBERSHIP.c.id)
        .limit(page.limit)
    )
    if page.after is not None:
        statement = statement.where(tuple_(MERCHANT.c.name, MEMBERSHIP.c.id) > page.after)
    rows = connection.execute(statement)
    return [(row.merchant_name, membership_of(row, row.id)) for row in rows]


def membership_of(row: Any, membership_id: str) -> Membership:
    """The membership of a row that holds its columns."""
    return Membership(
        id=membership_id,
        merchant_id=row.merchant_id,
        member_id=row.member_id,
        card_id=row.card_id,
        store_id=row.store_id,
        joined_at=from_micros(row.joined_at),
        made_by=row.made_by,
        made_member=row.made_member,
        is_told=row.is_told,
    )
