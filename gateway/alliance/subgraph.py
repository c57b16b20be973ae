"""The alliance subgraph: opens its database and puts its rooms together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path

import gateway.resolvers  # noqa: F401  (The types and their resolvers, in the order they need.)
from gateway.alliance.begun_work import BegunWork
from gateway.alliance.freshness import Freshness
from gateway.alliance.leases import Leases
from gateway.alliance.migrations import HISTORY
from gateway.alliance.secrets_sql import read_or_make_secret
from gateway.alliance.settings import AllianceSettings, DepositPolicy
from gateway.alliance.settings_book import SettingsBook
from gateway.checkout.desk import Desk, EveryoneIssues, Issuing, reach_nothing
from gateway.checkout.running import Running
from gateway.checkout.states import TimeOuts
from gateway.checkout.sweepers import Sweepers
from gateway.directory.admission import Admission
from gateway.directory.backend_check import BackendCheck, no_remote_backends
from gateway.directory.directory import Directory, open_directory
from gateway.directory.health import HealthBoard
from gateway.directory.leaving import Leaving
from gateway.membership import members_sql
from gateway.membership.buyers import Buyers
from gateway.membership.claiming import Claiming
from gateway.membership.enrolment import Enrolment
from gateway.membership.erasure import Erasure
from gateway.membership.lookup_budget import LookupLimits
from gateway.membership.member_changes import MemberChanges
from gateway.membership.proving import Proving
from gateway.membership.recognition import Recognition
from gateway.membership.referrals import REWARD_MINOR, Referrals
from gateway.membership.wallets import Wallets
from gateway.merging.merges import Merges
from gateway.resolvers.context import AllianceContext
from gateway.schema.checkout_refusals import CHECKOUT_REFUSALS
from gateway.schema.checkouts import Checkout
from gateway.schema.claims import CLAIM_REFUSALS
from gateway.schema.mutation import Mutation
from gateway.schema.nodes import Coupon, Order
from gateway.schema.query import Query
from gateway.schema.refusals import ALLIANCE_REFUSALS
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database, open_database
from kernel.ids import IdSource
from kernel.subgraph import SubgraphSchema, build_subgraph
from ledger.contract import Ledger, LedgerSettings
from merchants.port import Backend


@cache
def alliance_schema() -> SubgraphSchema:
    """The schema, which needs no database."""
    return build_subgraph(
        "alliance",
        query=Query,
        mutation=Mutation,
        types=[Coupon, Order, Checkout],
        refusals={**ALLIANCE_REFUSALS, **CHECKOUT_REFUSALS, **CLAIM_REFUSALS},
    )


class AllianceSubgraph:
    """One alliance: its schema, and what its resolvers ask."""

    def __init__(
        self,
        *,
        database: Database,
        settings_book: SettingsBook,
        directory: Directory,
        ledger: Ledger,
        backend: Backend,
        check_backend: BackendCheck,
        clock: Clock,
        ids: IdSource,
        secret: bytes,
        begun: BegunWork,
        issuing: Issuing,
        lookup_limits: LookupLimits,
        shows_codes: bool,
        referral_reward_minor: int,
        reach: Callable[[str], None],
    ) -> None:
        self.schema = alliance_schema()
        running = Running(begun, Leases(database, clock=clock, holder=ids.new("run")))
        self.database = database
        self.settings_book = settings_book
        self.directory = directory
        self.ledger = ledger
        self.backend = backend
        self.clock = clock
        self.ids = ids
        self.secret = secret
        self.health = HealthBoard(clock)
        self.admission = Admission(
            database=database,
            directory=directory,
            backend=backend,
            check_backend=check_backend,
            begun=begun,
            clock=clock,
            ids=ids,
        )
        self.leaving = Leaving(
            database=database, directory=directory, backend=backend, begun=begun, clock=clock
        )
        self.recognition = Recognition(
            database=database,
            directory=directory,
            ledger=ledger,
            clock=clock,
            secret=secret,
            limits=lookup_limits,
        )
        self._wallets = Wallets(database=database, backend=backend, health=self.health)
        self.enrolment = Enrolment(
            database=database,
            directory=directory,
            recognition=self.recognition,
            wallets=self._wallets,
            running=running,
            clock=clock,
            ids=ids,
            secret=secret,
        )
        self.claiming = Claiming(
            database=database,
            directory=directory,
            enrolment=self.enrolment,
            backend=backend,
            running=running,
            clock=clock,
            ids=ids,
        )
        self.merges = Merges(
            database=database,
            ledger=ledger,
            backend=backend,
            running=running,
            clock=clock,
            ids=ids,
            reach=reach,
        )
        self.erasure = Erasure(
            database=database,
            ledger=ledger,
            backend=backend,
            running=running,
            clock=clock,
            reach=reach,
        )
        self._referrals = Referrals(
            database=database,
            ledger=ledger,
            backend=backend,
            clock=clock,
            reward_minor=referral_reward_minor,
            reach=reach,
        )
        self.proving = Proving(
            database=database,
            begun=begun,
            clock=clock,
            ids=ids,
            secret=secret,
            shows_codes=shows_codes,
            merges=self.merges,
        )
        self.member_changes = MemberChanges(
            database=database,
            directory=directory,
            begun=begun,
            clock=clock,
            ids=ids,
            secret=secret,
        )
        self.desk = Desk(
            database=database,
            settings=settings_book,
            directory=directory,
            buyers=Buyers(database),
            backend=backend,
            ledger=ledger,
            issuing=issuing,
            ids=ids,
            clock=clock,
            running=running,
            time_outs=TimeOuts(),
            reach=reach,
        )
        self.sweepers = Sweepers(
            self.desk,
            catch_up=self.catch_up,
            others=(
                self.merges.sweep,
                self.erasure.sweep,
                self._referrals.sweep,
                self.recognition.sweep,
            ),
        )
        self._begun = begun
        self._freshness = Freshness(database, settings=settings_book, directory=directory)

    @classmethod
    async def open(
        cls,
        address: str | Path,
        *,
        clock: Clock,
        ids: IdSource,
        ledger: Ledger,
        backend: Backend,
        issuing: Issuing = EveryoneIssues(),
        check_backend: BackendCheck = no_remote_backends,
        lookup_limits: LookupLimits = LookupLimits(),
        shows_codes: bool = False,
        referral_reward_minor: int = REWARD_MINOR,
        reach: Callable[[str], None] = reach_nothing,
    ) -> AllianceSubgraph:
        """The alliance kept at `address`; a new one gets settings and its own merchant.

        Call `resume` before the first request.

        Args:
            address: a file's path, or the URL of a PostgreSQL schema.
            issuing: knows whose sales may earn points.
            check_backend: accepts a remote backend, or refuses it.
            lookup_limits: how often a merchant may look members up.
            referral_reward_minor: coins for an invited friend who bought, minor units.
            shows_codes: whether one-time codes are written to the log, for development.
            reach: called with the name of each step of a checkout, right after it took effect.

        Raises:
            DatabaseUnavailable: the database can not be opened or written.
        """
        async with AsyncExitStack() as stack:
            database = await open_database(address, HISTORY)
            stack.push_async_callback(database.close)
            begun = BegunWork()
            stack.push_async_callback(begun.close)
            alliance = cls(
                database=database,
                settings_book=await SettingsBook.open(
                    database, begun=begun, clock=clock, ledger=ledger
                ),
                directory=await open_directory(database, clock=clock),
                ledger=ledger,
                issuing=issuing,
                backend=backend,
                check_backend=check_backend,
                clock=clock,
                ids=ids,
                secret=await database.transaction(
                    lambda connection: read_or_make_secret(connection, "membership")
                ),
                begun=begun,
                lookup_limits=lookup_limits,
                shows_codes=shows_codes,
                referral_reward_minor=referral_reward_minor,
                reach=reach,
            )
            await alliance.admission.finish()
            await alliance.leaving.finish()
            stack.pop_all()  # It is open from here on.
        return alliance

    async def resume(self) -> None:
        """Finishes joins and merges that a crash cut off; once the backend can ask for settings."""
        await self._wallets.finish()
        await self.merges.sweep()
        await self.erasure.sweep()

    async def catch_up(self) -> None:
        """Takes in settings, merchants and stores that other processes changed.

        Raises:
            DatabaseUnavailable, Overloaded: nobody knows whether they did.
        """
        await self._freshness.catch_up()

    @property
    def settings(self) -> AllianceSettings:
        """Settings in force now."""
        return self.settings_book.current

    @property
    def ledger_settings(self) -> LedgerSettings:
        """What the ledger needs to know of the settings in force now."""
        values = self.settings.values
        return LedgerSettings(
            currency=values.currency,
            time_zone=values.time_zone,
            debt_policy=values.debt_policy,
            alliance_merchant_id=self.directory.alliance.id,
            deposits_required=values.deposit_policy is DepositPolicy.REQUIRED,
        )

    def context_for(
        self, caller: Caller | None, request_id: str = "", language: str = ""
    ) -> AllianceContext:
        """What the resolvers of one request are given."""
        return AllianceContext(self, caller=caller, request_id=request_id, language=language)

    async def member_card(self, member_id: str) -> str | None:
        """Id of the member's one card; None when there is no such member."""
        cards = await self.database.snapshot(
            lambda connection: members_sql.read_cards_of_members(connection, [member_id])
        )
        return cards[member_id].id if member_id in cards else None

    async def survivor_of(self, member_id: str) -> str:
        """The member that an id means now; the id itself when it names nobody."""
        found = await self.database.snapshot(
            lambda connection: members_sql.read_members(connection, [member_id])
        )
        return found[member_id].id if member_id in found else member_id

    async def has_card(self, card_id: str) -> bool:
        """Whether a member has this card."""
        return await self.database.snapshot(
            lambda connection: members_sql.card_exists(connection, card_id)
        )

    async def close(self) -> None:
        """Lets what was begun end, then closes the database."""
        try:
            await self._begun.close()
        finally:
            await self.database.close()
