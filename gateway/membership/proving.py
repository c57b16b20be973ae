"""How members prove who they are: one-time codes, and identities linked by them.

See docs/rules/identity.md, rules 11 to 13.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.begun_work import BegunWork
from gateway.alliance.tables import REQUESTS
from gateway.membership import identities_sql, members_sql
from gateway.membership.identities import (
    EVERYWHERE,
    Credential,
    Identity,
    StatedCredential,
    credential_of,
    masked,
    value_hash,
)
from gateway.membership.joining import check_words
from gateway.membership.people import Member, MemberStatus
from gateway.membership.refusals import IdentityBelongsToAnother, MemberFrozen
from gateway.membership.verification import (
    CODE_DIGITS,
    CODE_KINDS,
    CODES_PER_MEMBER,
    CODES_PER_MERCHANT,
    CodeToSend,
    failed_check,
    keep_code,
)
from gateway.merging.conflicts import conflicts_between
from gateway.merging.merges import Merges
from kernel.callers import Caller, CallerKind
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.graphql import Forbidden, format_datetime, parse_datetime
from kernel.ids import IdSource
from kernel.refusals import InvalidInput, NotFound
from kernel.request_keys import request_key

logger = logging.getLogger(__name__)

CODE_CHARS_MAX = 16


@dataclass(frozen=True, slots=True)
class RequestCode:
    """Asks for a one-time code."""

    request_id: str
    credential: StatedCredential


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A code is on its way."""

    expires_at: datetime
    replayed: bool


@dataclass(frozen=True, slots=True)
class LinkIdentity:
    """Asks that a credential names the member too.

    Attributes:
        code: None leaves the identity unverified.
    """

    request_id: str
    member_id: str
    credential: StatedCredential
    code: str | None


@dataclass(frozen=True, slots=True)
class IdentityLinked:
    """The identity is the member's."""

    member_id: str
    replayed: bool


