"""Inputs of the backend contract; never part of the public API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from kernel.graphql import ChannelKind, Long, MoneyInput
from kernel.units import Ratio
from merchants.schema.enums import CouponKind, PartialRefundRule
from merchants.schema.gift_zones import GiftZoneInput
from merchants.schema.offers import CartLineInput, RefundLineInput

_WHOSE = "Whose backend."
_ATTEMPT = "The checkout's attempt."


@strawberry.federation.input(
    inaccessible=True, description="Articles that an alliance coupon gives."
)
class BackendGiftZoneInput(GiftZoneInput):
    """Articles that an alliance coupon gives."""


@strawberry.federation.input(
    inaccessible=True, description="An alliance coupon, to be priced by a merchant."
)
class BackendOfferInput:
    """An alliance coupon."""

    coupon_id: strawberry.ID = strawberry.field(description="The coupon.")
    title: str = strawberry.field(description="Name, for people.")
    kind: CouponKind = strawberry.field(description="What it does.")
    amount: MoneyInput | None = strawberry.field(default=None, description="What it takes off.")
    percent_off_bps: int | None = strawberry.field(
        default=None, description="What it takes off, basis points."
    )
    cap: MoneyInput | None = strawberry.field(default=None, description="The most it takes off.")
    min_spend: MoneyInput = strawberry.field(description="Spending it needs.")
    gift_zone: BackendGiftZoneInput | None = strawberry.field(
        default=None, description="What it gives; needed when GIFT or EXCHANGE."
    )
    skus: Sequence[str] | None = strawberry.field(
        default=None, description="Limits it to articles."
    )
    category_ids: Sequence[str] | None = strawberry.field(
        default=None, description="Limits it to categories."
    )
    channels: Sequence[ChannelKind] | None = strawberry.field(
        default=None, description="Limits it to kinds of store."
    )
    stacking_group: str | None = strawberry.field(
        default=None, description="One coupon per group and order."
    )
    funder_alliance_bps: int = strawberry.field(description="The alliance's share, basis points.")
    on_partial_refund: PartialRefundRule | None = strawberry.field(
        default=PartialRefundRule.KEEP, description="What a refund of a part of the order does."
    )


@strawberry.federation.input(inaccessible=True, description="Input of `backendPrice`.")
class BackendPriceInput:
    """Input of `backendPrice`."""

    merchant_id: strawberry.ID = strawberry.field(description=_WHOSE)
    store_id: strawberry.ID = strawberry.field(description="Where.")
    channel: ChannelKind = strawberry.field(description="Kind of point of sale.")
    at: datetime = strawberry.field(description="At which instant.")
    membership_id: strawberry.ID | None = strawberry.field(
        default=None, description="Absent: an anonymous buyer."
    )
    card_id: strawberry.ID | None = strawberry.field(
        default=None, description="Absent: an anonymous buyer."
    )
    lines: Sequence[CartLineInput] = strawberry.field(description="1 to 200.")
    coupon_ids: Sequence[strawberry.ID] | None = strawberry.field(
        default=None, description="Coupons to use."
    )
    choose_best: bool = strawberry.field(
        default=True, description="Also choose among the member's coupons."
    )
    shipping: MoneyInput | None = strawberry.field(default=None, description="Shipping to pay.")
    points: Long | None = strawberry.field(
        default=None, description="Points to spend, within what is available."
    )
    coins: MoneyInput | None = strawberry.field(
        default=None, description="Coins to spend, within what is available."
    )
    points_available: Long = strawberry.field(
        default=Long(0), description="Points the card can spend now."
    )
    coins_available: MoneyInput | None = strawberry.field(
        default=None, description="Coins the card can spend now."
    )
    member_point_value: Ratio = strawberry.field(description="Minor units a point takes off.")
    points_cap_bps: int = strawberry.field(
        description="Largest share that points may pay, basis points."
    )
    earn_points_per_major_unit: int = strawberry.field(
        description="Points per whole major unit of cash."
    )
    alliance_coupons: Sequence[BackendOfferInput] | None = strawberry.field(
        default=None, description="The alliance's coupons of the card."
    )
    alliance_rank: int = strawberry.field(
        default=0, description="Best rank in the alliance's ladders; 0 for none."
    )


@strawberry.federation.input(
    inaccessible=True, description="Input of `backendRefund` and `backendRefundTerms`."
)
class BackendRefundInput:
    """Input of `backendRefund` and `backendRefundTerms`."""

    merchant_id: strawberry.ID = strawberry.field(description=_WHOSE)
    order_id: strawberry.ID = strawberry.field(description="The order.")
    refund_no: str | None = strawberry.field(
        default=None, description="The merchant's number; absent in a preview."
    )
    lines: Sequence[RefundLineInput] | None = strawberry.field(
        default=None, description="Units to refund."
    )
    amount: MoneyInput | None = strawberry.field(
        default=None, description="A price adjustment, cash only."
    )


@strawberry.federation.input(inaccessible=True, description="Input of `backendJoin`.")
class BackendJoinInput:
    """Input of `backendJoin`."""

    merchant_id: strawberry.ID = strawberry.field(description=_WHOSE)
    membership_id: strawberry.ID | None = strawberry.field(
        default=None, description="The membership; absent for the alliance's own backend."
    )
    card_id: strawberry.ID = strawberry.field(description="The card.")
    store_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where; absent for the alliance's own backend."
    )
    at: datetime = strawberry.field(description="When.")
    is_new_member: bool = strawberry.field(description="Whether the person is new to the alliance.")


@strawberry.federation.input(
    inaccessible=True, description="Units of a promotion's stock that a price uses."
)
class BackendStockInput:
    """Units of a promotion's stock."""

    promotion_id: strawberry.ID = strawberry.field(description="The promotion.")
    units: int = strawberry.field(description="Units, at least 1.")


