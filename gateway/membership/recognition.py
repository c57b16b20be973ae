"""Whom a credential names at a till. See docs/rules/identity.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gateway.directory.directory import Directory
from gateway.membership import members_sql, used_tokens_sql
from gateway.membership.cards import read_token, stands_for
from gateway.membership.identities import Credential, IdentityKind, value_hash
from gateway.membership.lookup_budget import LookupBudget, LookupLimits
from gateway.membership.people import MemberStatus, Person
from gateway.membership.refusals import CardNumberReplaced
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Isolation
from ledger.contract import Ledger


@dataclass(frozen=True, slots=True)
class Identification:
    """Who stands in front of a till.

    Attributes:
        warnings: codes that staff should know.
    """

    person: Person
    warnings: tuple[str, ...]


class Recognition:
    """Answers who is in front of a till, as often as a till may ask."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        ledger: Ledger,
        clock: Clock,
        secret: bytes,
        limits: LookupLimits,
    ) -> None:
        self._database = database
        self._directory = directory
        self._ledger = ledger
        self._clock = clock
        self._secret = secret
        self._budget = LookupBudget(limits)

    async def identify(
        self, caller: Caller, credential: Credential, *, store_id: str
    ) -> Identification | None:
        """Whom the credential names at the store's merchant; None when it names nobody.

        Raises:
            NotFound: the caller may not act for the store.
            RateLimited: the merchant asked too often.
            CardNumberReplaced: the card has another number now.
        """
        _, merchant = self._directory.store_for(caller, store_id)
        self.check_budget(merchant.id)
        now = self._clock.now()
        try:
            person = await self._database.snapshot(
                lambda connection: find_person(
                    connection, credential, merchant_id=merchant.id, now=now, secret=self._secret
                )
            )
        except CardNumberReplaced:
            self.spend_miss(merchant.id)
            raise
        if person is not None and not await self._is_shown_here(
            credential, merchant_id=merchant.id
        ):
            person = None
        self._budget.spend(
            merchant.id, is_hit=person is not None, monotonic=self._clock.monotonic()
        )
        if person is None:
            return None
        debt = await self._debt_of(person.card.id, now=now)
        return Identification(person, warnings_for(person, debt=debt))

    async def _is_shown_here(self, credential: Credential, *, merchant_id: str) -> bool:
        """Whether a display token is this merchant's from now on; any other credential is.

        Source: docs/rules/cards.md, rule 5.
        """
        if credential.kind is not IdentityKind.CARD_TOKEN:
            return True
        shown = read_token(credential.value)
        assert shown is not None, "the token named somebody"
        user = await self._database.snapshot(
            lambda connection: used_tokens_sql.read_user(connection, shown.proof)
        )
        if user is not None:
            return user == merchant_id
        return await self._database.transaction(
            lambda connection: used_tokens_sql.keep_user(
                connection, credential.value, merchant_id=merchant_id
            ),
            isolation=Isolation.READ_COMMITTED,
            is_idempotent=True,
        )

    async def sweep(self) -> int:
        """Deletes display tokens that nobody takes for good any more; how many."""
        now = self._clock.now()
        # Reading does not keep others from writing.
        if not await self._database.snapshot(
            lambda connection: used_tokens_sql.has_expired(connection, now=now)
        ):
            return 0
        return await self._database.transaction(
            lambda connection: used_tokens_sql.forget_expired(connection, now=now),
            isolation=Isolation.READ_COMMITTED,
            is_idempotent=True,
        )

    async def _debt_of(self, card_id: str, *, now: datetime) -> int | None:
        """Points that the card owes; None while the ledger does not answer."""
        try:
            [standing] = await self._ledger.balances([card_id], now=now)
        except DatabaseUnavailable:
            return None
        return standing.debt

    def check_budget(self, merchant_id: str) -> None:
        """Accepts a merchant that may look somebody up now.

        Raises:
            RateLimited: it asked too often.
        """
        self._budget.check(merchant_id, monotonic=self._clock.monotonic())

    def spend_miss(self, merchant_id: str) -> None:
        """Counts a look-up that found nobody."""
        self._budget.spend(merchant_id, is_hit=False, monotonic=self._clock.monotonic())


def find_person(
    connection: Connection,
    credential: Credential,
    *,
    merchant_id: str,
    now: datetime,
    secret: bytes,
) -> Person | None:
    """Whom a credential names at a merchant; None when it names nobody.

    Raises:
        CardNumberReplaced: the number is one that a card had before.

    Source: docs/rules/identity.md, rules 4 to 6.
    """
    if credential.kind is IdentityKind.CARD_NUMBER:
        person = members_sql.find_by_number(
            connection, merchant_id=merchant_id, number=credential.value
        )
        if person is None and members_sql.is_number_retired(connection, credential.value):
            raise CardNumberReplaced
        return person
    if credential.kind is IdentityKind.CARD_TOKEN:
        return _find_by_token(
            connection, credential.value, merchant_id=merchant_id, now=now, secret=secret
        )
    return members_sql.find_by_identity(
        connection,
        kind=credential.kind,
        value_hash=value_hash(credential, secret=secret),
        merchant_id=merchant_id,
    )


def _find_by_token(
    connection: Connection, token: str, *, merchant_id: str, now: datetime, secret: bytes
) -> Person | None:
    """Source: docs/rules/cards.md, rules 4 and 5."""
    shown = read_token(token)
    if shown is None:
        return None
    card = members_sql.read_named_card(connection, shown.card_id)
    if card is None or not stands_for(shown, card, now=now, secret=secret):
        return None
    user = used_tokens_sql.read_user(connection, shown.proof)
    if user not in (None, merchant_id):
        return None
    return members_sql.find_by_card(connection, merchant_id=merchant_id, card_id=card.id)


def warnings_for(person: Person, *, debt: int | None) -> tuple[str, ...]:
    """What staff should know of a person.

    Args:
        debt: points that the card owes; None when nobody could tell.

    Source: docs/rules/identity.md, rule 8.
    """
    found = []
    if person.status is MemberStatus.FROZEN:
        found.append("MEMBER_FROZEN")
    if debt is None:
        found.append("DEBT_UNKNOWN")
    elif debt > 0:
        found.append("DEBT_OPEN")
    if not person.is_proven:
        found.append("IDENTITY_UNVERIFIED")
    return tuple(found)
