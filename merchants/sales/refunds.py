"""Booking a refund: shares, coupons, figures of tiers and outbox event in one transaction.

Source: docs/rules/refunds.md.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from kernel.refusals import InvalidInput, NotFound
from kernel.requests import hash_of
from merchants.coupons.lifecycle import void_freed
from merchants.coupons.unearned import void_given_by
from merchants.ladders.evaluating import Evaluator, Noted
from merchants.ladders.evaluation import Cause
from merchants.ladders.ladders_sql import add_figures
from merchants.limits import LINES_MAX, number_problems
from merchants.offers import CouponOutcome, KeptBack, KeptBackReason, Redemption
from merchants.port import OrderState, Refunded, RefundOrder, RefundTerms
from merchants.promotions.stock_sql import return_stock
from merchants.refusals import RefundConflict
from merchants.sales.orders_sql import OrderRow, read_orders, write_refunded
from merchants.sales.outbox_sql import add_event, read_cursor, refund_event
from merchants.sales.rechecking import (
    Rechecked,
    given_gifts,
    ids_of_gifts,
    keeping_back,
    with_recheck,
)
from merchants.sales.refunded_coupons import (
    RefundedCoupons,
    coupons_after,
    rechecked_coupons,
    settle_coupons,
)
from merchants.sales.refunding import PaidOrder, RefundShares, refund_amount, refund_lines
from merchants.sales.refunds_sql import RefundRow, insert_refund, read_refunds
from merchants.stored import (
    decisions_from_json,
    dump,
    line_refunds_as_json,
    line_refunds_from_json,
    lines_from_json,
    load,
    redemptions_as_json,
)


def refund_terms(
    connection: Connection, refund: RefundOrder, *, currency: str, now: datetime
) -> RefundTerms:
    """What the refund would do now; nothing is written.

    Raises:
        RefundExceedsOrder: it asks for more than the order still holds.
        InvalidInput: it names neither or both of lines and amount, or a wrong line.
        NotFound: the merchant has no such order.
    """
    order = _order(connection, refund)
    earlier = read_refunds(connection, merchant_id=order.merchant_id, order_id=order.order_id)
    rechecked = _shares(connection, order, earlier, refund, currency)
    coupons = coupons_after(connection, order, earlier, rechecked, now=to_micros(now))
    return _terms(rechecked.shares, coupons.outcome)


def refund_order(
    connection: Connection,
    refund: RefundOrder,
    *,
    currency: str,
    now: datetime,
    evaluator: Evaluator,
) -> Refunded:
    """The refund, booked now or before.

    Raises:
        RefundConflict: the order has another refund under this number.
        RefundExceedsOrder, InvalidInput, NotFound: as `refund_terms`.
    """
    problems = number_problems("refundNo", refund.refund_no or "")
    if problems:
        raise InvalidInput(problems)
    order = _order(connection, refund)
    earlier = read_refunds(connection, merchant_id=order.merchant_id, order_id=order.order_id)
    fact_hash = _facts_of(refund)
    for each in earlier:
        if each.refund_no == refund.refund_no:
            return _replay(connection, order, each, fact_hash)
    rechecked = _shares(connection, order, earlier, refund, currency)
    shares = rechecked.shares
    coupons = coupons_after(connection, order, earlier, rechecked, now=to_micros(now))
    row = _row(order, refund, shares, coupons, fact_hash, position=len(earlier) + 1, now=now)
    insert_refund(connection, row)
    _move_order(connection, order, row, evaluator)
    settle_coupons(connection, order, coupons)
    freed = [coupon_id for coupon_id, _ in coupons.returned]
    void_freed(connection, order.merchant_id, freed, now=now, zone=evaluator.zone)
    if order.card_id is not None:
        void_given_by(
            connection,
            merchant_id=order.merchant_id,
            order_id=order.order_id,
            card_id=order.card_id,
        )
    if shares.is_full and refund.lines:
        return_stock(connection, merchant_id=order.merchant_id, order_id=order.order_id)
    cursor = add_event(
        connection,
        merchant_id=order.merchant_id,
        order_id=order.order_id,
        refund_no=row.refund_no,
    )
    after = read_orders(connection, [(order.merchant_id, order.order_id)])
    return Refunded(
        replayed=False,
        terms=_terms(shares, coupons.outcome),
        order=after[(order.merchant_id, order.order_id)].facts,
        event=refund_event(order, row, cursor),
    )


def _order(connection: Connection, refund: RefundOrder) -> OrderRow:
    problems = []
    if bool(refund.lines) == (refund.amount_minor is not None):
        problems.append(["lines", "or amount must be given: exactly one of the two"])
    if len(refund.lines) > LINES_MAX:
        problems.append(["lines", f"must have at most {LINES_MAX} lines"])
    if problems:
        raise InvalidInput(problems)
    key = (refund.merchant_id, refund.order_id)
    order = read_orders(connection, [key]).get(key)
    if order is None:
        raise NotFound(refund.order_id)
    return order


def _shares(
    connection: Connection,
    order: OrderRow,
    earlier: list[RefundRow],
    refund: RefundOrder,
    currency: str,
) -> Rechecked:
    """What comes back, and the coupons that it undoes because the rest is below their minimum."""
    lines = lines_from_json(load(order.lines))
    decisions = decisions_from_json(load(order.decisions))
    paid = PaidOrder(
        lines=lines,
        refunded=tuple(
            line for each in earlier for line in line_refunds_from_json(load(each.lines))
        ),
        shipping_minor=order.shipping_minor,
        shipping_refunded_minor=sum(each.shipping_minor for each in earlier),
        earn_points_per_major_unit=order.earn_points_per_major_unit,
        earn_bps=order.earn_bps,
        currency=currency,
        gifts=ids_of_gifts(decisions),
    )
    before = KeptBack()
    for each in earlier:
        before = before.and_then(_kept_back(each))
    if refund.amount_minor is not None:
        # A price adjustment changes no unit, so what was kept back stays kept back.
        shares = refund_amount(paid, refund.amount_minor)
        return Rechecked(keeping_back(shares, paid, before=before))
    shares = refund_lines(paid, refund.lines)
    rechecked = [*rechecked_coupons(connection, order), *given_gifts(decisions)]
    return with_recheck(shares, paid, rechecked, decisions, before=before)


def _kept_back(refund: RefundRow) -> KeptBack:
    reasons = tuple(KeptBackReason(each) for each in refund.deducted_for.split(",") if each)
    return KeptBack(
        refund.deducted_minor, refund.deducted_coins_minor, refund.deducted_points, reasons
    )


def _row(
    order: OrderRow,
    refund: RefundOrder,
    shares: RefundShares,
    coupons: RefundedCoupons,
    fact_hash: str,
    *,
    position: int,
    now: datetime,
) -> RefundRow:
    redemptions = [
        Redemption(each.coupon_id, -each.amount_minor, each.funder_alliance_bps)
        for each in coupons.reversed
    ]
    is_refunded = shares.is_full or order.state == OrderState.REFUNDED
    state = OrderState.REFUNDED if is_refunded else OrderState.PARTIALLY_REFUNDED
    return RefundRow(
        merchant_id=order.merchant_id,
        order_id=order.order_id,
        refund_no=refund.refund_no or "",
        position=position,
        fact_hash=fact_hash,
        lines=dump(line_refunds_as_json(shares.lines)),
        shipping_minor=shares.shipping_minor,
        cash_minor=shares.cash_minor,
        points=shares.points,
        coins_minor=shares.coins_minor,
        points_kept=shares.points_kept,
        qualifying_minor=shares.qualifying_minor,
        coupon_outcome=coupons.outcome,
        redemptions=dump(redemptions_as_json(redemptions)),
        state_after=state,
        at=to_micros(now),
        deducted_minor=shares.kept_back.cash_minor,
        deducted_coins_minor=shares.kept_back.coins_minor,
        deducted_points=shares.kept_back.points,
        deducted_for=",".join(shares.kept_back.reasons),
    )


def _move_order(
    connection: Connection, order: OrderRow, refund: RefundRow, evaluator: Evaluator
) -> None:
    write_refunded(
        connection,
        merchant_id=order.merchant_id,
        order_id=order.order_id,
        state=refund.state_after,
        cash_minor=refund.cash_minor,
        qualifying_minor=refund.qualifying_minor,
    )
    if order.card_id is None:
        return
    ends = refund.state_after == OrderState.REFUNDED and order.state != OrderState.REFUNDED
    orders, amount_minor = -int(ends), refund.qualifying_minor - order.qualifying_minor
    lifetime = add_figures(
        connection,
        merchant_id=order.merchant_id,
        card_id=order.card_id,
        orders=orders,
        amount_minor=amount_minor,
    )
    evaluator.note(
        connection,
        Noted(
            order.merchant_id,
            order.card_id,
            from_micros(refund.at),
            Cause.REFUND,
            refund.refund_no,
            orders=orders,
            amount_minor=amount_minor,
            order_id=order.order_id,
            lifetime=lifetime,
        ),
    )


def _replay(connection: Connection, order: OrderRow, refund: RefundRow, fact_hash: str) -> Refunded:
    if refund.fact_hash != fact_hash:
        raise RefundConflict(order.order_id, order.merchant_id)
    cursor = read_cursor(
        connection,
        merchant_id=order.merchant_id,
        order_id=order.order_id,
        refund_no=refund.refund_no,
    )
    return Refunded(
        replayed=True,
        terms=RefundTerms(
            cash_minor=refund.cash_minor,
            points_returned=refund.points,
            coins_returned_minor=refund.coins_minor,
            points_kept=refund.points_kept,
            coupon_outcome=CouponOutcome(refund.coupon_outcome),
            kept_back=_kept_back(refund),
        ),
        order=order.facts,
        event=refund_event(order, refund, cursor),
    )


def _terms(shares: RefundShares, outcome: CouponOutcome) -> RefundTerms:
    return RefundTerms(
        cash_minor=shares.cash_minor,
        points_returned=shares.points,
        coins_returned_minor=shares.coins_minor,
        points_kept=shares.points_kept,
        coupon_outcome=outcome,
        kept_back=shares.kept_back,
    )


def _facts_of(refund: RefundOrder) -> str:
    lines = sorted((line.line_index, line.quantity) for line in refund.lines)
    return hash_of([lines, refund.amount_minor])
