"""Statements on referrals. The caller owns the transaction. See docs/rules/referrals.md."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, text, tuple_, update

from gateway.membership.tables import IDENTITY, MEMBER, REFERRAL
from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from merchants.port import Event, EventKind

RETURN_WINDOW = timedelta(days=7)
FRIENDS_A_DAY = 20
DUE_BATCH = 100
CODE_LENGTH = 8
CODE_TRIES = 10
_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PENDING_SQL = "state = 'PENDING'"
_QUALIFIED_SQL = "state = 'QUALIFIED'"
_PENDING = Prepared(
    select(REFERRAL.c.friend_id, REFERRAL.c.friend_card_id).where(
        text(_PENDING_SQL), REFERRAL.c.friend_card_id.in_(bindparam("card_ids", expanding=True))
    )
)
_CODE_TAKEN = Prepared(select(MEMBER.c.id).where(MEMBER.c.invite_code == bindparam("code")))


class ReferralState(StrEnum):
    """How far a referral is; the last two are final."""

    PENDING = "PENDING"
    QUALIFIED = "QUALIFIED"
    REWARDED = "REWARDED"
    REVERSED = "REVERSED"


@dataclass(frozen=True, slots=True)
class Referral:
    """One friend that a member invited.

    Attributes:
        merchant_id, order_id: the friend's first order; None while PENDING.
        due_at: when that order can not be returned any more.
        tries: how often a reward was refused for want of budget.
    """

    friend_id: str
    referrer_id: str
    state: ReferralState
    merchant_id: str | None
    order_id: str | None
    due_at: datetime | None
    tries: int


def free_invite_code(connection: Connection, member_id: str, *, secret: bytes) -> str:
    """A code that no member has, and that nobody without the secret can foretell."""
    for attempt in range(CODE_TRIES):
        parts = "\0".join(("invite", member_id, str(attempt)))
        digest = hmac.digest(secret, parts.encode(), hashlib.sha256)
        code = "".join(_CODE_LETTERS[byte & 31] for byte in digest[:CODE_LENGTH])
        if connection.execute(_CODE_TAKEN, {"code": code}).one_or_none() is None:
            return code
    raise AssertionError("every code that was tried is taken")


def find_referrer(connection: Connection, code: str) -> str | None:
    """The member, neither frozen nor gone, that a code names; None when it names nobody."""
    owner = MEMBER.alias("owner")
    found: str | None = connection.execute(
        select(MEMBER.c.id)
        .select_from(owner)
        .join(MEMBER, MEMBER.c.id == func.coalesce(owner.c.merged_into, owner.c.id))
        .where(owner.c.invite_code == code.strip().upper(), MEMBER.c.status == "ACTIVE")
    ).scalar()
    return found


def is_same_person(
    connection: Connection, referrer_id: str, *, kind: str, value_hash: bytes, device: str | None
) -> bool:
    """Whether the referrer has the newcomer's identity, wherever asserted, or joined by its device.

    Source: docs/rules/referrals.md, rule 3.
    """
    same_identity = select(IDENTITY.c.member_id).where(
        IDENTITY.c.member_id == referrer_id,
        IDENTITY.c.kind == kind,
        IDENTITY.c.value_hash == value_hash,
    )
    if connection.execute(same_identity.limit(1)).first() is not None:
        return True
    if device is None:
        return False
    same_device = select(MEMBER.c.id).where(
        MEMBER.c.id == referrer_id, MEMBER.c.joined_device == device
    )
    return connection.execute(same_device).first() is not None


def has_friends_left(connection: Connection, referrer_id: str, *, now: datetime) -> bool:
    """Whether the member's referrals of the last day are below their limit."""
    counted = connection.execute(
        select(func.count())
        .select_from(REFERRAL)
        .where(
            REFERRAL.c.referrer_id == referrer_id,
            REFERRAL.c.at > to_micros(now - timedelta(days=1)),
        )
    ).scalar_one()
    return int(counted) < FRIENDS_A_DAY


def insert_referral(
    connection: Connection, *, friend_id: str, friend_card_id: str, referrer_id: str, at: datetime
) -> None:
    """Keeps a new referral, PENDING."""
    connection.execute(
        insert(REFERRAL).values(
            friend_id=friend_id,
            friend_card_id=friend_card_id,
            referrer_id=referrer_id,
            state=ReferralState.PENDING,
            merchant_id=None,
            order_id=None,
            due_at=None,
            tries=0,
            at=to_micros(at),
        )
    )


