"""Claims coupons that members pass on; who claims and is no member yet becomes one.

The join and the claim each are safe to repeat, so that a claim that was cut off is finished by
its repeat. See docs/rules/coupons.md, rules 22 to 25.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout.running import Running
from gateway.directory.directory import Directory
from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from gateway.directory.health import BackendSilent
from gateway.membership import members_sql, memberships_sql
from gateway.membership.enrolment import Enrolment
from gateway.membership.identities import IdentityKind, StatedCredential
from gateway.membership.joining import Join, Joined
from gateway.membership.people import Membership, Profile
from gateway.membership.refusals import MemberFrozen
from gateway.membership.relations_sql import share_an_identity
from kernel.callers import Caller, CallerKind
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.ids import IdSource, MalformedId, is_id, merchant_of
from kernel.refusals import InvalidInput, NotFound, Refusal, RequestInProgress
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey, hash_of
from merchants.port import Backend, ClaimCoupon, SharedCoupon
from merchants.refusals import ShareNotClaimable
from merchants.sharing.share_codes import NotClaimableReason

CODE_MAX = 128


@dataclass(frozen=True, slots=True)
class ClaimShared:
    """Asks for the coupon of a share code.

    Attributes:
        store_id: where who is no member yet joins; a merchant always names its own.
        credential: whom a merchant claims for; None when a member claims for itself.
    """

    request_id: str
    share_code: str
    store_id: str | None = None
    credential: StatedCredential | None = None
    consents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimedShared:
    """The claimant has a coupon of its own."""

    coupon_id: str
    membership_id: str
    merchant_id: str
    already_member: bool
    replayed: bool


class Claiming:
    """How friends come to coupons."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        enrolment: Enrolment,
        backend: Backend,
        running: Running,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._database = database
        self._directory = directory
        self._enrolment = enrolment
        self._backend = backend
        self._running = running
        self._clock = clock
        self._ids = ids

    async def claim(self, caller: Caller, command: ClaimShared) -> ClaimedShared:
        """Gives the claimant the coupon of the code, and a membership if it lacks one.

        Raises:
            NotFound: there is no such code or store for this caller.
            ShareNotClaimable: somebody has it, it is over, or it is not for the claimant.
            InvalidInput: a credential is missing or too much, or no store to join at is named.
            BackendSilent: the issuer's backend did not answer.
            Refusal: those of `Enrolment.join` and of `kernel.requests`.
        """
        key = request_key(caller, "claimCoupon", command)
        answer = await self._running.once(key, lambda: self._claim(caller, command, key))
        return ClaimedShared(**answer.success(), replayed=answer.replayed)

    async def _claim(self, caller: Caller, command: ClaimShared, key: RequestKey) -> Answer:
        now, owner = self._clock.now(), self._ids.new("run")

        def begin(connection: Connection) -> tuple[Answer | None, bool]:
            try:
                was_begun = REQUESTS.find(connection, key) is not None
            except RequestInProgress:
                was_begun = True
            return REQUESTS.claim(connection, key, now=now, owner=owner), was_begun

        stored, was_begun = await self._database.transaction(begin)
        if stored is not None:
            return stored
        try:
            outcome = await self._decide(caller, command, was_begun=was_begun)
        except Refusal as refusal:
            if refusal.retryable:
                raise
            outcome = refusal.as_json()
        await self._database.transaction(
            lambda connection: REQUESTS.settle(connection, key, outcome)
        )
        return Answer(outcome, replayed=False)

    async def _decide(
        self, caller: Caller, command: ClaimShared, *, was_begun: bool
    ) -> dict[str, Any]:
        issuer_id = _issuer_of(command.share_code)
        _check_form(caller, command)
        self._check_store(caller, command, issuer_id)
        try:
            shared = await self._backend.shared_coupon(issuer_id, command.share_code)
            # What a repeat claimed before it was cut off is closed by that very claim.
            if shared.closed_because is not None and not was_begun:
                raise ShareNotClaimable(shared.closed_because)
            joined, member_id = await self._membership(caller, command, issuer_id)
            membership = await self._read_membership(joined.membership_id)
            await self._check_holder(shared, member_id)
            claimed = await self._backend.claim(
                ClaimCoupon(
                    merchant_id=issuer_id,
                    share_code=command.share_code,
                    card_id=joined.card_id,
                    is_new_member=not joined.already_member
                    and (issuer_id != ALLIANCE_MERCHANT_ID or membership.made_member),
                    at_merchant_id=(caller.subject if caller.kind is CallerKind.MERCHANT else None),
                )
            )
        except (DatabaseUnavailable, Overloaded) as error:
            raise BackendSilent(issuer_id) from error
        return {
            "coupon_id": claimed.coupon_id,
            "membership_id": joined.membership_id,
            "merchant_id": joined.merchant_id,
            "already_member": joined.already_member,
        }

    def _check_store(self, caller: Caller, command: ClaimShared, issuer_id: str) -> None:
        """Accepts a store of the issuer, or any store when the alliance issued the coupon."""
        if command.store_id is None:
            return
        store = self._directory.store(command.store_id)
        if store is None or issuer_id not in (store.merchant_id, ALLIANCE_MERCHANT_ID):
            raise NotFound(id=command.store_id)
        if caller.kind is CallerKind.MERCHANT:
            self._directory.store_for(caller, command.store_id)

    async def _membership(
        self, caller: Caller, command: ClaimShared, issuer_id: str
    ) -> tuple[Joined, str]:
        """The claimant's membership, made now when it lacks one, and the member."""
        if caller.kind is CallerKind.MERCHANT:
            assert command.store_id is not None
            assert command.credential is not None
            joined = await self._join(caller, command, caller, command.credential)
            return joined, joined.member_id
        member_id = caller.subject
        number, kept = await self._read_own(member_id, issuer_id)
        is_ours = kept is not None and kept.made_by.endswith(_join_id(caller, command))
        if kept is not None and (kept.is_told or not is_ours):
            return _joined_before(kept, already_member=not is_ours), member_id
        if command.store_id is None:
            raise InvalidInput.at("storeId", "is needed to join: a store of the issuer")
        store = self._directory.store(command.store_id)
        assert store is not None
        # The member asks, and its own card speaks for it at the store's counter.
        counter = Caller(CallerKind.MERCHANT, store.merchant_id)
        credential = StatedCredential(IdentityKind.CARD_NUMBER, number)
        joined = await self._join(caller, command, counter, credential)
        return joined, member_id

    async def _join(
        self, caller: Caller, command: ClaimShared, counter: Caller, credential: StatedCredential
    ) -> Joined:
        assert command.store_id is not None
        return await self._enrolment.join(
            counter,
            Join(
                request_id=_join_id(caller, command),
                store_id=command.store_id,
                credential=credential,
                consents=command.consents,
                referral_code=None,
                profile=Profile(),
            ),
        )

    async def _read_own(self, member_id: str, issuer_id: str) -> tuple[str, Membership | None]:
        """The number of the member's card, and its membership at the issuer.

        For the alliance's own coupons, its first membership anywhere will do.
        """

        def work(connection: Connection) -> tuple[str, Membership | None]:
            card = members_sql.read_cards_of_members(connection, [member_id]).get(member_id)
            if card is None:  # Erased; the token lives on for a while.
                raise NotFound(id=member_id)
            at = issuer_id
            if issuer_id == ALLIANCE_MERCHANT_ID:
                member = members_sql.read_members(connection, [member_id])[member_id]
                at = member.joined_merchant_id
            person = members_sql.find_by_card(connection, merchant_id=at, card_id=card.id)
            if person is not None and person.is_frozen:
                raise MemberFrozen
            return card.number, None if person is None else person.membership

        return await self._database.snapshot(work)

    async def _read_membership(self, membership_id: str) -> Membership:
        kept = await self._database.snapshot(
            lambda connection: memberships_sql.read_memberships(connection, [membership_id])
        )
        return kept[membership_id]

    async def _check_holder(self, shared: SharedCoupon, member_id: str) -> None:
        """Accepts a holder who is not frozen and shares no identity with the claimant.

        Raises:
            ShareNotClaimable: the holder is frozen, or the two are one person, as far as their
                identities tell.
        """

        def work(connection: Connection) -> NotClaimableReason | None:
            cards = members_sql.read_cards(connection, [shared.holder_card_id])
            card = cards.get(shared.holder_card_id)
            if card is None:
                return None
            if card.member_id == member_id or share_an_identity(
                connection, card.member_id, member_id
            ):
                return NotClaimableReason.OWN_COUPON
            holder = members_sql.read_members(connection, [card.member_id])[card.member_id]
            return NotClaimableReason.HOLDER_FROZEN if holder.is_frozen else None

        reason = await self._database.snapshot(work)
        if reason is not None:
            raise ShareNotClaimable(reason)


