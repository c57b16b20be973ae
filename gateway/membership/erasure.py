"""Erases members: what tells who somebody was goes; what was booked stays, under an empty name.

The alliance's transaction is the commit point; the ledger and the backends follow, at once or by
the sweeper.
See docs/rules/identity.md, rule 16.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, false, insert, or_, select, tuple_, update

from gateway.alliance.tables import REQUESTS
from gateway.checkout.running import Running
from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from gateway.membership import members_sql
from gateway.membership.people import CardStatus, Member, MemberStatus
from gateway.membership.refusals import ErasureBlocked, MemberFrozen
from gateway.membership.tables import (
    CARD,
    ERASURE,
    IDENTITY,
    MEMBER,
    MEMBERSHIP,
    MESSAGE,
    RETIRED_NUMBER,
    VERIFICATION_CODE,
)
from gateway.merging import merges_sql
from gateway.merging.tables import MERGE
from kernel.callers import Caller, CallerKind
from kernel.clock import Clock, from_micros, to_micros
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.graphql import Forbidden
from kernel.refusals import NotFound, Refusal, RequestInProgress
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey
from ledger.contract import CardStanding, ForfeitCard, Ledger
from merchants.port import Backend

logger = logging.getLogger(__name__)

UNANSWERED = (DatabaseUnavailable, Overloaded)


@dataclass(frozen=True, slots=True)
class EraseMember:
    """Asks to forget a member.

    Attributes:
        forfeit: whether the member agrees to lose what is left.
    """

    request_id: str
    member_id: str
    forfeit: bool


@dataclass(frozen=True, slots=True)
class MemberErased:
    """The member is gone."""

    member_id: str
    replayed: bool


class Erasure:
    """Erases members, for ever."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        backend: Backend,
        running: Running,
        clock: Clock,
        reach: Callable[[str], None],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._backend = backend
        self._running = running
        self._clock = clock
        self._reach = reach

    async def erase(self, caller: Caller, command: EraseMember) -> MemberErased:
        """Erases a member.

        Raises:
            Forbidden: the caller is a merchant.
            NotFound: there is no such member any more, or the token is another's.
            MemberFrozen: the member is frozen, and the caller no admin.
            ErasureBlocked: something is left and not forfeited, or held by an open checkout.
            RequestInProgress: it is under way, or somebody needed did not answer; repeat it.
            RequestIdReused: the request id came with another input.
        """
        if caller.kind is CallerKind.MERCHANT:
            raise Forbidden
        key = request_key(caller, "eraseMember", command)
        answer = await self._running.once(key, lambda: self._erase(caller, command, key))
        return MemberErased(answer.success()["member_id"], answer.replayed)

    async def sweep(self) -> int:
        """Tells ledger and backends of every erasure that they have not heard of; how many."""
        rows = await self._database.snapshot(
            lambda connection: list(
                connection.execute(
                    select(ERASURE.c.member_id, ERASURE.c.card_id, ERASURE.c.at)
                    .where(ERASURE.c.is_done == false())
                    .order_by(ERASURE.c.member_id)
                )
            )
        )
        done = 0
        for row in rows:
            try:
                await self._finish(row.member_id, ForfeitCard(row.card_id, from_micros(row.at)))
                done += 1
            except (*UNANSWERED, RequestInProgress) as error:
                logger.warning("erasure waits: %s", error)
        return done

    async def _erase(self, caller: Caller, command: EraseMember, key: RequestKey) -> Answer:
        now, owner = self._clock.now(), self._running.process
        standing = await self._standing(command.member_id)

        def work(connection: Connection) -> Answer | tuple[str, ForfeitCard]:
            stored = REQUESTS.claim(connection, key, now=now, owner=owner)
            if stored is not None:
                return stored
            begun = _begun_by(connection, command.member_id, key.request_id)
            if begun is not None:
                return begun
            try:
                member = _erasable(connection, caller, command, standing)
            except Refusal as refusal:
                # Only the claim was written.
                if refusal.retryable:
                    raise
                REQUESTS.settle(connection, key, refusal.as_json())
                return Answer(refusal.as_json(), replayed=False)
            card = members_sql.read_cards_of_members(connection, [member.id])[member.id]
            _forget(connection, member.id)
            connection.execute(
                insert(ERASURE).values(
                    member_id=member.id,
                    card_id=card.id,
                    requested_by=key.request_id,
                    at=to_micros(now),
                    is_done=False,
                )
            )
            return member.id, ForfeitCard(card.id, now)

        begun = await self._database.transaction(work)
        if isinstance(begun, Answer):
            return begun
        self._reach("erasure.begun")
        try:
            await self._finish(*begun)
        except UNANSWERED as error:
            raise RequestInProgress from error
        outcome: dict[str, Any] = {"member_id": begun[0]}
        await self._database.transaction(
            lambda connection: REQUESTS.settle(connection, key, outcome)
        )
        return Answer(outcome, replayed=False)

    async def _standing(self, member_id: str) -> CardStanding | None:
        cards = await self._database.snapshot(
            lambda connection: members_sql.read_cards_of_members(connection, [member_id])
        )
        if member_id not in cards:
            return None
        [standing] = await self._ledger.balances([cards[member_id].id], now=self._clock.now())
        return standing

    async def _finish(self, member_id: str, forfeit: ForfeitCard) -> None:
        async with self._running.occupying(member_id):
            await self._tell(member_id, forfeit)

    async def _tell(self, member_id: str, forfeit: ForfeitCard) -> None:
        await self._ledger.forfeit_card(forfeit)
        self._reach("erasure.ledger")
        for merchant_id in await self._database.snapshot(
            lambda connection: _joined(connection, forfeit.card_id)
        ):
            await self._backend.forget(merchant_id, forfeit.card_id)
            self._reach("erasure.wallet")
        await self._database.transaction(
            lambda connection: connection.execute(
                update(ERASURE).where(ERASURE.c.member_id == member_id).values(is_done=True)
            )
        )


