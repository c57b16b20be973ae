"""What a backend can be asked; `hosted` answers it.

Amounts are minor units of the alliance's currency. Instants are UTC. Ids are TypeIDs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from merchants.events import Event as Event
from merchants.events import EventKind as EventKind
from merchants.events import OrderFacts as OrderFacts
from merchants.events import OrderState as OrderState
from merchants.giving import ClaimCoupon as ClaimCoupon
from merchants.giving import Claimed as Claimed
from merchants.giving import GiveCoupons as GiveCoupons
from merchants.giving import SharedCoupon as SharedCoupon
from merchants.ladders.tiers import Standing
from merchants.merging_calls import ForgetsWallets
from merchants.merging_calls import MergeWallets as MergeWallets
from merchants.merging_calls import WalletsMerged as WalletsMerged
from merchants.offers import OfferedCoupon, Priced
from merchants.refund_calls import Refunded as Refunded
from merchants.refund_calls import RefundLine as RefundLine
from merchants.refund_calls import RefundOrder as RefundOrder
from merchants.refund_calls import RefundTerms as RefundTerms
from merchants.sale_calls import LockCoupons as LockCoupons
from merchants.sale_calls import Locked as Locked
from merchants.sale_calls import Placed as Placed
from merchants.sale_calls import PlaceOrder as PlaceOrder
from merchants.sale_calls import PriceCart as PriceCart
from merchants.sale_calls import ReleaseAttempt as ReleaseAttempt
from merchants.sale_calls import Released as Released


class MerchantState(StrEnum):
    """How far a merchant's admission is; backends know admitted ones only."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    WINDING_DOWN = "WINDING_DOWN"
    LEFT = "LEFT"


@dataclass(frozen=True, slots=True)
class JoinMerchant:
    """A member joined; gives newcomer coupons.

    Attributes:
        membership_id, store_id: None for the alliance's own backend.
        is_new_member: whether the person is new to the alliance.
    """

    merchant_id: str
    membership_id: str | None
    card_id: str
    store_id: str | None
    at: datetime
    is_new_member: bool


@dataclass(frozen=True, slots=True)
class JoinedMerchant:
    """The member has a wallet here; coupons given for joining."""

    replayed: bool
    coupon_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """Tells the alliance's own backend of another merchant's event.

    Attributes:
        merchant_id: the alliance's own.
        attempt_id: None for a refund.
        qualifying_minor: `Event.qualifying_minor`.
        is_ended: `Event.is_ended`.
        coupon_ids: the alliance's coupons redeemed (sale) or returned (refund).
        store_id: where; shown to a checkout that finds a coupon taken.
        costs_minor: what each coupon took off, in the order of `coupon_ids`; empty when not told.
    """

    merchant_id: str
    at_merchant_id: str
    order_id: str
    refund_no: str | None
    attempt_id: str | None
    card_id: str
    at: datetime
    qualifying_minor: int
    coupon_ids: tuple[str, ...] = ()
    store_id: str | None = None
    costs_minor: tuple[int, ...] = ()
    is_ended: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """The alliance's backend knows of the event."""

    replayed: bool


@dataclass(frozen=True, slots=True)
class Offers:
    """What a backend brings into a price elsewhere: coupons ISSUED and valid now, standings."""

    coupons: tuple[OfferedCoupon, ...]
    tiers: tuple[Standing, ...]

    @property
    def best_rank(self) -> int:
        """Best rank in any ladder; 0 for none."""
        return max((standing.rank for standing in self.tiers), default=0)


