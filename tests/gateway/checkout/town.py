"""A whole alliance on real files: two merchants, their stores, members, ledger, checkouts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.alliance.subgraph import AllianceSubgraph
from gateway.checkout.carts import Amount, CartAsked, LineAsked
from gateway.checkout.desk import Desk, reach_nothing
from gateway.checkout.sweepers import Sweepers
from gateway.directory.admission import AdmitMerchant, OpenStore
from gateway.directory.entries import ALLIANCE_MERCHANT_ID, BackendKind
from gateway.membership import members_sql, memberships_sql
from gateway.membership.people import (
    Card,
    CardStatus,
    Member,
    Membership,
    MemberStatus,
    Profile,
)
from gateway.membership.tables import MEMBER
from kernel.callers import Caller, CallerKind
from kernel.clock import SetClock
from kernel.database import Database, open_database
from kernel.graphql import ChannelKind
from kernel.ids import RandomIds
from ledger.contract import CardStanding, GrantCoins
from ledger.opening import open_ledger_database
from ledger.rules.state import RuleTerms
from ledger.writer import SqlLedger
from merchants.coupons.issuing import create_template, issue_to_cards
from merchants.coupons.templates import TemplateDraft
from merchants.coupons.templates_sql import read_template
from merchants.hosted import HostedBackend, MerchantSettings
from merchants.migrations import HISTORY as MERCHANTS
from merchants.offers import CouponKind, CouponTerms
from merchants.port import JoinMerchant
from tests.places import address_in

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ADMIN = Caller(CallerKind.ADMIN, "ada")


class StandingClock(SetClock):
    """Business time and waiting both stand where the test set them."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Names:
    """Ids of a town, the same in every town of one directory."""

    tea: str = ""
    books: str = ""
    tea_shop: str = ""
    tea_web: str = ""
    cards: dict[str, str] = field(default_factory=dict)


@dataclass
class Town:
    """One running alliance."""

    alliance: AllianceSubgraph
    ledger: SqlLedger
    backend: HostedBackend
    databases: list[Database]
    desk: Desk
    clock: StandingClock
    names: Names
    count: int = 0

    @property
    def sweepers(self) -> Sweepers:
        return self.alliance.sweepers

    def till(self, merchant_id: str | None = None, store_id: str | None = None) -> Caller:
        return Caller(CallerKind.MERCHANT, merchant_id or self.names.tea, store_id=store_id)

    def request_id(self) -> str:
        self.count += 1
        return f"request-{self.count}"

    def cart(self, *prices: int, card: str | None = "ann", **more: Any) -> CartAsked:
        """One unit of each price at the tea shop."""
        return CartAsked(
            store_id=more.pop("store_id", self.names.tea_shop),
            lines=tuple(
                LineAsked(f"sku-{index}", 1, Amount(price, "CNY"))
                for index, price in enumerate(prices)
            ),
            card_id=None if card is None else self.names.cards[card],
            **more,
        )

    async def standing(self, card: str = "ann") -> CardStanding:
        [standing] = await self.ledger.balances([self.names.cards[card]], now=self.clock.now())
        return standing

    async def grant_coins(self, amount_minor: int, card: str = "ann") -> None:
        self.count += 1
        await self.ledger.grant_coins(
            GrantCoins(
                grant_key=f"grant-{self.count}",
                card_id=self.names.cards[card],
                funder_merchant_id=None,
                amount_minor=amount_minor,
                reason="thanks",
                at=self.clock.now(),
            )
        )

    async def coupon(
        self,
        amount_minor: int,
        *,
        card: str = "ann",
        merchant_id: str | None = None,
        funder_alliance_bps: int = 0,
    ) -> str:
        """A new coupon of the card, of the tea merchant unless another is named."""
        issuer_id = merchant_id or self.names.tea
        draft = TemplateDraft(
            terms=CouponTerms(
                title=f"{amount_minor} off",
                kind=CouponKind.AMOUNT_OFF,
                min_spend_minor=1,
                amount_minor=amount_minor,
                stacking_group=issuer_id,
                funder_alliance_bps=funder_alliance_bps,
            ),
            quota_per_member=100,
        )

        def work(connection: Any) -> str:
            template_id, _ = create_template(
                connection,
                draft,
                merchant_id=issuer_id,
                now=self.clock.now(),
                ids=self.desk.ids,
                may_spend_alliance_money=True,
            )
            template = read_template(connection, merchant_id=issuer_id, template_id=template_id)
            assert template is not None
            [coupon_id] = issue_to_cards(
                connection,
                template,
                [self.names.cards[card]],
                now=self.clock.now(),
                zone=ZoneInfo("Asia/Shanghai"),
                ids=self.desk.ids,
            )
            return coupon_id

        return await self.backend.database.transaction(work)

    async def alliance_coupon(self, amount_minor: int, *, card: str = "ann") -> str:
        return await self.coupon(
            amount_minor, card=card, merchant_id=ALLIANCE_MERCHANT_ID, funder_alliance_bps=10_000
        )

    async def join(self, name: str, *merchant_ids: str) -> None:
        """A new member with a card, joined to these merchants."""
        ids, now = self.desk.ids, self.clock.now()
        member_id, card_id = ids.new("mem"), ids.new("card")
        member = Member(
            member_id,
            MemberStatus.ACTIVE,
            None,
            self.names.tea,
            self.names.tea_shop,
            ChannelKind.STORE_POS,
            now,
        )
        card = Card(card_id, member_id, f"9{len(self.names.cards):015}", CardStatus.ACTIVE, 0)
        memberships = [
            Membership(
                id=ids.new_within("mbs", merchant_id),
                merchant_id=merchant_id,
                member_id=member_id,
                card_id=card_id,
                store_id=self.names.tea_shop,
                joined_at=now,
                made_by="town",
                made_member=True,
                is_told=True,
            )
            for merchant_id in merchant_ids
        ]

        def work(connection: Any) -> None:
            members_sql.insert_member(connection, member, profile=Profile(), referral_code=None)
            members_sql.insert_card(connection, card, issued_at=now)
            for membership in memberships:
                memberships_sql.insert_membership(connection, membership)

        await self.alliance.database.transaction(work)
        self.names.cards[name] = card_id
        for membership_id, merchant_id in [
            *((membership.id, membership.merchant_id) for membership in memberships),
            (None, ALLIANCE_MERCHANT_ID),
        ]:
            await self.backend.join(
                JoinMerchant(
                    merchant_id=merchant_id,
                    membership_id=membership_id,
                    card_id=card_id,
                    store_id=None if membership_id is None else self.names.tea_shop,
                    at=now,
                    is_new_member=True,
                )
            )

    async def freeze(self, name: str) -> None:
        await self.alliance.database.transaction(
            lambda connection: connection.execute(MEMBER.update().values(status="FROZEN"))
        )

    async def rows(self, database: Database, sql: str) -> list[tuple[Any, ...]]:
        return await database.snapshot(
            lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql)]
        )

    async def close(self) -> None:
        await self.alliance.close()
        for database in self.databases:
            await database.close()


