"""Which coupons their holders may not use now, though they are theirs and free.

Source: docs/rules/coupons.md, rules 18 and 19.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.refusals import NotFound
from merchants.coupons.audiences_sql import read_outsiders
from merchants.coupons.coupons_sql import HeldCoupon, read_coupons
from merchants.coupons.template_life import face_minor
from merchants.port import LockCoupons

Why = tuple[str, str]
"""Reason code, and the code of its sentence in `merchants.wording`."""

_SPENT: Why = ("COUPON_BUDGET_SPENT", "COUPON_BUDGET_SPENT")
_OUTSIDE: Why = ("NOT_IN_AUDIENCE", "NOT_IN_AUDIENCE")


def why_barred(
    connection: Connection, coupons: Sequence[HeldCoupon], *, now: datetime, zone: ZoneInfo
) -> dict[str, Why]:
    """Why each barred one of these coupons can not be used, by coupon id."""
    barred: dict[str, Why] = {}
    for coupon in coupons:
        budget = coupon.life.budget_minor
        if budget is not None and coupon.spent_minor + (face_minor(coupon.terms) or 0) > budget:
            barred[coupon.coupon_id] = _SPENT
        elif _is_outside(connection, coupon, now=now, zone=zone):
            barred[coupon.coupon_id] = _OUTSIDE
    return barred


def refuse_outsiders(
    connection: Connection, lock: LockCoupons, *, now: datetime, zone: ZoneInfo
) -> None:
    """Accepts a lock whose coupons are all for their holder now.

    Raises:
        NotFound: one is not; the price says why.
    """
    held = read_coupons(connection, [(lock.merchant_id, each) for each in lock.coupon_ids])
    for coupon in held.values():
        if coupon.attempt_id is None and _is_outside(connection, coupon, now=now, zone=zone):
            raise NotFound(coupon.coupon_id)


def _is_outside(
    connection: Connection, coupon: HeldCoupon, *, now: datetime, zone: ZoneInfo
) -> bool:
    audience = coupon.life.audience
    if audience is None or not audience.at_redemption:
        return False
    return bool(
        read_outsiders(
            connection,
            audience,
            merchant_id=coupon.merchant_id,
            card_ids=[coupon.card_id],
            now=now,
            zone=zone,
        )
    )
