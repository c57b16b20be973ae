"""What a refund does to the coupons of its order: decided, then written with the refund.

Source: docs/rules/refunds.md, rules 5 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from merchants.coupons.budgets_sql import give_back_cost
from merchants.coupons.coupons_sql import read_coupons
from merchants.coupons.locks_sql import read_redeemed, return_coupon
from merchants.offers import CouponOutcome, KeptBackReason, Redemption
from merchants.sales.orders_sql import OrderRow
from merchants.sales.rechecking import Rechecked, RecheckedCoupon
from merchants.sales.refunds_sql import RefundRow
from merchants.stored import load, redemptions_from_json


def rechecked_coupons(connection: Connection, order: OrderRow) -> list[RecheckedCoupon]:
    """Coupons whose templates have the minimum spend tested again.

    Of the alliance's coupons the order keeps the terms: their templates live elsewhere.
    """
    redemptions = redemptions_from_json(load(order.redemptions))
    held = read_coupons(connection, [(order.merchant_id, each.coupon_id) for each in redemptions])
    own = [
        RecheckedCoupon(coupon.coupon_id, coupon.terms)
        for coupon in held.values()
        if coupon.offer.is_rechecked
    ]
    theirs = [
        RecheckedCoupon(each.coupon_id, each.rechecked)
        for each in redemptions
        if each.rechecked is not None
    ]
    return own + theirs


@dataclass(frozen=True, slots=True)
class RefundedCoupons:
    """What a refund does to the coupons of its order.

    Attributes:
        reversed: redemptions whose cost goes back to whoever bore it.
        returned: (coupon, attempt) of this backend that go back to their holder.
        expired: (coupon, attempt) of this backend whose time is over.
    """

    outcome: CouponOutcome
    reversed: tuple[Redemption, ...] = ()
    returned: tuple[tuple[str, str], ...] = ()
    expired: tuple[tuple[str, str], ...] = ()


def coupons_after(
    connection: Connection,
    order: OrderRow,
    earlier: list[RefundRow],
    rechecked: Rechecked,
    *,
    now: int,
) -> RefundedCoupons:
    """What becomes of the coupons; nothing is written.

    Args:
        now: microseconds since 1970 UTC.
    """
    redemptions = redemptions_from_json(load(order.redemptions))
    if not redemptions:
        return RefundedCoupons(CouponOutcome.NONE)
    before = {
        each.coupon_id for row in earlier for each in redemptions_from_json(load(row.redemptions))
    }
    shares, undone = rechecked.shares, rechecked.undone
    by_units = any(line.units for line in shares.lines)
    ends = shares.is_full and by_units
    going = [
        each
        for each in redemptions
        if each.coupon_id not in before and (ends or each.coupon_id in undone)
    ]
    if not going:
        is_rechecked = bool(undone) or KeptBackReason.COUPON in shares.kept_back.reasons
        return RefundedCoupons(CouponOutcome.RECHECKED if is_rechecked else CouponOutcome.KEPT)
    ids = {each.coupon_id for each in going}
    found = read_redeemed(connection, merchant_id=order.merchant_id, order_id=order.order_id)
    redeemed = [each for each in found if each[0] in ids]
    held = read_coupons(connection, [(order.merchant_id, each[0]) for each in redeemed])
    is_over = {key[1]: coupon.valid_until <= now for key, coupon in held.items()}
    returned = tuple(each for each in redeemed if not is_over[each[0]])
    expired = tuple(each for each in redeemed if is_over[each[0]])
    # Coupons that live elsewhere are judged there, when the event reaches them.
    has_foreign = len(going) > len(redeemed)
    if not ends:
        outcome = CouponOutcome.RECHECKED
    else:
        outcome = CouponOutcome.RETURNED if returned or has_foreign else CouponOutcome.EXPIRED
    return RefundedCoupons(outcome, tuple(going), returned, expired)


def settle_coupons(connection: Connection, order: OrderRow, coupons: RefundedCoupons) -> None:
    """Gives coupons back to their holders, and their cost to the budgets of their templates."""
    for coupon_id, attempt_id in coupons.returned:
        return_coupon(
            connection,
            merchant_id=order.merchant_id,
            coupon_id=coupon_id,
            attempt_id=attempt_id,
        )
    for coupon_id, attempt_id in coupons.expired:
        give_back_cost(
            connection,
            merchant_id=order.merchant_id,
            coupon_id=coupon_id,
            attempt_id=attempt_id,
        )
