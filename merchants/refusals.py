"""Every "no" that a backend gives. Instants are microseconds since 1970, as databases hold them.

The GraphQL types that tell them are in `merchants.schema.refusals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kernel.refusals import Refusal


@dataclass(eq=False)
class CouponTaken(Refusal):
    """The coupon is locked or redeemed by another checkout."""

    coupon_id: str
    merchant_id: str
    taken_at_store_id: str | None
    taken_at: int


@dataclass(eq=False)
class BackendAttemptReleased(Refusal):
    """The attempt was released; nothing of it is accepted any more."""


@dataclass(eq=False)
class OrderConflict(Refusal):
    """The merchant has another order, with other facts, under this number."""

    order_id: str
    merchant_id: str


@dataclass(eq=False)
class RefundConflict(Refusal):
    """The order has a refund with other facts under this number."""

    order_id: str
    merchant_id: str


@dataclass(eq=False)
class RefundExceedsOrder(Refusal):
    """The refund asks for more than the order still holds."""

    refundable_minor: int
    currency: str


@dataclass(eq=False)
class MerchantNotActive(Refusal):
    """The merchant's state does not allow this."""

    merchant_id: str


@dataclass(eq=False)
class NotAMember(Refusal):
    """Some cards have not joined this merchant."""

    card_ids: list[str]


@dataclass(eq=False)
class TaskCapReached(Refusal):
    """The member did this task as often as it counts for now.

    Attributes:
        period: DAY or MONTH.
    """

    retryable: ClassVar[bool] = True

    task_code: str
    period: str


@dataclass(eq=False)
class PaidMembershipOver(Refusal):
    """The paid membership was refunded, or its time is over."""

    paid_membership_id: str


@dataclass(eq=False)
class QuotaExhausted(Refusal):
    """The template's quota does not cover this."""

    left: int
    cards_at_limit: list[str]