def qualify(connection: Connection, events: Sequence[Event]) -> None:
    """Lets the first order of every friend among these events qualify its referral."""
    first: dict[str, Event] = {}
    for event in events:
        if event.kind is EventKind.ORDER_PLACED and event.card_id is not None:
            first.setdefault(event.card_id, event)
    if not first:
        return
    for row in connection.execute(_PENDING, {"card_ids": list(first)}):
        event = first[row.friend_card_id]
        connection.execute(
            update(REFERRAL)
            .where(REFERRAL.c.friend_id == row.friend_id, text(_PENDING_SQL))
            .values(
                state=ReferralState.QUALIFIED,
                merchant_id=event.merchant_id,
                order_id=event.order_id,
                due_at=to_micros(event.at + RETURN_WINDOW),
            )
        )


def read_due(
    connection: Connection, *, now: datetime, behind: Referral | None = None
) -> list[Referral]:
    """QUALIFIED referrals whose order can not be returned any more, longest due first.

    Those of frozen members wait, and are left out.

    Args:
        behind: the last one seen.
    """
    owner = MEMBER.alias("owner")
    is_frozen = (
        select(MEMBER.c.id)
        .select_from(owner)
        .join(MEMBER, MEMBER.c.id == func.coalesce(owner.c.merged_into, owner.c.id))
        .where(owner.c.id == REFERRAL.c.referrer_id, MEMBER.c.status == "FROZEN")
    )
    seen = (-1, "") if behind is None else (to_micros(behind.due_at or now), behind.friend_id)
    rows = connection.execute(
        select(REFERRAL)
        .where(
            text(_QUALIFIED_SQL),
            REFERRAL.c.due_at <= to_micros(now),
            tuple_(REFERRAL.c.due_at, REFERRAL.c.friend_id) > seen,
            ~is_frozen.exists(),
        )
        .order_by(REFERRAL.c.due_at, REFERRAL.c.friend_id)
        .limit(DUE_BATCH)
    )
    return [_referral_of(row) for row in rows]


def move(connection: Connection, referral: Referral, state: ReferralState) -> bool:
    """Compare-and-set: whether the referral was as it was read, and is in `state` now."""
    result = connection.execute(
        update(REFERRAL)
        .where(REFERRAL.c.friend_id == referral.friend_id, REFERRAL.c.state == referral.state)
        .values(state=state)
    )
    return result.rowcount == 1


def put_off(connection: Connection, referral: Referral, *, due_at: datetime) -> None:
    """Lets a reward that no budget covered be tried again, under another key."""
    connection.execute(
        update(REFERRAL)
        .where(REFERRAL.c.friend_id == referral.friend_id, REFERRAL.c.tries == referral.tries)
        .values(tries=referral.tries + 1, due_at=to_micros(due_at))
    )


def follow_merge(
    connection: Connection, *, survivor_id: str, merged_id: str, merged_card: str, card_id: str
) -> None:
    """Reverses what one of two members got for inviting the other; the rest moves on.

    Source: docs/rules/merging.md, rule 10.
    """
    names = _names_of(connection, survivor_id, merged_id)
    connection.execute(
        update(REFERRAL)
        .where(
            and_(REFERRAL.c.friend_id.in_(names), REFERRAL.c.referrer_id.in_(names)),
        )
        .values(state=ReferralState.REVERSED)
    )
    connection.execute(
        update(REFERRAL)
        .where(REFERRAL.c.friend_card_id == merged_card)
        .values(friend_card_id=card_id)
    )


def count_by_state(connection: Connection, member_id: str) -> dict[ReferralState, int]:
    """How many friends of a member, and of whoever was merged into it, are in each state."""
    rows = connection.execute(
        select(REFERRAL.c.state, func.count().label("friends"))
        .where(REFERRAL.c.referrer_id.in_(_names_of(connection, member_id, member_id)))
        .group_by(REFERRAL.c.state)
    )
    counted = {ReferralState(row.state): int(row.friends) for row in rows}
    return {state: counted.get(state, 0) for state in ReferralState}


def read_invite_code(connection: Connection, member_id: str) -> str | None:
    """The code of a member; None when it has none."""
    code: str | None = connection.execute(
        select(MEMBER.c.invite_code).where(MEMBER.c.id == member_id)
    ).scalar()
    return code


def _names_of(connection: Connection, one_id: str, other_id: str) -> list[str]:
    ids = (one_id, other_id)
    found = connection.execute(
        select(MEMBER.c.id).where(or_(MEMBER.c.id.in_(ids), MEMBER.c.merged_into.in_(ids)))
    )
    return list(found.scalars())


def _referral_of(row: Any) -> Referral:
    return Referral(
        friend_id=row.friend_id,
        referrer_id=row.referrer_id,
        state=ReferralState(row.state),
        merchant_id=row.merchant_id,
        order_id=row.order_id,
        due_at=None if row.due_at is None else from_micros(row.due_at),
        tries=row.tries,
    )
