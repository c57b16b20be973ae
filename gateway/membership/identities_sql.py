"""Statements on who owns an identity. The caller owns the transaction."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select, true, update

from gateway.membership.identities import EVERYWHERE, Credential, IdentityKind
from gateway.membership.tables import IDENTITY

STRONG_KINDS = (IdentityKind.PHONE, IdentityKind.WECHAT_UNION_ID)


def find_owner(connection: Connection, credential: Credential, *, value_hash: bytes) -> str | None:
    """Id of the member whom the credential names everywhere; None when it names nobody."""
    owner: str | None = connection.execute(
        select(IDENTITY.c.member_id).where(
            *_is(credential, value_hash), IDENTITY.c.scope == EVERYWHERE
        )
    ).scalar()
    return owner


def has_identity(
    connection: Connection,
    credential: Credential,
    *,
    value_hash: bytes,
    member_id: str,
    verified: bool,
) -> bool:
    """Whether the member has it: proven and good everywhere, or in any way at all."""
    statement = select(IDENTITY.c.scope).where(
        *_is(credential, value_hash), IDENTITY.c.member_id == member_id
    )
    if verified:
        statement = statement.where(IDENTITY.c.scope == EVERYWHERE)
    return connection.execute(statement.limit(1)).first() is not None


def has_strong_identity(connection: Connection, member_id: str) -> bool:
    """Whether the member proved a phone number or a unionid.

    Source: docs/rules/identity.md, rule 12.
    """
    found = connection.execute(
        select(IDENTITY.c.scope)
        .where(
            IDENTITY.c.member_id == member_id,
            IDENTITY.c.is_verified == true(),
            IDENTITY.c.kind.in_(STRONG_KINDS),
        )
        .limit(1)
    )
    return found.first() is not None


def verify_asserted(
    connection: Connection, credential: Credential, *, value_hash: bytes, member_id: str
) -> None:
    """The member's rows of this value are proven; the oldest counts everywhere from now on."""
    mine = (*_is(credential, value_hash), IDENTITY.c.member_id == member_id)
    scopes = list(
        connection.execute(
            select(IDENTITY.c.scope).where(*mine).order_by(IDENTITY.c.created_at, IDENTITY.c.scope)
        ).scalars()
    )
    if not scopes:
        return
    connection.execute(update(IDENTITY).where(*mine).values(is_verified=True))
    if EVERYWHERE not in scopes:
        connection.execute(
            update(IDENTITY).where(*mine, IDENTITY.c.scope == scopes[0]).values(scope=EVERYWHERE)
        )


def _is(credential: Credential, value_hash: bytes) -> tuple[ColumnElement[bool], ...]:
    return (IDENTITY.c.kind == credential.kind, IDENTITY.c.value_hash == value_hash)