def _issuer_of(share_code: str) -> str:
    try:
        if len(share_code) <= CODE_MAX and is_id(share_code, "shr", within_merchant=True):
            return merchant_of(share_code)
    except MalformedId:
        pass
    raise NotFound(id=share_code)


def _check_form(caller: Caller, command: ClaimShared) -> None:
    """Accepts a merchant that names a store and a person, and a member that names no other."""
    problems: list[list[str]] = []
    is_merchant = caller.kind is CallerKind.MERCHANT
    if is_merchant and command.store_id is None:
        problems.append(["storeId", "is needed: where the person stands"])
    if is_merchant and command.credential is None:
        problems.append(["credential", "is needed: whom the coupon is for"])
    if not is_merchant and command.credential is not None:
        problems.append(["credential", "must be left out by a member, who claims for itself"])
    if problems:
        raise InvalidInput(problems)


def _join_id(caller: Caller, command: ClaimShared) -> str:
    """The request id of the join within this claim: the same for its repeat."""
    return "claimCoupon:" + hash_of([caller.key, command.request_id])


def _joined_before(membership: Membership, *, already_member: bool) -> Joined:
    return Joined(
        member_id=membership.member_id,
        card_id=membership.card_id,
        membership_id=membership.id,
        merchant_id=membership.merchant_id,
        already_member=already_member,
        coupon_id=None,
        replayed=False,
    )
