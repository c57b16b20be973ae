"""Booking a paid sale: order, coupons, figures of tiers and outbox event in one transaction.

Source: docs/rules/orders.md.
"""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import IdSource, MalformedId, merchant_of
from kernel.refusals import InvalidInput
from kernel.requests import hash_of
from merchants.alliance_facts import AllianceFacts
from merchants.cards.aliases_sql import read_survivor
from merchants.coupons.locks_sql import Taking, read_locked, read_released, redeem_coupon
from merchants.coupons.occasions import TierWatch, give_for_purchase
from merchants.ladders.evaluating import Evaluator, Noted
from merchants.ladders.evaluation import Cause
from merchants.ladders.ladders_sql import add_figures
from merchants.limits import cart_problems, number_problems
from merchants.offers import Priced, Redemption
from merchants.port import Placed, PlaceOrder, PriceCart
from merchants.pricing.versions import version_of
from merchants.promotions.stock_sql import sell_stock
from merchants.refusals import BackendAttemptReleased, OrderConflict
from merchants.registry_sql import read_membership
from merchants.sales.orders_sql import (
    OrderRow,
    insert_order,
    read_order_by_no,
    read_orders,
    write_absorbed,
)
from merchants.sales.outbox_sql import add_event, read_cursor, sale_event
from merchants.sales.quoting import price_cart
from merchants.stored import decisions_as_json, dump, lines_as_json, redemptions_as_json


def place_order(
    connection: Connection,
    order: PlaceOrder,
    alliance: AllianceFacts,
    evaluator: Evaluator,
    *,
    ids: IdSource,
) -> Placed:
    """The order, booked now or before.

    Raises:
        BackendAttemptReleased: the attempt was released before, and no such order stands.
        OrderConflict: the number, or the id, names a sale with other facts.
        InvalidInput: the order is outside its limits, or `agreed` is not what `version` names.
    """
    _check(order)
    fact_hash = facts_of(order.cart)
    order = _for_survivor(connection, order)
    if (
        read_released(connection, merchant_id=order.merchant_id, attempt_id=order.attempt_id)
        is not None
    ):
        replay = _replay(connection, order, fact_hash)
        if replay is None:
            raise BackendAttemptReleased
        return replay
    if order.agreed is None:
        # Pricing reads what an earlier sale has changed, so a repeat is looked for first.
        replay = _replay(connection, order, fact_hash)
        if replay is not None:
            return replay
    priced = order.agreed or _price_again(connection, order, alliance)
    row = _row(order, priced, fact_hash)
    if not insert_order(connection, row):
        replay = _replay(connection, order, fact_hash)
        if replay is None:
            raise OrderConflict(order.order_id, order.merchant_id)
        return replay
    if priced.stock:
        sell_stock(
            connection,
            priced.stock,
            merchant_id=row.merchant_id,
            attempt_id=row.attempt_id,
            order_id=row.order_id,
            at=row.placed_at,
        )
    if priced.coupon_ids:
        row = _redeem(connection, row, priced)
    if row.card_id is not None:
        _count(connection, order, row, row.card_id, evaluator, zone=alliance.zone, ids=ids)
    cursor = add_event(connection, merchant_id=row.merchant_id, order_id=row.order_id)
    return Placed(False, row.facts, row.absorbed_minor, sale_event(row, cursor))


def _count(
    connection: Connection,
    order: PlaceOrder,
    row: OrderRow,
    card_id: str,
    evaluator: Evaluator,
    *,
    zone: ZoneInfo,
    ids: IdSource,
) -> None:
    """Moves the figures of tiers, and gives the coupons that the sale earns."""
    now = order.paid_at
    tiers = TierWatch.begin(
        connection, merchant_id=row.merchant_id, card_id=card_id, now=now, zone=zone
    )
    lifetime = add_figures(
        connection,
        merchant_id=row.merchant_id,
        card_id=card_id,
        orders=1,
        amount_minor=row.qualifying_minor,
    )
    evaluator.note(
        connection,
        Noted(
            row.merchant_id,
            card_id,
            now,
            Cause.ORDER,
            row.order_id,
            orders=1,
            amount_minor=row.qualifying_minor,
            lifetime=lifetime,
        ),
    )
    tiers.give(connection, now=now, zone=zone, ids=ids)
    give_for_purchase(
        connection,
        merchant_id=row.merchant_id,
        card_id=card_id,
        order_id=row.order_id,
        category_ids=[line.category_id for line in order.cart.lines],
        now=now,
        zone=zone,
        ids=ids,
    )


def facts_of(cart: PriceCart) -> str:
    """The hash that tells whether two calls under one number mean the same sale.

    It covers what the till sent, not what the price was: a repeat under a new request may be
    priced otherwise because the first one was booked.

    Source: docs/rules/orders.md, rule 2.
    """
    return hash_of(
        [
            cart.store_id,
            cart.channel,
            cart.card_id,
            cart.shipping_minor,
            cart.points,
            cart.coins_minor,
            [
                (line.sku, line.category_id, line.quantity, line.unit_price_minor)
                for line in cart.lines
            ],
        ]
    )


