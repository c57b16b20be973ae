"""Orders and outbox events, as others see them. Amounts are minor units, instants UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from merchants.offers import Redemption


class EventKind(StrEnum):
    """Kind of an outbox event."""

    ORDER_PLACED = "ORDER_PLACED"
    ORDER_REFUNDED = "ORDER_REFUNDED"


class OrderState(StrEnum):
    """State of an order."""

    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order, as much as others need to act on it.

    Attributes:
        payable_minor: cash paid, shipping included, before refunds.
        refunded_minor: cash refunded so far.
    """

    id: str
    merchant_id: str
    order_no: str
    store_id: str
    channel: str
    state: OrderState
    placed_at: datetime
    membership_id: str | None
    card_id: str | None
    attempt_id: str
    payable_minor: int
    refunded_minor: int
    points_spent: int
    coins_spent_minor: int
    points_earned: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a backend committed and others must hear of.

    Attributes:
        id: unique; receivers ignore repeats.
        cursor: pass as `after` to `events`.
        card_id: None for an anonymous buyer.
        attempt_id: None for a refund.
        refund_no: None for a sale.
        cash_minor: cash collected, or handed back.
        points, coins_minor: spent, or returned.
        points_kept: points the order keeps earned after this event, in total.
        qualifying_minor: what counts for ladders after this event: cash and coins, no shipping.
        is_ended: the order is refunded in full; only then it no longer counts as an order.
        redemptions: coupons redeemed, or with negative amounts returned.
    """

    id: str
    cursor: int
    merchant_id: str
    kind: EventKind
    at: datetime
    order_id: str
    order_no: str
    store_id: str
    channel: str
    card_id: str | None
    attempt_id: str | None
    refund_no: str | None
    cash_minor: int
    points: int
    coins_minor: int
    points_kept: int
    qualifying_minor: int
    redemptions: tuple[Redemption, ...]
    is_ended: bool = False