class Proving:
    """Sends codes, and links what they prove."""

    def __init__(
        self,
        *,
        database: Database,
        begun: BegunWork,
        clock: Clock,
        ids: IdSource,
        secret: bytes,
        shows_codes: bool,
        merges: Merges,
    ) -> None:
        self._database = database
        self._begun = begun
        self._clock = clock
        self._ids = ids
        self._secret = secret
        self._shows_codes = shows_codes
        self._merges = merges

    async def request_code(self, caller: Caller, command: RequestCode) -> CodeSent:
        """Sends a code to a phone number or an e-mail address, known or not.

        Raises:
            Forbidden: the caller is neither a member nor a merchant.
            InvalidInput: the credential is neither, or malformed.
            RateLimited: too many codes within the hour.
            RequestIdReused: the request id came with another input.
        """
        if caller.kind is CallerKind.ADMIN:
            raise Forbidden
        key = request_key(caller, "requestVerificationCode", command)
        is_member = caller.kind is CallerKind.MEMBER
        now, code_id = self._clock.now(), self._ids.new("vfy")
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"

        def work(connection: Connection) -> dict[str, Any]:
            wanted = CodeToSend(
                id=code_id,
                code=code,
                credential=_addressable(command.credential),
                caller=caller.key,
                caller_max=CODES_PER_MEMBER if is_member else CODES_PER_MERCHANT,
                now=now,
            )
            expires_at = keep_code(connection, wanted, secret=self._secret)
            return {"expires_at": format_datetime(expires_at)}

        answer = await self._begun.carry_out(
            self._database.transaction(
                lambda connection: REQUESTS.answer_once(
                    connection, key, now=now, work=lambda: work(connection)
                )
            )
        )
        told = answer.success()
        if self._shows_codes and not answer.replayed:
            shown = masked(_addressable(command.credential))
            logger.warning("verification code for %s: %s", shown, code)
        return CodeSent(parse_datetime(told["expires_at"]), answer.replayed)

    async def link(self, caller: Caller, command: LinkIdentity) -> IdentityLinked:
        """Adds an identity to the member of the token.

        Raises:
            NotFound: the id is not the token's member.
            MemberFrozen: the member is frozen.
            VerificationFailed: the code does not prove the credential.
            IdentityBelongsToAnother: another member proved it.
            InvalidInput: it is no credential that can be linked.
            RequestIdReused: the request id came with another input.
        """
        if caller.kind is not CallerKind.MEMBER:
            raise Forbidden
        key = request_key(caller, "linkIdentity", command)
        now = self._clock.now()
        answer = await self._begun.carry_out(
            self._database.transaction(
                lambda connection: REQUESTS.answer_once(
                    connection,
                    key,
                    now=now,
                    work=lambda: self._link(connection, caller, command, now),
                )
            )
        )
        told = answer.success()
        merge_id = told.get("merge_id")
        if merge_id is not None:
            await self._finish(merge_id)
        return IdentityLinked(told["member_id"], answer.replayed)

    async def _finish(self, merge_id: str) -> None:
        """Finishes the merge that a proof began; what does not answer is the sweeper's."""
        try:
            await self._begun.carry_out(self._merges.finish(merge_id))
        except (DatabaseUnavailable, Overloaded) as error:
            logger.warning("merge %s waits: %s", merge_id, error)

    def _link(
        self, connection: Connection, caller: Caller, command: LinkIdentity, now: datetime
    ) -> dict[str, Any]:
        member = members_sql.read_members(connection, [command.member_id]).get(command.member_id)
        is_gone = member is None or member.status is MemberStatus.ERASED
        if member is None or is_gone or not caller.is_member(member.id):
            raise NotFound(id=command.member_id)
        credential = _linkable(command)
        if member.is_frozen:
            raise MemberFrozen
        if command.code is None:
            self._keep(connection, member, credential, now, is_verified=False)
            return {"member_id": member.id}
        failed = failed_check(connection, credential, command.code, now=now, secret=self._secret)
        if failed is not None:
            # Returned, not raised: the try that it cost stays counted.
            return failed.as_json()
        other = identities_sql.find_owner(
            connection, credential, value_hash=value_hash(credential, secret=self._secret)
        )
        if other is not None and other != member.id:
            return self._join_with(connection, member, other)
        self._keep(connection, member, credential, now, is_verified=True)
        return {"member_id": member.id}

    def _join_with(self, connection: Connection, member: Member, other_id: str) -> dict[str, Any]:
        """The survivor, when both members proved themselves here; otherwise the refusal.

        Source: docs/rules/merging.md, rule 8.
        """
        other = members_sql.read_members(connection, [other_id])[other_id]
        is_proven = identities_sql.has_strong_identity(connection, member.id)
        merge = self._merges.join_proven(connection, member, other) if is_proven else None
        if merge is None:
            is_free = not conflicts_between(member, other)
            return IdentityBelongsToAnother(merge_possible=is_free).as_json()
        return {"member_id": merge.survivor_id, "merge_id": merge.id}

    def _keep(
        self,
        connection: Connection,
        member: Member,
        credential: Credential,
        now: datetime,
        *,
        is_verified: bool,
    ) -> None:
        hashed = value_hash(credential, secret=self._secret)
        if is_verified:
            identities_sql.verify_asserted(
                connection, credential, value_hash=hashed, member_id=member.id
            )
        if identities_sql.has_identity(
            connection, credential, value_hash=hashed, member_id=member.id, verified=is_verified
        ):
            return
        members_sql.insert_identity(
            connection,
            Identity(
                member_id=member.id,
                kind=credential.kind,
                issuer=credential.issuer,
                masked=masked(credential),
                is_verified=is_verified,
                asserted_by=None,
                created_at=now,
            ),
            value_hash=hashed,
            # What a member merely says names nobody, so it is kept where no till looks.
            scope=EVERYWHERE if is_verified else member.id,
        )


def _addressable(stated: StatedCredential) -> Credential:
    credential = credential_of(stated)
    if credential.kind not in CODE_KINDS:
        raise InvalidInput.at("credential", "must be a phone number or an e-mail address")
    return credential


def _linkable(command: LinkIdentity) -> Credential:
    problems: list[list[str]] = []
    check_words(problems, "verificationCode", command.code, longest=CODE_CHARS_MAX)
    if problems:
        raise InvalidInput(problems)
    if command.code is not None:
        return _addressable(command.credential)
    credential = credential_of(command.credential)
    if credential.names_card:
        raise InvalidInput.at("credential", "must name a person, not a card")
    return credential
