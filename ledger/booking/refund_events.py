"""A refund: ask the books what the rule needs, let it decide, enter the draft."""

from __future__ import annotations

from kernel.clock import to_micros
from ledger.booking.books import LaneBooks
from ledger.booking.entering import Moment, event_at, open_debts, state_of
from ledger.booking.posting import Pen
from ledger.contract import ApplyRefund, OrderUnknown, RefundReceipt
from ledger.rules.draft import Draft
from ledger.rules.refunds import apply_refund, points_to_take_back
from ledger.rules.state import Asset, OrderState, State, TxKind


def refund(pen: Pen, request: ApplyRefund, moment: Moment) -> tuple[RefundReceipt, int | None]:
    """Books a refund of a known order; see `Ledger.apply_refund`."""
    decided = _decide_refund(pen.books, request, moment)
    if decided is None:
        return _nothing_refunded(request), None
    order, draft, receipt = decided
    event = event_at(
        pen.books,
        TxKind.REFUND,
        moment,
        at=request.at,
        card_id=order.card_id,
        merchant_id=request.merchant_id,
        order_no=order.order_no,
    )
    seq = pen.enter(event, draft)
    if seq is None:
        pen.put_orders(order.card_id, draft)
    return receipt, seq


def preview(books: LaneBooks, request: ApplyRefund, moment: Moment) -> RefundReceipt:
    """What `refund` would answer now."""
    decided = _decide_refund(books, request, moment)
    return _nothing_refunded(request) if decided is None else decided[2]


def _decide_refund(
    books: LaneBooks, request: ApplyRefund, moment: Moment
) -> tuple[OrderState, Draft, RefundReceipt] | None:
    """What a refund does; None when its order had no effect."""
    order = books.order(request.order_id)
    if order is None:
        if books.answers.of("order", request.order_id) is None:
            raise OrderUnknown(request.order_id)
        return None
    if order.card_id is None:
        state = state_of(books, to_micros(request.at), order=order)
    else:
        state = _refund_state(books, request, order, order.card_id, moment)
    draft, receipt = apply_refund(
        state, request, debt_policy=moment.settings.debt_policy, now=moment.micros
    )
    return order, draft, receipt


def _refund_state(
    books: LaneBooks, request: ApplyRefund, order: OrderState, card_id: str, moment: Moment
) -> State:
    is_returning = request.points_returned > 0 or request.coins_returned_minor > 0
    burns = tuple(books.burns(order.order_id).values()) if is_returning else ()
    wanted = points_to_take_back(order, request.points_kept)
    lot_ids = [burn.lot_id for burn in burns]
    if wanted and order.lot_id is not None:
        lot_ids.append(order.lot_id)
    known = {lot.id: lot for lot in books.lots_of(card_id, lot_ids)}
    found = books.free_lots(
        card_id, Asset.POINTS, wanted=wanted, now=moment.micros, with_pending=True
    )
    known |= {lot.id: lot for lot in found}
    return state_of(
        books,
        to_micros(request.at),
        lots=tuple(known.values()),
        debts=open_debts(books, card_id),
        order=order,
        burns=burns,
    )


def _nothing_refunded(request: ApplyRefund) -> RefundReceipt:
    return RefundReceipt(request.order_id, 0, 0, 0, 0, 0, 0)
