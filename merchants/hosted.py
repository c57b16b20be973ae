"""A backend in this process: one database for any number of merchants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import Clock, to_micros
from kernel.database import Database
from kernel.ids import IdSource
from kernel.refusals import NotFound
from merchants.alliance_facts import AllianceFacts
from merchants.coupons.coupons_sql import read_coupons, read_usable_coupons
from merchants.coupons.eligibility import why_barred
from merchants.coupons.forgetting import forget_wallet
from merchants.coupons.issuing import join_merchant
from merchants.coupons.lifecycle import void_tier_coupons
from merchants.coupons.occasions import due_templates, give_coupons, give_due_page
from merchants.coupons.shown_sql import show_coupons
from merchants.coupons.voiding_sql import end_coupons
from merchants.ladders.evaluating import (
    DUE_MAX,
    Evaluator,
    VoidTierCoupons,
)
from merchants.ladders.standings import tiers_of
from merchants.offers import Priced
from merchants.port import (
    ClaimCoupon,
    Claimed,
    Event,
    GiveCoupons,
    JoinedMerchant,
    JoinMerchant,
    LockCoupons,
    Locked,
    MerchantState,
    MergeWallets,
    Offers,
    OrderFacts,
    Placed,
    PlaceOrder,
    PriceCart,
    Recorded,
    RecordEvent,
    Refunded,
    RefundOrder,
    RefundTerms,
    ReleaseAttempt,
    Released,
    SharedCoupon,
    WalletsMerged,
)
from merchants.refusals import CouponTaken
from merchants.registry_sql import read_state, write_state
from merchants.sales.attempts import lock_coupons, release_attempt
from merchants.sales.foresight import (
    foresee_offers,
    foresee_price,
    foresee_record,
    foresee_sale,
)
from merchants.sales.orders import place_order
from merchants.sales.orders_sql import read_order_by_no, read_orders
from merchants.sales.outbox_sql import read_events
from merchants.sales.quoting import CANDIDATES_MAX, price_cart
from merchants.sales.recording import record_event
from merchants.sales.refunds import refund_order, refund_terms
from merchants.sharing.share_codes import claim_coupon, why_closed
from merchants.sharing.sharing_sql import read_share
from merchants.wallets.merging import for_survivor, merge_wallets, unmerge_wallets

EVENTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class MerchantSettings:
    """What a backend takes from the alliance's settings."""

    currency: str
    time_zone: str
    alliance_merchant_id: str

    @property
    def facts(self) -> AllianceFacts:
        """The same, as rules take it."""
        return AllianceFacts(self.currency, ZoneInfo(self.time_zone), self.alliance_merchant_id)


