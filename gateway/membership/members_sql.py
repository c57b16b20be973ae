"""Statements on members, cards, identities and consents. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, func, insert, or_, select

from gateway.membership.identities import EVERYWHERE, Identity, IdentityKind
from gateway.membership.memberships_sql import membership_of
from gateway.membership.people import (
    Card,
    CardStatus,
    Consent,
    Member,
    MemberStatus,
    Person,
    Profile,
)
from gateway.membership.tables import (
    CARD,
    CONSENT,
    IDENTITY,
    MEMBER,
    MEMBERSHIP,
    RETIRED_NUMBER,
)
from kernel.clock import from_micros, to_micros
from kernel.graphql import ChannelKind
from kernel.statements import Prepared

# The card that was named, and the member it was made for; its owner may be a survivor by now.
_NAMED = CARD.alias("named")
_HOLDER = MEMBER.alias("holder")
_OWNER_ID = func.coalesce(_HOLDER.c.merged_into, _HOLDER.c.id)

_IS_THERE = MEMBER.c.status != MemberStatus.ERASED

_PERSON = (
    MEMBER.c.status.label("member_status"),
    CARD.c.id.label("card_id"),
    CARD.c.member_id,
    CARD.c.number,
    CARD.c.status,
    CARD.c.generation,
    MEMBERSHIP.c.id.label("membership_id"),
    MEMBERSHIP.c.merchant_id,
    MEMBERSHIP.c.store_id,
    MEMBERSHIP.c.joined_at,
    MEMBERSHIP.c.made_by,
    MEMBERSHIP.c.made_member,
    MEMBERSHIP.c.is_told,
)


_AT_MERCHANT: BindParameter[str] = bindparam("merchant_id")
_MEMBER_IDS: BindParameter[str] = bindparam("member_ids", expanding=True)

_FIND_BY_IDENTITY = Prepared(
    select(IDENTITY.c.is_verified, *_PERSON)
    .select_from(IDENTITY)
    .join(MEMBER, MEMBER.c.id == IDENTITY.c.member_id)
    .join(CARD, CARD.c.member_id == IDENTITY.c.member_id)
    .outerjoin(
        MEMBERSHIP,
        and_(
            MEMBERSHIP.c.member_id == IDENTITY.c.member_id,
            MEMBERSHIP.c.merchant_id == _AT_MERCHANT,
        ),
    )
    .where(
        IDENTITY.c.kind == bindparam("kind"),
        IDENTITY.c.value_hash == bindparam("value_hash"),
        or_(IDENTITY.c.scope == EVERYWHERE, IDENTITY.c.scope == _AT_MERCHANT),
    )
    .order_by(IDENTITY.c.scope)
    .limit(1)
)
_OF_CARD = (
    select(*_PERSON)
    .select_from(_NAMED)
    .join(_HOLDER, _HOLDER.c.id == _NAMED.c.member_id)
    .join(MEMBER, MEMBER.c.id == _OWNER_ID)
    .join(CARD, and_(CARD.c.member_id == MEMBER.c.id, _IS_THERE))
    .outerjoin(
        MEMBERSHIP,
        and_(
            MEMBERSHIP.c.member_id == CARD.c.member_id,
            MEMBERSHIP.c.merchant_id == _AT_MERCHANT,
        ),
    )
)
_FIND_BY_CARD_ID = Prepared(_OF_CARD.where(_NAMED.c.id == bindparam("card_id")))
_FIND_BY_NUMBER = Prepared(_OF_CARD.where(_NAMED.c.number == bindparam("number")))
_NUMBER_TAKEN = Prepared(select(CARD.c.id).where(CARD.c.number == bindparam("number")))
_NUMBER_RETIRED = Prepared(
    select(RETIRED_NUMBER.c.card_id).where(RETIRED_NUMBER.c.number == bindparam("number"))
)
_INSERT_MEMBER = Prepared(insert(MEMBER))
_INSERT_CARD = Prepared(insert(CARD))
_INSERT_IDENTITY = Prepared(insert(IDENTITY))
_INSERT_CONSENT = insert(CONSENT)
_MEMBERS = Prepared(
    select(_HOLDER.c.id.label("asked_id"), MEMBER)
    .select_from(_HOLDER)
    .join(MEMBER, MEMBER.c.id == _OWNER_ID)
    .where(_HOLDER.c.id.in_(_MEMBER_IDS))
)
_CARDS = Prepared(
    select(_NAMED.c.id.label("asked_id"), CARD)
    .select_from(_NAMED)
    .join(_HOLDER, _HOLDER.c.id == _NAMED.c.member_id)
    .join(MEMBER, and_(MEMBER.c.id == _OWNER_ID, _IS_THERE))
    .join(CARD, CARD.c.member_id == MEMBER.c.id)
    .where(_NAMED.c.id.in_(bindparam("card_ids", expanding=True)))
)
_NAMED_CARD = Prepared(select(CARD).where(CARD.c.id == bindparam("card_id")))
_CARDS_OF_MEMBERS = Prepared(
    select(_HOLDER.c.id.label("asked_id"), CARD)
    .select_from(_HOLDER)
    .join(MEMBER, and_(MEMBER.c.id == _OWNER_ID, _IS_THERE))
    .join(CARD, CARD.c.member_id == MEMBER.c.id)
    .where(_HOLDER.c.id.in_(_MEMBER_IDS))
)


def find_by_identity(
    connection: Connection, *, kind: IdentityKind, value_hash: bytes, merchant_id: str
) -> Person | None:
    """Whom an identity names at a merchant; one that counts everywhere goes first."""
    row = connection.execute(
        _FIND_BY_IDENTITY,
        {"kind": kind, "value_hash": value_hash, "merchant_id": merchant_id},
    ).one_or_none()
    return None if row is None else _person_of(row, is_proven=row.is_verified)


def find_by_card(connection: Connection, *, merchant_id: str, card_id: str) -> Person | None:
    """Who owns the card of an id."""
    row = connection.execute(
        _FIND_BY_CARD_ID, {"card_id": card_id, "merchant_id": merchant_id}
    ).one_or_none()
    return None if row is None else _person_of(row, is_proven=True)


def card_exists(connection: Connection, card_id: str) -> bool:
    """Whether a member has the card of this id, by whatever name."""
    return card_id in read_cards(connection, [card_id])


def find_by_number(connection: Connection, *, merchant_id: str, number: str) -> Person | None:
    """Who owns the card of a number."""
    row = connection.execute(
        _FIND_BY_NUMBER, {"number": number, "merchant_id": merchant_id}
    ).one_or_none()
    return None if row is None else _person_of(row, is_proven=True)


def is_number_taken(connection: Connection, number: str) -> bool:
    """Whether a card has this number, or had it."""
    taken = connection.execute(_NUMBER_TAKEN, {"number": number}).one_or_none()
    return taken is not None or is_number_retired(connection, number)


def is_number_retired(connection: Connection, number: str) -> bool:
    """Whether a card had this number, and has another one now."""
    return connection.execute(_NUMBER_RETIRED, {"number": number}).one_or_none() is not None


def read_named_card(connection: Connection, card_id: str) -> Card | None:
    """The card of an id itself, also when its member was merged."""
    row = connection.execute(_NAMED_CARD, {"card_id": card_id}).one_or_none()
    return None if row is None else _card_of(row, row.id)


def insert_member(
    connection: Connection,
    member: Member,
    *,
    profile: Profile,
    referral_code: str | None,
    invite_code: str | None = None,
    device: str | None = None,
) -> None:
    """Keeps a new member.

    Args:
        referral_code: the code that the member came with.
        invite_code: the code by which it invites others.
        device: that it joined by, where customers use their own.
    """
    connection.execute(
        _INSERT_MEMBER,
        {
            "id": member.id,
            "status": member.status,
            "display_name": member.display_name,
            "birthday": None if profile.birthday is None else profile.birthday.isoformat(),
            "gender": profile.gender,
            "region": profile.region,
            "referral_code": referral_code,
            "invite_code": invite_code,
            "joined_device": device,
            "joined_merchant_id": member.joined_merchant_id,
            "joined_store_id": member.joined_store_id,
            "joined_channel": member.joined_channel.value,
            "joined_at": to_micros(member.joined_at),
            "merged_into": None,
        },
    )


def insert_card(connection: Connection, card: Card, *, issued_at: datetime) -> None:
    """Keeps a new card."""
    connection.execute(
        _INSERT_CARD,
        {
            "id": card.id,
            "member_id": card.member_id,
            "number": card.number,
            "status": card.status,
            "generation": card.generation,
            "issued_at": to_micros(issued_at),
        },
    )


def insert_identity(
    connection: Connection, identity: Identity, *, value_hash: bytes, scope: str
) -> None:
    """Keeps a new identity."""
    connection.execute(
        _INSERT_IDENTITY,
        {
            "kind": identity.kind,
            "value_hash": value_hash,
            "scope": scope,
            "member_id": identity.member_id,
            "issuer": identity.issuer,
            "masked": identity.masked,
            "is_verified": identity.is_verified,
            "asserted_by": identity.asserted_by,
            "created_at": to_micros(identity.created_at),
        },
    )


def insert_consents(connection: Connection, consents: Sequence[Consent]) -> None:
    """Keeps consents behind those kept before."""
    if consents:
        connection.execute(
            _INSERT_CONSENT,
            [
                {
                    "member_id": consent.member_id,
                    "merchant_id": consent.merchant_id,
                    "purpose": consent.purpose,
                    "granted": consent.granted,
                    "since": to_micros(consent.since),
                }
                for consent in consents
            ],
        )


def read_members(connection: Connection, member_ids: Sequence[str]) -> dict[str, Member]:
    """Members by the id asked for, those that exist; the survivor for a merged one."""
    rows = connection.execute(_MEMBERS, {"member_ids": member_ids})
    return {row.asked_id: _member_of(row) for row in rows}


def read_cards(connection: Connection, card_ids: Sequence[str]) -> dict[str, Card]:
    """Cards by the id asked for, those that exist; the survivor's for a merged member's."""
    rows = connection.execute(_CARDS, {"card_ids": card_ids})
    return {row.asked_id: _card_of(row, row.id) for row in rows}


def read_cards_of_members(connection: Connection, member_ids: Sequence[str]) -> dict[str, Card]:
    """Cards by the member id asked for; the survivor's for a merged member."""
    rows = connection.execute(_CARDS_OF_MEMBERS, {"member_ids": member_ids})
    return {row.asked_id: _card_of(row, row.id) for row in rows}


