"""Joining: makes a member, a card and a membership as far as they lack.

One transaction makes all three; then the backends are told, which is safe to repeat. A join that
was cut off is finished by its repeat, or on the next start.
See docs/rules/identity.md and docs/decisions/joining.md.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout.running import Running
from gateway.directory.directory import Directory
from gateway.directory.entries import Merchant, Store, StoreState
from gateway.membership import members_sql, memberships_sql, used_tokens_sql
from gateway.membership.identities import Credential, IdentityKind, credential_of
from gateway.membership.joining import Join, Joined, check_join, joined_outcome
from gateway.membership.newcomers_sql import insert_newcomer
from gateway.membership.people import Consent, Membership
from gateway.membership.recognition import Recognition, find_person
from gateway.membership.refusals import CardNumberReplaced, MemberFrozen, VerificationFailed
from gateway.membership.wallets import Wallets
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database
from kernel.graphql import ChannelKind
from kernel.ids import IdSource
from kernel.refusals import InvalidInput, NotFound, Refusal
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey
from merchants.refusals import MerchantNotActive


class Enrolment:
    """How people join."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        recognition: Recognition,
        wallets: Wallets,
        running: Running,
        clock: Clock,
        ids: IdSource,
        secret: bytes,
    ) -> None:
        self._database = database
        self._directory = directory
        self._recognition = recognition
        self._wallets = wallets
        self._running = running
        self._clock = clock
        self._ids = ids
        self._secret = secret

    async def join(self, caller: Caller, command: Join) -> Joined:
        """Joins whom the credential names, or a new member, to the store's merchant.

        Raises:
            NotFound: the caller may not act for the store, or no card has the number.
            MerchantNotActive: the merchant takes no members now.
            MemberFrozen: the person is frozen.
            CardNumberReplaced: the card has another number now.
            VerificationFailed: the card's token is no good, too old, or another merchant's by now.
            InvalidInput: a value beyond its limits.
            RequestIdReused, RequestInProgress: see `kernel.requests`.
            RateLimited: the merchant named too many cards that do not exist.
            BackendSilent: the merchant's backend did not answer.
        """
        store, merchant = self._directory.store_for(caller, command.store_id)
        key = request_key(caller, "join", command)
        self._recognition.check_budget(merchant.id)
        # At a counter the device is the till, which every customer shares.
        device = None if store.channel is ChannelKind.STORE_POS else caller.device
        return await self._running.once(
            key, lambda: self._join(command, key, store, merchant, device)
        )

    async def _join(
        self,
        command: Join,
        key: RequestKey,
        store: Store,
        merchant: Merchant,
        device: str | None,
    ) -> Joined:
        begun = await self._begin(command, key, store, merchant, device)
        if isinstance(begun, Answer):
            return _joined(begun)
        coupon_id = await self._wallets.open_for(begun)
        outcome = joined_outcome(begun, already_member=False, coupon_id=coupon_id)

        def settle(connection: Connection) -> None:
            memberships_sql.mark_told(connection, begun.id)
            REQUESTS.settle(connection, key, outcome)

        await self._database.transaction(settle)
        return _joined(Answer(outcome, replayed=False))

    async def _begin(
        self,
        command: Join,
        key: RequestKey,
        store: Store,
        merchant: Merchant,
        device: str | None,
    ) -> Membership | Answer:
        """The membership that the backends have yet to hear of, or the final answer."""
        # This call is the only one of its process in work: whatever breaks here, a repeat goes on.
        now, owner = self._clock.now(), self._running.process
        made = self._membership_to_be(key, store, now)

        def work(connection: Connection) -> Membership | Answer:
            stored = REQUESTS.claim(connection, key, now=now, owner=owner)
            if stored is not None:
                return stored
            try:
                _check_counter(store, merchant)
                check_join(command, now=now)
                membership = self._enrol(connection, command, store, made, device)
            except Refusal as refusal:
                # Every refusal comes before the first write, so only the claim was written.
                if refusal.retryable:
                    raise
                outcome = refusal.as_json()
            else:
                if membership.made_by == made.made_by:
                    return membership
                outcome = joined_outcome(membership, already_member=True, coupon_id=None)
            REQUESTS.settle(connection, key, outcome)
            return Answer(outcome, replayed=False)

        try:
            return await self._database.transaction(work)
        except (NotFound, CardNumberReplaced):
            self._recognition.spend_miss(merchant.id)
            raise

    def _membership_to_be(self, key: RequestKey, store: Store, now: datetime) -> Membership:
        return Membership(
            id=self._ids.new_within("mbs", store.merchant_id),
            merchant_id=store.merchant_id,
            member_id=self._ids.new("mem"),
            card_id=self._ids.new("card"),
            store_id=store.id,
            joined_at=now,
            made_by=f"{key.caller} {key.request_id}",
            made_member=True,
            is_told=False,
        )

    def _enrol(
        self,
        connection: Connection,
        command: Join,
        store: Store,
        made: Membership,
        device: str | None,
    ) -> Membership:
        """The person's membership here: `made` completed, or the one there was."""
        credential = credential_of(command.credential)
        person = find_person(
            connection,
            credential,
            merchant_id=made.merchant_id,
            now=made.joined_at,
            secret=self._secret,
        )
        if person is None:
            _refuse_unknown_card(credential)
            insert_newcomer(
                connection,
                command,
                credential,
                store=store,
                made=made,
                device=device,
                secret=self._secret,
            )
            memberships_sql.insert_membership(connection, made)
            _insert_consents(connection, command, made, now=made.joined_at)
            return made
        if person.is_frozen:
            raise MemberFrozen
        if credential.kind is IdentityKind.CARD_TOKEN and not used_tokens_sql.keep_user(
            connection, credential.value, merchant_id=made.merchant_id
        ):
            raise VerificationFailed(attempts_left=0)
        if person.membership is not None:
            _insert_consents(connection, command, person.membership, now=made.joined_at)
            return person.membership
        membership = dataclasses.replace(
            made, member_id=person.member_id, card_id=person.card.id, made_member=False
        )
        memberships_sql.insert_membership(connection, membership)
        _insert_consents(connection, command, membership, now=made.joined_at)
        return membership