@strawberry.federation.input(inaccessible=True, description="Input of `backendLock`.")
class BackendLockInput:
    """Input of `backendLock`."""

    merchant_id: strawberry.ID = strawberry.field(description=_WHOSE)
    attempt_id: strawberry.ID = strawberry.field(description=_ATTEMPT)
    store_id: strawberry.ID = strawberry.field(description="Where.")
    card_id: strawberry.ID | None = strawberry.field(
        default=None, description="The card; absent: an anonymous buyer, who has no coupons."
    )
    coupon_ids: Sequence[strawberry.ID] = strawberry.field(description="Coupons to lock.")
    stock: Sequence[BackendStockInput] | None = strawberry.field(
        default=None, description="Units of flash sales to hold."
    )


@strawberry.federation.input(inaccessible=True, description="Input of `backendPlace`.")
class BackendPlaceInput:
    """Input of `backendPlace`."""

    merchant_id: strawberry.ID = strawberry.field(description=_WHOSE)
    attempt_id: strawberry.ID = strawberry.field(description=_ATTEMPT)
    order_id: strawberry.ID = strawberry.field(description="Id the order shall have.")
    order_no: str = strawberry.field(description="The merchant's number.")
    cart: BackendPriceInput = strawberry.field(description="What was priced.")
    version: str = strawberry.field(description="Version the customer agreed to.")
    paid_at: datetime = strawberry.field(description="When the customer paid.")


@strawberry.federation.input(inaccessible=True, description="Input of `backendRelease`.")
class BackendReleaseInput:
    """Input of `backendRelease`."""

    merchant_id: strawberry.ID = strawberry.field(description=_WHOSE)
    attempt_id: strawberry.ID = strawberry.field(description=_ATTEMPT)


@strawberry.federation.input(inaccessible=True, description="Input of `backendMerge`.")
class BackendMergeInput:
    """Input of `backendMerge`."""

    merchant_id: strawberry.ID = strawberry.field(description="Whose backend.")
    merge_id: strawberry.ID = strawberry.field(description="Identifies the merge.")
    survivor_card_id: strawberry.ID = strawberry.field(description="The card that stays.")
    survivor_membership_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its membership; absent when it had none."
    )
    merged_card_id: strawberry.ID = strawberry.field(description="The card that goes.")
    merged_membership_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its membership; absent when it had none."
    )
    dry_run: bool = strawberry.field(description="Only preview.")
    undo: bool = strawberry.field(
        default=False, description="Undo this merge: what it moved goes back."
    )


@strawberry.federation.input(inaccessible=True, description="Input of `backendRecord`.")
class BackendRecordInput:
    """Input of `backendRecord`."""

    merchant_id: strawberry.ID = strawberry.field(description="The alliance's own merchant id.")
    at_merchant_id: strawberry.ID = strawberry.field(description="Merchant of the order.")
    order_id: strawberry.ID = strawberry.field(description="The order.")
    refund_no: str | None = strawberry.field(
        default=None, description="The refund's number; absent for a sale."
    )
    attempt_id: strawberry.ID | None = strawberry.field(
        default=None, description="The checkout's attempt; absent for a refund."
    )
    card_id: strawberry.ID = strawberry.field(description="The card.")
    at: datetime = strawberry.field(description="When.")
    qualifying: MoneyInput = strawberry.field(
        description="What counts for ladders after this event: cash and coins, without shipping."
    )
    ended: bool = strawberry.field(
        default=False,
        description="Whether the order is refunded in full; only then it no longer counts.",
    )
    coupon_ids: Sequence[strawberry.ID] = strawberry.field(
        description="The alliance's coupons redeemed or returned."
    )