def read_identities(connection: Connection, member_ids: Sequence[str]) -> dict[str, list[Identity]]:
    """Identities by member id, oldest first."""
    found: dict[str, list[Identity]] = {member_id: [] for member_id in member_ids}
    statement = (
        select(IDENTITY)
        .where(IDENTITY.c.member_id.in_(member_ids))
        .order_by(IDENTITY.c.created_at, IDENTITY.c.kind, IDENTITY.c.value_hash)
    )
    for row in connection.execute(statement):
        found[row.member_id].append(
            Identity(
                member_id=row.member_id,
                kind=IdentityKind(row.kind),
                issuer=row.issuer,
                masked=row.masked,
                is_verified=row.is_verified,
                asserted_by=row.asserted_by,
                created_at=from_micros(row.created_at),
            )
        )
    return found


def read_consents(connection: Connection, member_ids: Sequence[str]) -> dict[str, list[Consent]]:
    """The last consent for each merchant and purpose, by member id, newest first."""
    latest: dict[str, dict[tuple[str, str], Consent]] = {member_id: {} for member_id in member_ids}
    statement = (
        select(CONSENT).where(CONSENT.c.member_id.in_(member_ids)).order_by(CONSENT.c.id.desc())
    )
    for row in connection.execute(statement):
        consent = Consent(
            member_id=row.member_id,
            merchant_id=row.merchant_id,
            purpose=row.purpose,
            granted=row.granted,
            since=from_micros(row.since),
        )
        latest[row.member_id].setdefault((row.merchant_id, row.purpose), consent)
    return {member_id: list(consents.values()) for member_id, consents in latest.items()}


def _person_of(row: Any, *, is_proven: bool) -> Person:
    return Person(
        member_id=row.member_id,
        status=MemberStatus(row.member_status),
        card=_card_of(row, row.card_id),
        is_proven=is_proven,
        membership=None if row.membership_id is None else membership_of(row, row.membership_id),
    )


def _member_of(row: Any) -> Member:
    return Member(
        id=row.id,
        status=MemberStatus(row.status),
        display_name=row.display_name,
        joined_merchant_id=row.joined_merchant_id,
        joined_store_id=row.joined_store_id,
        joined_channel=ChannelKind(row.joined_channel),
        joined_at=from_micros(row.joined_at),
        birthday=None if row.birthday is None else date.fromisoformat(row.birthday),
    )


def _card_of(row: Any, card_id: str) -> Card:
    return Card(
        id=card_id,
        member_id=row.member_id,
        number=row.number,
        status=CardStatus(row.status),
        generation=row.generation,
    )