def _joined(answer: Answer) -> Joined:
    return Joined(**answer.success(), replayed=answer.replayed)


def _check_counter(store: Store, merchant: Merchant) -> None:
    if not merchant.may_enrol:
        raise MerchantNotActive(merchant_id=merchant.id)
    if store.state is not StoreState.OPEN:
        raise InvalidInput.at("storeId", "must name a store that is open")


def _refuse_unknown_card(credential: Credential) -> None:
    """A card can not be made by naming one that does not exist."""
    if credential.kind is IdentityKind.CARD_TOKEN:
        raise VerificationFailed(attempts_left=0)
    if credential.kind is IdentityKind.CARD_NUMBER:
        raise NotFound(id=credential.value)


def _insert_consents(
    connection: Connection, command: Join, membership: Membership, *, now: datetime
) -> None:
    """Grants those purposes of which the member never spoke; a till overrules no withdrawal.

    Source: docs/rules/identity.md, rule 14.
    """
    if not command.consents:
        return
    kept = members_sql.read_consents(connection, [membership.member_id])[membership.member_id]
    said = {
        consent.purpose.upper() for consent in kept if consent.merchant_id == membership.merchant_id
    }
    new: dict[str, str] = {}
    for purpose in command.consents:
        new.setdefault(purpose.upper(), purpose)
    members_sql.insert_consents(
        connection,
        [
            Consent(membership.member_id, membership.merchant_id, purpose, True, now)
            for capitals, purpose in new.items()
            if capitals not in said
        ],
    )
