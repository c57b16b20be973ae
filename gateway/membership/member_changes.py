"""What members and admins change of a member: consents, the card's number, freezing.

Each is one transaction that keeps its answer. See docs/rules/identity.md and cards.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from gateway.alliance.begun_work import BegunWork
from gateway.alliance.tables import REQUESTS
from gateway.directory.directory import Directory
from gateway.membership import members_sql
from gateway.membership.joining import PURPOSE_MAX, check_words
from gateway.membership.newcomers_sql import free_number
from gateway.membership.people import Card, CardStatus, Consent, Member, MemberStatus
from gateway.membership.refusals import MemberFrozen
from gateway.membership.tables import CARD, MEMBER, RETIRED_NUMBER, STATUS_CHANGE
from kernel.callers import Caller, CallerKind
from kernel.clock import Clock, to_micros
from kernel.database import Database
from kernel.graphql import Forbidden
from kernel.ids import IdSource
from kernel.refusals import InvalidInput, NotFound
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey

REASON_MAX = 200


@dataclass(frozen=True, slots=True)
class SetConsent:
    """Grants or withdraws one merchant's use of the member's data."""

    request_id: str
    merchant_id: str
    purpose: str
    granted: bool


@dataclass(frozen=True, slots=True)
class ReplaceCard:
    """Asks for a new number of a card."""

    request_id: str
    card_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class FreezeMember:
    """Freezes a member, or unfreezes."""

    request_id: str
    member_id: str
    frozen: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The change stands; `id` is the member's, or the card's."""

    id: str
    replayed: bool


class MemberChanges:
    """Changes members, once for each request."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        begun: BegunWork,
        clock: Clock,
        ids: IdSource,
        secret: bytes,
    ) -> None:
        self._database = database
        self._directory = directory
        self._begun = begun
        self._clock = clock
        self._ids = ids
        self._secret = secret

    async def set_consent(self, caller: Caller, command: SetConsent) -> Changed:
        """Records what the member allows a merchant, behind what was said before.

        Raises:
            Forbidden: the caller is no member.
            NotFound: there is no such merchant, or no such member any more.
            InvalidInput: the purpose is beyond its limits.
            RequestIdReused: the request id came with another input.
        """
        if caller.kind is not CallerKind.MEMBER:
            raise Forbidden
        key = request_key(caller, "setConsent", command)
        now = self._clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            problems: list[list[str]] = []
            check_words(problems, "purpose", command.purpose, longest=PURPOSE_MAX)
            if problems:
                raise InvalidInput(problems)
            merchant = self._directory.merchant(command.merchant_id)
            if merchant is None or merchant.id == self._directory.alliance.id:
                raise NotFound(id=command.merchant_id)
            member = _known_member(connection, caller.subject)
            _say(connection, Consent(member.id, merchant.id, command.purpose, command.granted, now))
            return {"id": member.id}

        return await self._once(key, work, now=now)

    async def replace_card(self, caller: Caller, command: ReplaceCard) -> Changed:
        """Gives a card a new number; the old number and its tokens are refused from now on.

        Raises:
            Forbidden: the caller is a merchant.
            NotFound: the card is not the caller's.
            MemberFrozen: the member is frozen, and the caller no admin.
            InvalidInput: the reason is beyond its limits.
            RequestIdReused: the request id came with another input.

        Source: docs/rules/cards.md, rule 6.
        """
        if caller.kind is CallerKind.MERCHANT:
            raise Forbidden
        key = request_key(caller, "replaceCard", command)
        now = self._clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            _check_reason(command.reason)
            card = members_sql.read_cards(connection, [command.card_id]).get(command.card_id)
            if card is None or not (caller.is_admin or caller.is_member(card.member_id)):
                raise NotFound(id=command.card_id)
            if _known_member(connection, card.member_id).is_frozen and not caller.is_admin:
                raise MemberFrozen
            self._renumber(connection, card, reason=command.reason, now=now)
            return {"id": card.id}

        return await self._once(key, work, now=now)

    async def freeze(self, caller: Caller, command: FreezeMember) -> Changed:
        """Freezes a member, or unfreezes; doing it twice changes nothing.

        Raises:
            Forbidden: the caller is no admin.
            NotFound: there is no such member any more.
            InvalidInput: the reason is beyond its limits.
            RequestIdReused: the request id came with another input.

        Source: docs/rules/identity.md, rule 15.
        """
        if not caller.is_admin:
            raise Forbidden
        key = request_key(caller, "freezeMember", command)
        now, change_id = self._clock.now(), self._ids.new("msc")

        def work(connection: Connection) -> dict[str, Any]:
            _check_reason(command.reason)
            member = _known_member(connection, command.member_id)
            status = MemberStatus.FROZEN if command.frozen else MemberStatus.ACTIVE
            if member.status is not status:
                write_status(connection, member.id, status)
                keep_status_change(
                    connection,
                    change_id,
                    member_id=member.id,
                    status=status,
                    reason=command.reason,
                    changed_by=caller.key,
                    at=now,
                )
            return {"id": member.id}

        return await self._once(key, work, now=now)

    async def _once(
        self,
        key: RequestKey,
        work: Callable[[Connection], dict[str, Any]],
        *,
        now: datetime,
    ) -> Changed:
        answer: Answer = await self._begun.carry_out(
            self._database.transaction(
                lambda connection: REQUESTS.answer_once(
                    connection, key, now=now, work=lambda: work(connection)
                )
            )
        )
        return Changed(answer.success()["id"], answer.replayed)

    def _renumber(self, connection: Connection, card: Card, *, reason: str, now: datetime) -> None:
        generation = card.generation + 1
        connection.execute(
            insert(RETIRED_NUMBER).values(
                number=card.number, card_id=card.id, reason=reason, at=to_micros(now)
            )
        )
        number = free_number(connection, card.id, generation=generation, secret=self._secret)
        connection.execute(
            update(CARD)
            .where(CARD.c.id == card.id)
            .values(number=number, generation=generation, status=CardStatus.ACTIVE)
        )


def write_status(connection: Connection, member_id: str, status: MemberStatus) -> None:
    """Gives a member another status; the caller owns the transaction."""
    connection.execute(update(MEMBER).where(MEMBER.c.id == member_id).values(status=status))


def keep_status_change(
    connection: Connection,
    change_id: str,
    *,
    member_id: str,
    status: MemberStatus,
    reason: str,
    changed_by: str,
    at: datetime,
) -> None:
    """Keeps who changed a member's status, and why."""
    connection.execute(
        insert(STATUS_CHANGE).values(
            id=change_id,
            member_id=member_id,
            status=status,
            reason=reason,
            changed_by=changed_by,
            at=to_micros(at),
        )
    )


def _known_member(connection: Connection, member_id: str) -> Member:
    member = members_sql.read_members(connection, [member_id]).get(member_id)
    if member is None or member.status is MemberStatus.ERASED:
        raise NotFound(id=member_id)
    return member


def _say(connection: Connection, consent: Consent) -> None:
    """Keeps a consent unless the same was said last, in whatever capitals."""
    kept = members_sql.read_consents(connection, [consent.member_id])[consent.member_id]
    said = (
        last.granted
        for last in kept
        if last.merchant_id == consent.merchant_id
        and last.purpose.upper() == consent.purpose.upper()
    )
    if next(said, None) != consent.granted:
        members_sql.insert_consents(connection, [consent])


def _check_reason(reason: str) -> None:
    problems: list[list[str]] = []
    check_words(problems, "reason", reason, longest=REASON_MAX)
    if problems:
        raise InvalidInput(problems)
