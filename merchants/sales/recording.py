"""What the alliance's own backend learns of other merchants' orders.

Source: docs/rules/tiers.md, rule 7.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import IdSource
from kernel.refusals import InvalidInput
from kernel.units import AMOUNT_MAX
from merchants.coupons.budgets_sql import give_back_cost
from merchants.coupons.coupons_sql import read_coupons
from merchants.coupons.lifecycle import void_freed
from merchants.coupons.locks_sql import (
    Taking,
    read_redeemed,
    read_returned,
    redeem_coupon,
    return_coupon,
    write_returned,
)
from merchants.coupons.occasions import TierWatch
from merchants.ladders.evaluating import Evaluator, Noted
from merchants.ladders.evaluation import Cause
from merchants.ladders.ladders_sql import add_figures
from merchants.port import Recorded, RecordEvent
from merchants.sales.recording_sql import (
    RecordedOrder,
    insert_recorded_event,
    insert_recorded_order,
    read_recorded_order,
    write_recorded_order,
)


def record_event(
    connection: Connection,
    event: RecordEvent,
    evaluator: Evaluator,
    *,
    zone: ZoneInfo,
    ids: IdSource,
) -> Recorded:
    """The event counted, now or before; in whatever order an order's events arrive.

    Raises:
        InvalidInput: the amount is negative, or a sale names no attempt.
    """
    if not 0 <= event.qualifying_minor <= AMOUNT_MAX:
        raise InvalidInput.at("qualifying", "must be 0 or more")
    if event.refund_no is None and event.attempt_id is None:
        raise InvalidInput.at("attemptId", "must be given for a sale")
    if event.is_ended and (event.refund_no is None or event.qualifying_minor):
        raise InvalidInput.at(
            "ended", "must be false unless the refund leaves nothing of the order"
        )
    at = to_micros(event.at)
    is_new = insert_recorded_event(
        connection,
        merchant_id=event.merchant_id,
        order_id=event.order_id,
        refund_no=event.refund_no or "",
        at=at,
        qualifying_minor=event.qualifying_minor,
        is_ended=event.is_ended,
    )
    if not is_new:
        return Recorded(replayed=True)
    tiers = TierWatch.begin(
        connection, merchant_id=event.merchant_id, card_id=event.card_id, now=event.at, zone=zone
    )
    evaluator.note(connection, _count(connection, event, at))
    tiers.give(connection, now=event.at, zone=zone, ids=ids)
    if event.coupon_ids and event.refund_no is None:
        _redeem(connection, event, at)
    elif event.coupon_ids:
        _return(connection, event, at)
    void_freed(connection, event.merchant_id, event.coupon_ids, now=event.at, zone=zone)
    return Recorded(replayed=False)


def _count(connection: Connection, event: RecordEvent, at: int) -> Noted:
    """What counts only shrinks, so the least that any event told is what counts now."""
    is_refund = event.refund_no is not None
    told = RecordedOrder(
        merchant_id=event.merchant_id,
        order_id=event.order_id,
        at_merchant_id=event.at_merchant_id,
        card_id=event.card_id,
        placed_at=at,
        qualifying_minor=event.qualifying_minor,
        is_refunded=event.is_ended,
    )
    is_new = insert_recorded_order(connection, told)
    if is_new:
        orders, amount = int(not told.is_refunded), told.qualifying_minor
    else:
        before = read_recorded_order(
            connection, merchant_id=event.merchant_id, order_id=event.order_id
        )
        after = RecordedOrder(
            merchant_id=before.merchant_id,
            order_id=before.order_id,
            at_merchant_id=before.at_merchant_id,
            card_id=before.card_id,
            placed_at=before.placed_at if is_refund else at,
            qualifying_minor=min(before.qualifying_minor, told.qualifying_minor),
            is_refunded=before.is_refunded or told.is_refunded,
        )
        write_recorded_order(connection, after)
        orders = int(before.is_refunded) - int(after.is_refunded)
        amount = after.qualifying_minor - before.qualifying_minor
    lifetime = add_figures(
        connection,
        merchant_id=event.merchant_id,
        card_id=event.card_id,
        orders=orders,
        amount_minor=amount,
    )
    return Noted(
        event.merchant_id,
        event.card_id,
        event.at,
        Cause.REFUND if is_refund else Cause.ORDER,
        event.refund_no or event.order_id,
        orders=orders,
        amount_minor=amount,
        order_id=event.order_id,
        comes_last=is_new,
        lifetime=lifetime,
    )


def _redeem(connection: Connection, event: RecordEvent, at: int) -> None:
    """Redeems the alliance's coupons; one that somebody else has by now stays theirs.

    One that a refund returned before this sale was heard of goes back at once.
    """
    key = {"merchant_id": event.merchant_id, "order_id": event.order_id}
    returned = read_returned(connection, **key)
    costs = dict(zip(event.coupon_ids, event.costs_minor, strict=False))
    for coupon_id in event.coupon_ids:
        taking = Taking(
            merchant_id=event.merchant_id,
            coupon_id=coupon_id,
            card_id=event.card_id,
            attempt_id=event.attempt_id or "",
            store_id=event.store_id,
            at=at,
            order_id=event.order_id,
            cost_minor=costs.get(coupon_id),
        )
        if redeem_coupon(connection, taking) and coupon_id in returned:
            return_coupon(
                connection,
                merchant_id=event.merchant_id,
                coupon_id=coupon_id,
                attempt_id=taking.attempt_id,
            )


def _return(connection: Connection, event: RecordEvent, at: int) -> None:
    redeemed = read_redeemed(connection, merchant_id=event.merchant_id, order_id=event.order_id)
    attempts = dict(redeemed)
    coupons = read_coupons(connection, [(event.merchant_id, each) for each in event.coupon_ids])
    for (merchant_id, coupon_id), coupon in coupons.items():
        if coupon.card_id != event.card_id:
            continue
        is_over = coupon.valid_until <= at
        if coupon_id in attempts:
            # The cost goes back either way; the coupon only while its time is not over.
            end = give_back_cost if is_over else return_coupon
            end(
                connection,
                merchant_id=merchant_id,
                coupon_id=coupon_id,
                attempt_id=attempts[coupon_id],
            )
        elif not is_over:
            write_returned(
                connection,
                merchant_id=merchant_id,
                coupon_id=coupon_id,
                order_id=event.order_id,
                at=at,
            )