def _begun_by(
    connection: Connection, member_id: str, request_id: str
) -> tuple[str, ForfeitCard] | None:
    """The erasure that this very request committed before its process ended."""
    row = connection.execute(
        select(ERASURE.c.card_id, ERASURE.c.at).where(
            ERASURE.c.member_id == member_id, ERASURE.c.requested_by == request_id
        )
    ).one_or_none()
    return None if row is None else (member_id, ForfeitCard(row.card_id, from_micros(row.at)))


def _joined(connection: Connection, card_id: str) -> list[str]:
    """Merchants where the card has a wallet, the alliance's own among them."""
    merchants = connection.execute(
        select(MEMBERSHIP.c.merchant_id)
        .where(MEMBERSHIP.c.card_id == card_id)
        .order_by(MEMBERSHIP.c.merchant_id)
    ).scalars()
    return [*merchants, ALLIANCE_MERCHANT_ID]


def _erasable(
    connection: Connection,
    caller: Caller,
    command: EraseMember,
    standing: CardStanding | None,
) -> Member:
    member = members_sql.read_members(connection, [command.member_id]).get(command.member_id)
    if (
        member is None
        or standing is None
        or member.status is MemberStatus.ERASED
        or not (caller.is_admin or caller.is_member(member.id))
    ):
        raise NotFound(id=command.member_id)
    if member.is_frozen and not caller.is_admin:
        raise MemberFrozen
    if merges_sql.is_under_way(connection, member.id):
        raise RequestInProgress
    conflicts = []
    if standing.held or standing.coins_held:
        conflicts.append("CHECKOUT_OPEN")
    has_balance = standing.available or standing.pending or standing.coins_available
    if has_balance and not command.forfeit:
        conflicts.append("BALANCE_LEFT")
    if conflicts:
        raise ErasureBlocked(conflicts=conflicts)
    return member


def _forget(connection: Connection, member_id: str) -> None:
    """Removes what tells who the member was, and who was merged into them."""
    names = or_(MEMBER.c.id == member_id, MEMBER.c.merged_into == member_id)
    member_ids = list(connection.execute(select(MEMBER.c.id).where(names)).scalars())
    hashes = connection.execute(
        select(IDENTITY.c.kind, IDENTITY.c.value_hash).where(IDENTITY.c.member_id.in_(member_ids))
    ).all()
    proven = tuple_(VERIFICATION_CODE.c.kind, VERIFICATION_CODE.c.value_hash).in_(
        [(row.kind, bytes(row.value_hash)) for row in hashes]
    )
    codes = select(VERIFICATION_CODE.c.id).where(proven)
    connection.execute(delete(MESSAGE).where(MESSAGE.c.id.in_(codes)))
    connection.execute(delete(VERIFICATION_CODE).where(proven))
    connection.execute(delete(IDENTITY).where(IDENTITY.c.member_id.in_(member_ids)))
    connection.execute(
        update(MEMBER)
        .where(names)
        .values(
            display_name=None,
            birthday=None,
            gender=None,
            region=None,
            referral_code=None,
            invite_code=None,
            joined_device=None,
        )
    )
    connection.execute(
        update(MEMBER).where(MEMBER.c.id == member_id).values(status=MemberStatus.ERASED)
    )
    # A wallet that a crash kept shut stays shut.
    connection.execute(
        update(MEMBERSHIP).where(MEMBERSHIP.c.member_id.in_(member_ids)).values(is_told=True)
    )
    cards = select(CARD.c.id).where(CARD.c.member_id.in_(member_ids))
    connection.execute(delete(RETIRED_NUMBER).where(RETIRED_NUMBER.c.card_id.in_(cards)))
    connection.execute(
        update(CARD).where(CARD.c.member_id.in_(member_ids)).values(status=CardStatus.LOST)
    )
    connection.execute(
        update(MERGE)
        .where(or_(MERGE.c.survivor_id == member_id, MERGE.c.merged_id == member_id))
        .values(moved="{}")
    )