def _for_survivor(connection: Connection, order: PlaceOrder) -> PlaceOrder:
    """The order of whoever its card belongs to now; the cart was priced before a merge."""
    card_id = order.cart.card_id
    if card_id is None:
        return order
    survivor = read_survivor(connection, order.merchant_id, card_id)
    if survivor is None:
        return order
    joined = read_membership(connection, merchant_id=order.merchant_id, card_id=survivor)
    membership_id = order.cart.membership_id if joined is None else joined.membership_id
    cart = replace(order.cart, card_id=survivor, membership_id=membership_id)
    return replace(order, cart=cart)


def _check(order: PlaceOrder) -> None:
    problems = number_problems("orderNo", order.order_no)
    try:
        is_ours = merchant_of(order.order_id) == order.merchant_id
    except MalformedId:
        is_ours = False
    if not is_ours:
        problems.append(["orderId", "must be an id that embeds the merchant"])
    if order.cart.merchant_id != order.merchant_id:
        problems.append(["cart.merchantId", "must be the merchant of the order"])
    problems.extend([f"cart.{path}", fault] for path, fault in cart_problems(order.cart))
    if order.agreed is not None and not (
        order.agreed.version == order.version == version_of(order.cart, order.agreed)
    ):
        problems.append(["version", "must be the version of the agreed price"])
    if problems:
        raise InvalidInput(problems)


def _replay(connection: Connection, order: PlaceOrder, fact_hash: str) -> Placed | None:
    found = read_order_by_no(connection, merchant_id=order.merchant_id, order_no=order.order_no)
    if found is None:
        key = (order.merchant_id, order.order_id)
        if key in read_orders(connection, [key]):
            raise OrderConflict(order.order_id, order.merchant_id)
        return None
    if found.fact_hash != fact_hash:
        raise OrderConflict(found.order_id, order.merchant_id)
    cursor = read_cursor(connection, merchant_id=found.merchant_id, order_id=found.order_id)
    return Placed(True, found.facts, found.absorbed_minor, sale_event(found, cursor))


def _price_again(connection: Connection, order: PlaceOrder, alliance: AllianceFacts) -> Priced:
    """The price of a paid cart: with the coupons that its attempt locked, if it locked any."""
    locked = read_locked(connection, merchant_id=order.merchant_id, attempt_id=order.attempt_id)
    cart = order.cart
    if locked:
        theirs = tuple(coupon.coupon_id for coupon in cart.alliance_coupons)
        cart = replace(cart, coupon_ids=(*locked, *theirs), choose_best=False)
    return price_cart(connection, cart, alliance, paid_attempt_id=order.attempt_id)


def _row(order: PlaceOrder, priced: Priced, fact_hash: str) -> OrderRow:
    cart = order.cart
    return OrderRow(
        merchant_id=order.merchant_id,
        order_id=order.order_id,
        order_no=order.order_no,
        fact_hash=fact_hash,
        attempt_id=order.attempt_id,
        store_id=cart.store_id,
        channel=cart.channel,
        membership_id=cart.membership_id,
        card_id=cart.card_id,
        state="PAID",
        placed_at=to_micros(order.paid_at),
        list_minor=priced.list_minor,
        payable_minor=priced.payable_minor,
        shipping_minor=priced.shipping_minor,
        points_spent=priced.points_spent,
        coins_spent_minor=priced.coins_spent_minor,
        points_earned=priced.points_to_earn,
        absorbed_minor=0,
        refunded_minor=0,
        qualifying_minor=priced.payable_minor - priced.shipping_minor + priced.coins_spent_minor,
        earn_points_per_major_unit=cart.earn_points_per_major_unit if cart.card_id else 0,
        earn_bps=priced.earn_bps,
        redemptions=dump(redemptions_as_json(priced.redemptions)),
        lines=dump(lines_as_json(priced.lines)),
        decisions=dump(decisions_as_json(priced.decisions)),
    )


def _redeem(connection: Connection, row: OrderRow, priced: Priced) -> OrderRow:
    """Redeems the order's coupons; what can not be had again is borne by the merchant."""
    lost: set[str] = set()
    costs = {each.coupon_id: each.amount_minor for each in priced.redemptions}
    for coupon_id in priced.coupon_ids:
        taking = Taking(
            merchant_id=row.merchant_id,
            coupon_id=coupon_id,
            card_id=row.card_id or "",
            attempt_id=row.attempt_id,
            store_id=row.store_id,
            at=row.placed_at,
            order_id=row.order_id,
            cost_minor=costs.get(coupon_id),
        )
        if not redeem_coupon(connection, taking):
            lost.add(coupon_id)
    if not lost:
        return row
    kept: list[Redemption] = [each for each in priced.redemptions if each.coupon_id not in lost]
    absorbed = sum(each.amount_minor for each in priced.redemptions if each.coupon_id in lost)
    row = replace(row, absorbed_minor=absorbed, redemptions=dump(redemptions_as_json(kept)))
    write_absorbed(
        connection,
        merchant_id=row.merchant_id,
        order_id=row.order_id,
        absorbed_minor=row.absorbed_minor,
        redemptions=row.redemptions,
    )
    return row