class Backend(ForgetsWallets, Protocol):
    """A backend of any number of merchants.

    Calls that write are idempotent: by attempt (lock, release), by (merchant, orderNo), by
    (order, refundNo), by membership (join), by (order, refundNo) again (record), by merge. A card
    that was merged is the survivor to every later call. Refusals are
    those of `merchants.refusals`, `kernel.refusals.NotFound` and `InvalidInput`; failures are
    `kernel.database.DatabaseUnavailable` and `Overloaded`.
    """

    async def register(
        self,
        merchant_id: str,
        state: MerchantState,
        *,
        version: int,
        ends_at: datetime | None = None,
    ) -> None:
        """Makes a merchant known, or gives it another state.

        Args:
            version: grows with every change; what is older than what is known is not taken.
            ends_at: with which its coupons end; None unless it is leaving.
        """
        ...

    async def price(self, cart: PriceCart) -> Priced:
        """The cart's price. Refuses InvalidInput, NotFound."""
        ...

    async def refund_terms(self, refund: RefundOrder) -> RefundTerms:
        """What the refund would do. Refuses RefundExceedsOrder, InvalidInput, NotFound."""
        ...

    async def offers(self, merchant_id: str, card_id: str) -> Offers:
        """The card's usable coupons and standings at that merchant."""
        ...

    async def events(self, merchant_id: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """The merchant's outbox behind `after`, oldest first."""
        ...

    async def events_of_all(self, *, after: int = 0, limit: int = 100) -> list[Event]:
        """The outbox of every merchant of this backend behind `after`, oldest first."""
        ...

    async def join(self, join: JoinMerchant) -> JoinedMerchant:
        """Opens the wallet. Refuses MerchantNotActive, InvalidInput."""
        ...

    async def lock(self, lock: LockCoupons) -> Locked:
        """Locks coupons and stock. Refuses BackendAttemptReleased, CouponTaken, NotFound,
        BackendSoldOut.
        """
        ...

    async def place(self, order: PlaceOrder) -> Placed:
        """Books the sale. Refuses BackendAttemptReleased, OrderConflict, InvalidInput."""
        ...

    async def release(self, attempt: ReleaseAttempt) -> Released:
        """Frees the attempt. Refuses OrderConflict when it was placed."""
        ...

    async def refund(self, refund: RefundOrder) -> Refunded:
        """Books the refund.

        Refuses RefundExceedsOrder, RefundConflict, InvalidInput, NotFound.
        """
        ...

    async def shared_coupon(self, merchant_id: str, share_code: str) -> SharedCoupon:
        """What the code gives, or gave. Refuses NotFound."""
        ...

    async def claim(self, claim: ClaimCoupon) -> Claimed:
        """Gives the claimant a coupon. Refuses NotFound, ShareNotClaimable."""
        ...

    async def give(self, given: GiveCoupons) -> int:
        """Gives coupons for an occasion, once to each card; how many were given now."""
        ...

    async def give_due(self, merchant_id: str) -> int:
        """Gives the coupons whose time has come (HOLIDAY, WAKE_UP, WIN_BACK); how many."""
        ...

    async def record(self, event: RecordEvent) -> Recorded:
        """Counts another merchant's event here. Refuses InvalidInput."""
        ...

    async def end_due_tiers(self, *, limit: int = 200) -> int:
        """Evaluates tiers whose time is over by now, at most `limit`; how many it did."""
        ...

    async def merge(self, merge: MergeWallets) -> WalletsMerged:
        """Makes two wallets one; every later call about the merged card is about the survivor."""
        ...

    async def unmerge(self, merge: MergeWallets) -> WalletsMerged:
        """Undoes a merge: what it moved goes back, in whatever state it is by now."""
        ...

    async def orders(self, keys: Sequence[tuple[str, str]]) -> list[OrderFacts | None]:
        """Orders by (merchant_id, order_id), in the order asked; None for an unknown one."""
        ...

    async def coupon_holders(self, keys: Sequence[tuple[str, str]]) -> list[str | None]:
        """Card ids by (merchant_id, coupon_id), in the order asked; None for an unknown coupon."""
        ...

    async def order_by_no(self, merchant_id: str, order_no: str) -> OrderFacts | None:
        """The merchant's order with that number."""
        ...
