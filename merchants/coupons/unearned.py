"""Coupons that an order gave for some of its goods, and that go once none of those is left.

Source: docs/rules/coupons.md, rule 21.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.coupons.voiding_sql import void_coupon
from merchants.port import OrderState
from merchants.sales.orders_sql import read_orders
from merchants.sales.refunds_sql import read_refunds
from merchants.stored import line_refunds_from_json, lines_from_json, load

GOODS_RETURNED = "The goods that it was given for were returned."
_OF_CARD = Prepared(
    "SELECT o.coupon_id, o.occasion FROM coupon_template AS t JOIN coupon_occasion AS o"
    " ON o.merchant_id = t.merchant_id AND o.template_id = t.template_id"
    " WHERE t.merchant_id = :merchant_id AND t.trigger_kind = 'CATEGORY'"
    " AND o.card_id = :card_id ORDER BY o.coupon_id"
)
# What a friend passed on is the holder's own, and no order of the holder gave it.
_OF_COUPON = Prepared(
    "SELECT o.occasion FROM coupon AS c JOIN coupon_template AS t"
    " ON t.merchant_id = c.merchant_id AND t.template_id = c.template_id"
    " JOIN coupon_occasion AS o ON o.merchant_id = c.merchant_id"
    " AND o.template_id = c.template_id AND o.card_id = c.card_id AND o.coupon_id = c.coupon_id"
    " WHERE c.merchant_id = :merchant_id AND c.coupon_id = :coupon_id"
    " AND c.passed_from IS NULL AND t.trigger_kind = 'CATEGORY'"
)


def purchase_occasion(order_id: str, lines: Sequence[int]) -> str:
    """Names what a coupon is given for: some lines of an order."""
    return f"{order_id}:{','.join(map(str, lines))}"


def void_given_by(connection: Connection, *, merchant_id: str, order_id: str, card_id: str) -> None:
    """Withdraws the unused coupons that the order no longer earns."""
    given = connection.execute(_OF_CARD, {"merchant_id": merchant_id, "card_id": card_id}).all()
    for coupon_id, occasion in given:
        if occasion.partition(":")[0] == order_id:
            _void_unless_earned(connection, merchant_id, coupon_id, occasion)


def void_unearned(connection: Connection, merchant_id: str, coupon_ids: Sequence[str]) -> None:
    """Withdraws coupons that just came back, where what gave them was returned meanwhile."""
    for coupon_id in coupon_ids:
        key = {"merchant_id": merchant_id, "coupon_id": coupon_id}
        occasion = connection.execute(_OF_COUPON, key).scalar()
        if occasion is not None:
            _void_unless_earned(connection, merchant_id, coupon_id, occasion)


def _void_unless_earned(
    connection: Connection, merchant_id: str, coupon_id: str, occasion: str
) -> None:
    order_id, _, lines = occasion.partition(":")
    if not _is_anything_left(connection, merchant_id, order_id, lines):
        void_coupon(connection, merchant_id=merchant_id, coupon_id=coupon_id, reason=GOODS_RETURNED)


def _is_anything_left(connection: Connection, merchant_id: str, order_id: str, lines: str) -> bool:
    """Whether the order has units of these lines; without any named, of whichever."""
    key = (merchant_id, order_id)
    order = read_orders(connection, [key])[key]
    if order.state == OrderState.REFUNDED:
        return False
    left = [line.quantity for line in lines_from_json(load(order.lines))]
    for refund in read_refunds(connection, merchant_id=merchant_id, order_id=order_id):
        for line in line_refunds_from_json(load(refund.lines)):
            left[line.index] -= line.units
    named = [int(index) for index in lines.split(",")] if lines else range(len(left))
    return any(left[index] for index in named)
