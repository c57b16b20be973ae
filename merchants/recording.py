"""What the alliance's own backend learns of other merchants' orders.

Source: docs/rules/tiers.md, rule 7.
"""

from __future__ import annotations

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.refusals import InvalidInput
from kernel.units import AMOUNT_MAX
from merchants.coupons_sql import read_coupons
from merchants.ladders_sql import add_figures
from merchants.locks_sql import Taking, read_redeemed, redeem_coupon, return_coupon
from merchants.port import Recorded, RecordEvent
from merchants.recording_sql import (
    RecordedOrder,
    insert_recorded_event,
    insert_recorded_order,
    read_recorded_order,
    write_recorded_order,
)


def record_event(connection: Connection, event: RecordEvent) -> Recorded:
    """The event counted, now or before; in whatever order an order's events arrive.

    Raises:
        InvalidInput: the amount is negative, or a sale names no attempt.
    """
    if not 0 <= event.qualifying_minor <= AMOUNT_MAX:
        raise InvalidInput.at("qualifying", "0 or more.")
    if event.refund_no is None and event.attempt_id is None:
        raise InvalidInput.at("attemptId", "Needed for a sale.")
    at = to_micros(event.at)
    is_new = insert_recorded_event(
        connection,
        merchant_id=event.merchant_id,
        order_id=event.order_id,
        refund_no=event.refund_no or "",
        at=at,
    )
    if not is_new:
        return Recorded(replayed=True)
    _count(connection, event, at)
    if event.coupon_ids and event.refund_no is None:
        _redeem(connection, event, at)
    elif event.coupon_ids:
        _return(connection, event, at)
    return Recorded(replayed=False)


def _count(connection: Connection, event: RecordEvent, at: int) -> None:
    """What counts only shrinks, so the least that any event told is what counts now."""
    is_refund = event.refund_no is not None
    told = RecordedOrder(
        merchant_id=event.merchant_id,
        order_id=event.order_id,
        card_id=event.card_id,
        placed_at=at,
        qualifying_minor=event.qualifying_minor,
        is_refunded=is_refund and event.qualifying_minor == 0,
    )
    if insert_recorded_order(connection, told):
        orders, amount = int(not told.is_refunded), told.qualifying_minor
    else:
        before = read_recorded_order(
            connection, merchant_id=event.merchant_id, order_id=event.order_id
        )
        after = RecordedOrder(
            merchant_id=before.merchant_id,
            order_id=before.order_id,
            card_id=before.card_id,
            placed_at=before.placed_at if is_refund else at,
            qualifying_minor=min(before.qualifying_minor, told.qualifying_minor),
            is_refunded=before.is_refunded or told.is_refunded,
        )
        write_recorded_order(connection, after)
        orders = int(before.is_refunded) - int(after.is_refunded)
        amount = after.qualifying_minor - before.qualifying_minor
    add_figures(
        connection,
        merchant_id=event.merchant_id,
        card_id=event.card_id,
        orders=orders,
        amount_minor=amount,
    )


def _redeem(connection: Connection, event: RecordEvent, at: int) -> None:
    """Redeems the alliance's coupons; one that somebody else has by now stays theirs."""
    for coupon_id in event.coupon_ids:
        redeem_coupon(
            connection,
            Taking(
                merchant_id=event.merchant_id,
                coupon_id=coupon_id,
                card_id=event.card_id,
                attempt_id=event.attempt_id or "",
                store_id=event.store_id,
                at=at,
                order_id=event.order_id,
            ),
        )


def _return(connection: Connection, event: RecordEvent, at: int) -> None:
    redeemed = read_redeemed(connection, merchant_id=event.merchant_id, order_id=event.order_id)
    coupons = read_coupons(connection, [(event.merchant_id, each[0]) for each in redeemed])
    for coupon_id, attempt_id in redeemed:
        is_valid = coupons[(event.merchant_id, coupon_id)].valid_until > at
        if coupon_id in event.coupon_ids and is_valid:
            return_coupon(
                connection,
                merchant_id=event.merchant_id,
                coupon_id=coupon_id,
                attempt_id=attempt_id,
            )
