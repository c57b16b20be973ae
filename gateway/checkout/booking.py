"""Books what a backend committed: in the ledger, and with the alliance's own backend.

Both are known by the order and the refund, so that the request and a sweeper may both book.
See docs/rules/checkout.md, rules 8 and 9.
"""

from __future__ import annotations

from gateway.checkout.desk import Desk
from gateway.checkout.lifetimes import Lifetime, lifetime_of
from gateway.checkout.running import all_done
from gateway.checkout.saved import SavedCheckout, issuer_of
from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from ledger.contract import (
    ApplyRefund,
    CaptureOrder,
    CouponRedemption,
    OrderReceipt,
    RefundReceipt,
)
from merchants.port import Event, RecordEvent


async def book_sale(
    desk: Desk, event: Event, checkout: SavedCheckout | None
) -> OrderReceipt | None:
    """Books a sale; None for an anonymous buyer, who spends and earns nothing.

    Args:
        checkout: that sold it; None when no checkout of ours did.

    Raises:
        DatabaseUnavailable, Overloaded: not all of it is booked; it may be repeated.
    """
    card_id = event.card_id
    if card_id is None:
        return None
    receipts: list[OrderReceipt] = []
    request = capture_of(event, _lifetime(desk, event, checkout))

    async def capture() -> None:
        receipts.append(await desk.ledger.capture_order(request))
        desk.reach("sale.ledger")

    async def record() -> None:
        await desk.backend.record(record_of(event, card_id))
        desk.reach("sale.record")

    await all_done(capture(), record())
    return receipts[0]


async def book_refund(desk: Desk, event: Event) -> RefundReceipt | None:
    """Books a refund; None for an anonymous buyer.

    Raises:
        OrderUnknown: the ledger has not heard of the sale.
        DatabaseUnavailable, Overloaded: not all of it is booked; it may be repeated.
    """
    card_id = event.card_id
    if card_id is None:
        return None
    receipts: list[RefundReceipt] = []

    async def refund() -> None:
        receipts.append(await desk.ledger.apply_refund(refund_of(event)))
        desk.reach("refund.ledger")

    async def record() -> None:
        await desk.backend.record(record_of(event, card_id))
        desk.reach("refund.record")

    await all_done(refund(), record())
    return receipts[0]


def capture_of(event: Event, lifetime: Lifetime) -> CaptureOrder:
    """What the ledger is told of a sale: always the same of the same event."""
    spends = event.points > 0 or event.coins_minor > 0
    return CaptureOrder(
        order_id=event.order_id,
        order_no=event.order_no,
        merchant_id=event.merchant_id,
        card_id=event.card_id,
        attempt_id=event.attempt_id if spends else None,
        points_spent=event.points,
        coins_spent_minor=event.coins_minor,
        points_earned=event.points_kept,
        at=event.at,
        active_at=lifetime.active_at,
        expires_at=lifetime.expires_at,
        redemptions=_redemptions(event, sign=1),
    )


def refund_of(event: Event) -> ApplyRefund:
    """What the ledger is told of a refund: always the same of the same event."""
    assert event.refund_no is not None
    return ApplyRefund(
        order_id=event.order_id,
        refund_no=event.refund_no,
        merchant_id=event.merchant_id,
        card_id=event.card_id,
        points_returned=event.points,
        coins_returned_minor=event.coins_minor,
        points_kept=event.points_kept,
        at=event.at,
        redemptions_returned=_redemptions(event, sign=-1),
    )


def record_of(event: Event, card_id: str) -> RecordEvent:
    """What the alliance's own backend is told of another merchant's event."""
    ours = [
        redemption
        for redemption in event.redemptions
        if issuer_of(redemption.coupon_id) == ALLIANCE_MERCHANT_ID
    ]
    return RecordEvent(
        merchant_id=ALLIANCE_MERCHANT_ID,
        at_merchant_id=event.merchant_id,
        order_id=event.order_id,
        refund_no=event.refund_no,
        attempt_id=event.attempt_id,
        card_id=card_id,
        at=event.at,
        qualifying_minor=event.qualifying_minor,
        coupon_ids=tuple(redemption.coupon_id for redemption in ours),
        store_id=event.store_id,
        costs_minor=tuple(abs(redemption.amount_minor) for redemption in ours),
        is_ended=event.is_ended,
    )


def _redemptions(event: Event, *, sign: int) -> tuple[CouponRedemption, ...]:
    return tuple(
        CouponRedemption(
            redemption.coupon_id, sign * redemption.amount_minor, redemption.funder_alliance_bps
        )
        for redemption in event.redemptions
    )


def _lifetime(desk: Desk, event: Event, checkout: SavedCheckout | None) -> Lifetime:
    """The lifetime fixed when the customer paid, whatever the settings say by now."""
    if checkout is not None and checkout.points_active_at is not None:
        return Lifetime(checkout.points_active_at, checkout.points_expire_at)
    return lifetime_of(event.at, desk.lifetime_terms(event.channel))
