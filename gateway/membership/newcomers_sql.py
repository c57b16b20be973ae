"""Makes a member with a card and the identity they came with. The caller owns the transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.directory.entries import Store
from gateway.membership import members_sql, referrals_sql
from gateway.membership.cards import NUMBER_TRIES, card_number
from gateway.membership.identities import Credential, Identity, masked, value_hash
from gateway.membership.joining import Join
from gateway.membership.people import Card, CardStatus, Member, Membership, MemberStatus


def insert_newcomer(
    connection: Connection,
    command: Join,
    credential: Credential,
    *,
    store: Store,
    made: Membership,
    device: str | None,
    secret: bytes,
) -> None:
    """Keeps a new member, card and identity, and who invited them.

    Args:
        device: the customer's own; None when staff did it.
        credential: the command's, read.
        made: the membership to be; names the member and the card.
    """
    members_sql.insert_member(
        connection,
        Member(
            id=made.member_id,
            status=MemberStatus.ACTIVE,
            display_name=command.profile.display_name,
            joined_merchant_id=made.merchant_id,
            joined_store_id=store.id,
            joined_channel=store.channel,
            joined_at=made.joined_at,
        ),
        profile=command.profile,
        referral_code=command.referral_code,
        invite_code=referrals_sql.free_invite_code(connection, made.member_id, secret=secret),
        device=device,
    )
    _insert_first_card(connection, made, secret=secret)
    if command.referral_code is not None:
        _insert_referral(
            connection, command.referral_code, credential, made, device=device, secret=secret
        )
    _insert_identity(connection, credential, made, secret=secret)


def free_number(connection: Connection, card_id: str, *, generation: int, secret: bytes) -> str:
    """A number that no card has.

    Source: docs/rules/cards.md, rule 2.
    """
    for attempt in range(NUMBER_TRIES):
        number = card_number(card_id, generation=generation, attempt=attempt, secret=secret)
        if not members_sql.is_number_taken(connection, number):
            return number
    raise AssertionError("every number that was tried is taken")


def _insert_referral(
    connection: Connection,
    code: str,
    credential: Credential,
    made: Membership,
    *,
    device: str | None,
    secret: bytes,
) -> None:
    """Source: docs/rules/referrals.md, rules 2 to 4."""
    referrer_id = referrals_sql.find_referrer(connection, code)
    if referrer_id is None or referrals_sql.is_same_person(
        connection,
        referrer_id,
        kind=credential.kind,
        value_hash=value_hash(credential, secret=secret),
        device=device,
    ):
        return
    if referrals_sql.has_friends_left(connection, referrer_id, now=made.joined_at):
        referrals_sql.insert_referral(
            connection,
            friend_id=made.member_id,
            friend_card_id=made.card_id,
            referrer_id=referrer_id,
            at=made.joined_at,
        )


def _insert_first_card(connection: Connection, made: Membership, *, secret: bytes) -> None:
    card = Card(
        id=made.card_id,
        member_id=made.member_id,
        number=free_number(connection, made.card_id, generation=1, secret=secret),
        status=CardStatus.ACTIVE,
        generation=1,
    )
    members_sql.insert_card(connection, card, issued_at=made.joined_at)


def _insert_identity(
    connection: Connection, credential: Credential, made: Membership, *, secret: bytes
) -> None:
    members_sql.insert_identity(
        connection,
        Identity(
            member_id=made.member_id,
            kind=credential.kind,
            issuer=credential.issuer,
            masked=masked(credential),
            is_verified=credential.is_vouched_for,
            asserted_by=made.merchant_id,
            created_at=made.joined_at,
        ),
        value_hash=value_hash(credential, secret=secret),
        scope=credential.scope_at(made.merchant_id),
    )