class HostedBackend:
    """Implements `merchants.port.Backend` over one database."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        ids: IdSource,
        settings: Callable[[], MerchantSettings],
        void_tier_coupons: VoidTierCoupons = void_tier_coupons,
    ) -> None:
        self.database = database
        self.clock = clock
        self.ids = ids
        self.settings = settings
        self.void_tier_coupons = void_tier_coupons

    @property
    def evaluator(self) -> Evaluator:
        """Evaluates tiers within a transaction."""
        return Evaluator(self.settings().facts.zone, self.void_tier_coupons)

    async def register(
        self,
        merchant_id: str,
        state: MerchantState,
        *,
        version: int,
        ends_at: datetime | None = None,
    ) -> None:
        """Makes a merchant known, or gives it another state, unless a later one is known."""

        def work(connection: Connection) -> None:
            write_state(connection, merchant_id, state=state, version=version)
            if ends_at is not None:
                end_coupons(connection, merchant_id, ends_at=to_micros(ends_at))

        await self.database.transaction(work)

    async def price(self, cart: PriceCart) -> Priced:
        """The cart's price."""
        facts = self.settings().facts

        def work(connection: Connection) -> Priced:
            foresee_price(connection, cart)
            if read_state(connection, cart.merchant_id) is None:
                raise NotFound(cart.merchant_id)
            return price_cart(connection, cart, facts)

        return await self.database.snapshot(work, is_one_statement=True)

    async def refund_terms(self, refund: RefundOrder) -> RefundTerms:
        """What the refund would do."""
        currency, now = self.settings().currency, self.clock.now()
        return await self.database.snapshot(
            lambda connection: refund_terms(connection, refund, currency=currency, now=now)
        )

    async def offers(self, merchant_id: str, card_id: str) -> Offers:
        """The card's usable coupons and standings at that merchant."""
        facts, now = self.settings().facts, self.clock.now()

        def work(connection: Connection) -> Offers:
            key = (merchant_id, card_id)
            foresee_offers(connection, key, at=to_micros(now))
            usable = read_usable_coupons(
                connection,
                merchant_id=merchant_id,
                card_id=card_id,
                at=to_micros(now),
                limit=CANDIDATES_MAX,
            )
            barred = why_barred(connection, usable, now=now, zone=facts.zone)
            coupons = [each for each in usable if each.coupon_id not in barred]
            tiers = tiers_of(connection, [key], now=now, alliance=facts)[key]
            return Offers(tuple(each.offer for each in coupons), tiers.standings)

        return await self.database.snapshot(work, is_one_statement=True)

    async def events(self, merchant_id: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """The merchant's outbox behind `after`, oldest first."""
        return await self._events(merchant_id, after=after, limit=limit)

    async def events_of_all(self, *, after: int = 0, limit: int = 100) -> list[Event]:
        """The outbox of every merchant of this backend behind `after`, oldest first."""
        return await self._events(None, after=after, limit=limit)

    async def join(self, join: JoinMerchant) -> JoinedMerchant:
        """Opens the wallet."""
        own = self.settings().alliance_merchant_id
        return await self.database.transaction(
            lambda connection: join_merchant(
                connection,
                for_survivor(connection, join),
                alliance_merchant_id=own,
                ids=self.ids,
            )
        )

    async def lock(self, lock: LockCoupons) -> Locked:
        """Locks coupons."""
        now, zone = self.clock.now(), self.settings().facts.zone
        elsewhere = lock.at_merchant_id if lock.at_merchant_id != lock.merchant_id else None

        def work(connection: Connection) -> Locked:
            locked = lock_coupons(connection, for_survivor(connection, lock), now=now, zone=zone)
            if elsewhere is not None:
                show_coupons(connection, lock.merchant_id, locked.coupon_ids, to=elsewhere)
            return locked

        try:
            return await self.database.transaction(work)
        except CouponTaken as taken:
            if elsewhere is not None:
                coupon_ids, to = (taken.coupon_id,), elsewhere
                await self.database.transaction(
                    lambda connection: show_coupons(connection, lock.merchant_id, coupon_ids, to=to)
                )
            raise

    async def place(self, order: PlaceOrder) -> Placed:
        """Books the sale."""
        facts, evaluator = self.settings().facts, self.evaluator

        def work(connection: Connection) -> Placed:
            foresee_sale(connection, order)
            return place_order(connection, order, facts, evaluator, ids=self.ids)

        return await self.database.transaction(work)

    async def release(self, attempt: ReleaseAttempt) -> Released:
        """Frees the attempt."""
        now, zone = self.clock.now(), self.settings().facts.zone
        return await self.database.transaction(
            lambda connection: release_attempt(connection, attempt, now=now, zone=zone)
        )

    async def refund(self, refund: RefundOrder) -> Refunded:
        """Books the refund."""
        currency, now, evaluator = self.settings().currency, self.clock.now(), self.evaluator
        return await self.database.transaction(
            lambda connection: refund_order(
                connection, refund, currency=currency, now=now, evaluator=evaluator
            )
        )

    async def shared_coupon(self, merchant_id: str, share_code: str) -> SharedCoupon:
        """What the code would give."""
        at = to_micros(self.clock.now())

        def work(connection: Connection) -> SharedCoupon:
            share = read_share(connection, merchant_id=merchant_id, share_code=share_code)
            if share is None:
                raise NotFound(share_code)
            return SharedCoupon(
                merchant_id, share.coupon_id, share.card_id, why_closed(share, at=at)
            )

        return await self.database.snapshot(work)

    async def claim(self, claim: ClaimCoupon) -> Claimed:
        """Gives the claimant a coupon."""
        now, zone = self.clock.now(), self.settings().facts.zone
        return await self.database.transaction(
            lambda connection: claim_coupon(connection, claim, now=now, zone=zone, ids=self.ids)
        )

    async def give(self, given: GiveCoupons) -> int:
        """Gives coupons for an occasion."""
        now, zone = self.clock.now(), self.settings().facts.zone
        return await self.database.transaction(
            lambda connection: give_coupons(connection, given, now=now, zone=zone, ids=self.ids)
        )

    async def give_due(self, merchant_id: str) -> int:
        """Gives the coupons whose time has come, a page of members in each transaction."""
        now, zone = self.clock.now(), self.settings().facts.zone
        # Most merchants have nothing due, and reading does not keep others from writing.
        if not await self.database.snapshot(
            lambda connection: due_templates(connection, merchant_id, now=now, zone=zone)
        ):
            return 0
        count, after = 0, ""
        while True:
            given, last = await self.database.transaction(
                lambda connection, seen=after: give_due_page(  # type: ignore[misc]
                    connection, merchant_id, after=seen, now=now, zone=zone, ids=self.ids
                )
            )
            count += given
            if last is None:
                return count
            after = last

    async def record(self, event: RecordEvent) -> Recorded:
        """Counts another merchant's event here."""
        evaluator, zone = self.evaluator, self.settings().facts.zone

        def work(connection: Connection) -> Recorded:
            foresee_record(connection, event)
            return record_event(
                connection, for_survivor(connection, event), evaluator, zone=zone, ids=self.ids
            )

        return await self.database.transaction(work)

    async def end_due_tiers(self, *, limit: int = DUE_MAX) -> int:
        """Evaluates tiers whose time is over; how many."""
        now, evaluator = self.clock.now(), self.evaluator
        return await self.database.transaction(
            lambda connection: evaluator.end_due(connection, now=now, limit=limit)
        )

    async def merge(self, merge: MergeWallets) -> WalletsMerged:
        """Makes two wallets one, or tells what that would do."""
        now, evaluator = self.clock.now(), self.evaluator
        if merge.dry_run:
            return await self.database.snapshot(
                lambda connection: merge_wallets(connection, merge, now=now, evaluator=evaluator)
            )
        return await self.database.transaction(
            lambda connection: merge_wallets(connection, merge, now=now, evaluator=evaluator)
        )

    async def unmerge(self, merge: MergeWallets) -> WalletsMerged:
        """Makes one wallet two again."""
        now, evaluator = self.clock.now(), self.evaluator
        return await self.database.transaction(
            lambda connection: unmerge_wallets(connection, merge, now=now, evaluator=evaluator)
        )

    async def forget(self, merchant_id: str, card_id: str) -> None:
        """The card of an erased member gets nothing any more."""
        await self.database.transaction(
            lambda connection: forget_wallet(connection, merchant_id, card_id)
        )

    async def orders(self, keys: Sequence[tuple[str, str]]) -> list[OrderFacts | None]:
        """Orders by (merchant_id, order_id), in the order asked; None for an unknown one."""
        rows = await self.database.snapshot(lambda connection: read_orders(connection, keys))
        return [rows[key].facts if key in rows else None for key in keys]

    async def coupon_holders(self, keys: Sequence[tuple[str, str]]) -> list[str | None]:
        """Card ids by (merchant_id, coupon_id), in the order asked; None for an unknown coupon."""
        rows = await self.database.snapshot(lambda connection: read_coupons(connection, keys))
        return [rows[key].card_id if key in rows else None for key in keys]

    async def order_by_no(self, merchant_id: str, order_no: str) -> OrderFacts | None:
        """The merchant's order with that number."""
        row = await self.database.snapshot(
            lambda connection: read_order_by_no(
                connection, merchant_id=merchant_id, order_no=order_no
            )
        )
        return None if row is None else row.facts

    async def _events(self, merchant_id: str | None, *, after: int, limit: int) -> list[Event]:
        shown = max(1, min(limit, EVENTS_MAX))
        return await self.database.snapshot(
            lambda connection: read_events(connection, merchant_id, after=after, limit=shown)
        )
