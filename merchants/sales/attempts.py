"""Locking coupons for a checkout's attempt, and letting them go.

Source: docs/rules/coupons.md, rules 10 to 12.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.refusals import NotFound
from merchants.coupons.coupons_sql import read_coupons
from merchants.coupons.eligibility import refuse_outsiders
from merchants.coupons.lifecycle import void_freed
from merchants.coupons.locks_sql import (
    Taking,
    lock_coupon,
    read_live_use,
    read_locked,
    read_released,
    unlock_coupon,
    write_released,
)
from merchants.port import LockCoupons, Locked, ReleaseAttempt, Released
from merchants.promotions.stock_sql import hold_stock, release_stock
from merchants.refusals import BackendAttemptReleased, BackendSoldOut, CouponTaken, OrderConflict
from merchants.sales.orders_sql import read_order_of_attempt
from merchants.stored import dump, load


def lock_coupons(
    connection: Connection, lock: LockCoupons, *, now: datetime, zone: ZoneInfo
) -> Locked:
    """Every coupon locked for the attempt, or none.

    Raises:
        BackendAttemptReleased: the attempt was released before.
        CouponTaken: another checkout has one of them; tells where and since when.
        BackendSoldOut: a promotion has fewer units left.
        CouponBudgetSpent: what a template may cost in all is spent.
        NotFound: the card has no such coupon, its time is over, or it is for others now.
    """
    _refuse_released(connection, merchant_id=lock.merchant_id, attempt_id=lock.attempt_id)
    coupon_ids = tuple(dict.fromkeys(lock.coupon_ids))
    costs = dict(zip(lock.coupon_ids, lock.costs_minor, strict=False))
    refuse_outsiders(connection, lock, now=now, zone=zone)
    is_new = False
    for coupon_id in coupon_ids:
        taking = Taking(
            merchant_id=lock.merchant_id,
            coupon_id=coupon_id,
            card_id=lock.card_id or "",
            attempt_id=lock.attempt_id,
            store_id=lock.store_id,
            at=to_micros(now),
            cost_minor=costs.get(coupon_id),
        )
        if lock_coupon(connection, taking):
            is_new = True
        else:
            _refuse_unless_ours(connection, taking)
    short = hold_stock(
        connection,
        lock.stock,
        merchant_id=lock.merchant_id,
        attempt_id=lock.attempt_id,
        at=to_micros(now),
    )
    if short is not None:
        raise BackendSoldOut(short)
    return Locked(replayed=not is_new and bool(coupon_ids), coupon_ids=coupon_ids)


def release_attempt(
    connection: Connection, attempt: ReleaseAttempt, *, now: datetime, zone: ZoneInfo
) -> Released:
    """The attempt's coupons free again, and the attempt closed for ever.

    Raises:
        OrderConflict: the attempt was paid; what is paid never un-happens.
    """
    key = {"merchant_id": attempt.merchant_id, "attempt_id": attempt.attempt_id}
    freed = read_released(connection, **key)
    if freed is not None:
        return Released(replayed=True, coupon_ids=tuple(load(freed)))
    order_id = read_order_of_attempt(connection, **key)
    if order_id is not None:
        raise OrderConflict(order_id, attempt.merchant_id)
    coupon_ids = read_locked(connection, **key)
    for coupon_id in coupon_ids:
        unlock_coupon(connection, coupon_id=coupon_id, **key)
    void_freed(connection, attempt.merchant_id, coupon_ids, now=now, zone=zone)
    release_stock(connection, **key)
    write_released(connection, coupon_ids=dump(coupon_ids), **key)
    return Released(replayed=False, coupon_ids=tuple(coupon_ids))


def _refuse_released(connection: Connection, *, merchant_id: str, attempt_id: str) -> None:
    if read_released(connection, merchant_id=merchant_id, attempt_id=attempt_id) is not None:
        raise BackendAttemptReleased


def _refuse_unless_ours(connection: Connection, taking: Taking) -> None:
    key = (taking.merchant_id, taking.coupon_id)
    coupon = read_coupons(connection, [key]).get(key)
    if coupon is None or coupon.card_id != taking.card_id:
        raise NotFound(taking.coupon_id)
    use = read_live_use(connection, merchant_id=taking.merchant_id, coupon_id=taking.coupon_id)
    if use is None:
        raise NotFound(taking.coupon_id)
    if use.attempt_id != taking.attempt_id:
        raise CouponTaken(taking.coupon_id, taking.merchant_id, use.store_id, use.at)
