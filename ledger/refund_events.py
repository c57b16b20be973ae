"""A refund: load what the rule needs, let it decide, write what it decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kernel.clock import to_micros
from ledger import loading, posting
from ledger.book import Draft
from ledger.contract import ApplyRefund, OrderUnknown, RefundReceipt
from ledger.entering import Moment, enter, event_at, open_debts, state_of
from ledger.loading import Account, Heads
from ledger.merging import for_survivor
from ledger.refunds import apply_refund, points_to_take_back
from ledger.sqlite import Lane
from ledger.state import Asset, OrderState, State, TxKind


def refund(lane: Lane, request: ApplyRefund, moment: Moment) -> tuple[RefundReceipt, int | None]:
    """Books a refund of a known order; see `Ledger.apply_refund`."""
    decided = _decide_refund(lane, request, moment)
    if decided is None:
        return _nothing_refunded(request), None
    heads, order, draft, receipt, accounts = decided
    event = event_at(
        heads,
        TxKind.REFUND,
        moment,
        at=request.at,
        card_id=order.card_id,
        merchant_id=request.merchant_id,
        order_no=order.order_no,
    )
    seq = enter(lane, event, draft, accounts)
    if seq is None:
        posting.write_orders(lane, order.card_id, draft)
    return receipt, seq


def preview(lane: Lane, request: ApplyRefund, moment: Moment) -> RefundReceipt:
    """What `refund` would answer now."""
    decided = _decide_refund(lane, request, moment)
    return _nothing_refunded(request) if decided is None else decided[3]


def _decide_refund(
    lane: Lane, request: ApplyRefund, moment: Moment
) -> tuple[Heads, OrderState, Draft, RefundReceipt, Mapping[str, Account]] | None:
    """What a refund does; None when its order had no effect."""
    order = loading.read_order(lane, request.order_id)
    if order is None:
        if not loading.was_captured(lane, request.order_id):
            raise OrderUnknown(request.order_id)
        return None
    order = for_survivor(lane, order)
    heads = loading.read_heads(lane, at=to_micros(request.at))
    accounts: Mapping[str, Account] = {}
    state = replace(state_of(heads), order=order)
    if order.card_id is not None:
        accounts = loading.read_accounts(lane, posting.card_accounts(order.card_id))
        state = _refund_state(lane, request, order, order.card_id, state, accounts, moment)
    draft, receipt = apply_refund(
        state, request, debt_policy=moment.settings.debt_policy, now=moment.micros
    )
    return heads, order, draft, receipt, accounts


def _refund_state(
    lane: Lane,
    request: ApplyRefund,
    order: OrderState,
    card_id: str,
    state: State,
    accounts: Mapping[str, Account],
    moment: Moment,
) -> State:
    is_returning = request.points_returned > 0 or request.coins_returned_minor > 0
    burns = loading.read_burns(lane, order.order_id) if is_returning else ()
    wanted = points_to_take_back(order, request.points_kept)
    lot_ids = [burn.lot_id for burn in burns]
    if wanted and order.lot_id is not None:
        lot_ids.append(order.lot_id)
    known = {lot.id: lot for lot in loading.read_lots(lane, lot_ids)}
    found = loading.read_free_lots(
        lane, card_id, Asset.POINTS, wanted=wanted, now=moment.micros, with_pending=True
    )
    known |= {lot.id: lot for lot in found}
    debts = open_debts(lane, card_id, accounts)
    return replace(state, lots=tuple(known.values()), burns=burns, debts=debts)


def _nothing_refunded(request: ApplyRefund) -> RefundReceipt:
    return RefundReceipt(request.order_id, 0, 0, 0, 0, 0, 0)