async def run_town(
    directory: Path,
    names: Names,
    *,
    clock: StandingClock,
    reach: Callable[[str], None] = reach_nothing,
    lanes: int = 1,
) -> Town:
    """The alliance in `directory`, running; a new process sees it so."""
    ids = RandomIds()
    async with contextlib.AsyncExitStack() as stack:
        ledger_database = await open_ledger_database(
            directory / "ledger.db",
            clock=clock,
            ids=ids,
            initial_rule=RuleTerms(),
            lanes=lanes,
        )
        stack.push_async_callback(ledger_database.close)
        backend_database = await open_database(address_in(directory, "merchants"), MERCHANTS)
        stack.push_async_callback(backend_database.close)
        running: list[AllianceSubgraph] = []
        ledger = SqlLedger(
            ledger_database,
            clock=clock,
            settings=lambda: running[0].ledger_settings,
            lanes=lanes,
        )
        backend = HostedBackend(
            backend_database,
            clock=clock,
            ids=ids,
            settings=lambda: MerchantSettings("CNY", "Asia/Shanghai", ALLIANCE_MERCHANT_ID),
        )
        alliance = await AllianceSubgraph.open(
            address_in(directory, "alliance"),
            clock=clock,
            ids=ids,
            ledger=ledger,
            backend=backend,
            reach=reach,
        )
        running.append(alliance)
        stack.pop_all()  # The town closes them.
    return Town(
        alliance, ledger, backend, [ledger_database, backend_database], alliance.desk, clock, names
    )


async def found_town(
    directory: Path,
    clock: StandingClock | None = None,
    *,
    reach: Callable[[str], None] = reach_nothing,
    lanes: int = 1,
) -> Town:
    """A new alliance: tea (a shop and a web shop), books (a shop), and the member Ann."""
    names = Names()
    clock = clock or StandingClock(START)
    town = await run_town(directory, names, clock=clock, reach=reach, lanes=lanes)

    async def admit(reference: str) -> str:
        admitted = await town.alliance.admission.admit_merchant(
            ADMIN,
            AdmitMerchant(town.request_id(), reference, reference, None, BackendKind.HOSTED, None),
        )
        return admitted.merchant.id

    async def open_store(merchant_id: str, reference: str, channel: ChannelKind) -> str:
        opened = await town.alliance.admission.open_store(
            ADMIN, OpenStore(town.request_id(), merchant_id, reference, reference, channel)
        )
        return opened.store.id

    names.tea, names.books = await admit("tea"), await admit("books")
    names.tea_shop = await open_store(names.tea, "tea-shop", ChannelKind.STORE_POS)
    names.tea_web = await open_store(names.tea, "tea-web", ChannelKind.WEB_SHOP)
    await open_store(names.books, "bookshop", ChannelKind.STORE_POS)
    await town.join("ann", names.tea, names.books)
    return town


@contextlib.asynccontextmanager
async def open_town(directory: Path) -> AsyncIterator[Town]:
    """A new alliance, closed afterwards."""
    town = await found_town(directory)
    try:
        yield town
    finally:
        await town.close()
