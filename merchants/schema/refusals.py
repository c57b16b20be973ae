"""Refusals of a backend in GraphQL.

Those that name an entity are declared by each subgraph over its own entity classes; the
others are imported as they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

import strawberry

from kernel.clock import from_micros
from kernel.graphql import Long, RefusalPayload
from kernel.refusals import Refusal
from merchants.refusals import (
    BackendAttemptReleased,
    BackendSoldOut,
    CouponTaken,
    MerchantNotActive,
    NotAMember,
    OrderConflict,
    PaidMembershipOver,
    QuotaExhausted,
    RefundConflict,
    RefundExceedsOrder,
    TaskCapReached,
)
from merchants.schema.coupon_refusals import COUPON_REFUSALS
from merchants.schema.coupons import Coupon
from merchants.schema.merchants import Merchant, Store
from merchants.schema.orders import Order
from merchants.schema.shared_refusals import RefundExceedsOrderRefusal


@strawberry.federation.type(
    shareable=True, description="A coupon is locked or redeemed by another checkout."
)
class CouponTakenRefusal(RefusalPayload):
    """Payload of `CouponTaken`."""

    coupon: Coupon = strawberry.field(description="The coupon.")
    taken_at_store: Store | None = strawberry.field(
        description="Where the other checkout runs; null when the caller may not see it."
    )
    taken_at: datetime = strawberry.field(description="When the other checkout took it.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `CouponTaken`."""
        store_id = refusal.taken_at_store_id
        return cls(
            **cls.told_by(refusal),
            coupon=Coupon(
                id=strawberry.ID(refusal.coupon_id), merchant_id=strawberry.ID(refusal.merchant_id)
            ),
            taken_at_store=None if store_id is None else Store(id=strawberry.ID(store_id)),
            taken_at=from_micros(refusal.taken_at),
        )


@strawberry.federation.type(
    shareable=True,
    description="The merchant has another order, with other facts, under this number.",
)
class OrderConflictRefusal(RefusalPayload):
    """Payload of `OrderConflict`."""

    order: Order = strawberry.field(description="The order that stands.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `OrderConflict`."""
        return cls(**cls.told_by(refusal), order=_order(refusal))


@strawberry.federation.type(
    shareable=True,
    description="The order has a refund with other facts under this `refundNo`.",
)
class RefundConflictRefusal(RefusalPayload):
    """Payload of `RefundConflict`."""

    order: Order = strawberry.field(description="The order.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `RefundConflict`."""
        return cls(**cls.told_by(refusal), order=_order(refusal))


@strawberry.federation.type(
    shareable=True,
    description="The merchant's state does not allow this (suspended, winding down, left).",
)
class MerchantNotActiveRefusal(RefusalPayload):
    """Payload of `MerchantNotActive`."""

    merchant: Merchant = strawberry.field(description="The merchant.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `MerchantNotActive`."""
        merchant = Merchant(id=strawberry.ID(refusal.merchant_id))
        return cls(**cls.told_by(refusal), merchant=merchant)


@strawberry.type(
    description="Some cards have not joined this merchant, or are those of erased members."
)
class NotAMemberRefusal(RefusalPayload):
    """Payload of `NotAMember`."""

    card_ids: list[strawberry.ID] = strawberry.field(description="Those cards.")


@strawberry.type(description="The member did this task as often as it counts for now.")
class TaskCapReachedRefusal(RefusalPayload):
    """Payload of `TaskCapReached`."""

    task_code: str = strawberry.field(description="Code of the task.")
    period: str = strawberry.field(
        description="What its cap is for, in the alliance's time zone: DAY or MONTH."
    )


@strawberry.type(description="The paid membership was refunded, or its time is over.")
class PaidMembershipOverRefusal(RefusalPayload):
    """Payload of `PaidMembershipOver`."""

    paid_membership_id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The template's quota does not cover this.")
class QuotaExhaustedRefusal(RefusalPayload):
    """Payload of `QuotaExhausted`."""

    left: Long = strawberry.field(description="Coupons left in all.")
    cards_at_limit: list[strawberry.ID] = strawberry.field(
        description="Cards that have their share already."
    )


@strawberry.federation.type(
    inaccessible=True,
    description="The attempt was released; nothing of it is accepted any more.",
)
class BackendAttemptReleasedRefusal(RefusalPayload):
    """Payload of `BackendAttemptReleased`."""


@strawberry.federation.type(
    inaccessible=True, description="Too few units of a promotion's stock are left."
)
class BackendSoldOutRefusal(RefusalPayload):
    """Payload of `BackendSoldOut`."""

    promotion_id: strawberry.ID = strawberry.field(description="The promotion.")


REFUSALS: dict[type[Refusal], type[RefusalPayload]] = {
    CouponTaken: CouponTakenRefusal,
    OrderConflict: OrderConflictRefusal,
    RefundConflict: RefundConflictRefusal,
    RefundExceedsOrder: RefundExceedsOrderRefusal,
    MerchantNotActive: MerchantNotActiveRefusal,
    NotAMember: NotAMemberRefusal,
    QuotaExhausted: QuotaExhaustedRefusal,
    TaskCapReached: TaskCapReachedRefusal,
    PaidMembershipOver: PaidMembershipOverRefusal,
    BackendAttemptReleased: BackendAttemptReleasedRefusal,
    **COUPON_REFUSALS,
    BackendSoldOut: BackendSoldOutRefusal,
}


def _order(refusal: OrderConflict | RefundConflict) -> Order:
    return Order(id=strawberry.ID(refusal.order_id), merchant_id=strawberry.ID(refusal.merchant_id))
