"""Each write of the ledger: load what the rule needs, let it decide, write what it decided.

Every function here runs inside one transaction that its caller owns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from kernel.clock import to_micros
from ledger import loading, posting
from ledger.book import Draft
from ledger.contract import (
    ApplyRefund,
    AttemptReleased,
    CaptureOrder,
    CoinsReceipt,
    FundsHeld,
    FundsReleased,
    GrantCoins,
    HoldFunds,
    LedgerSettings,
    OrderReceipt,
    OrderUnknown,
    RefundReceipt,
    ReleaseFunds,
)
from ledger.days import month_of
from ledger.loading import Account, Heads
from ledger.periods import posting_month
from ledger.posting import Event
from ledger.refunds import apply_refund, points_to_take_back
from ledger.rules import capture_order, grant_coins, held_units, hold_funds, release_funds
from ledger.sqlite import Lane
from ledger.state import (
    ALLIANCE,
    NEVER,
    Asset,
    Debt,
    HoldState,
    Lot,
    OrderState,
    Part,
    State,
    TxKind,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What every event is decided under."""

    now: datetime
    settings: LedgerSettings

    @property
    def micros(self) -> int:
        """`now` in microseconds."""
        return to_micros(self.now)


def hold(lane: Lane, request: HoldFunds) -> tuple[FundsHeld, None]:
    """Holds funds; see `Ledger.hold`."""
    if loading.read_hold(lane, request.attempt_id) is not None:
        raise AttemptReleased
    now = to_micros(request.now)
    accounts = loading.read_accounts(lane, posting.card_accounts(request.card_id))
    lots: list[Lot] = []
    for asset, wanted in ((Asset.POINTS, request.points), (Asset.COINS, request.coins_minor)):
        lots += loading.read_free_lots(lane, request.card_id, asset, wanted=wanted, now=now)
    heads = loading.read_heads(lane, at=now)
    state = _state(heads, lots=lots, debts=_open_debts(lane, request.card_id, accounts))
    draft, parts, receipt = hold_funds(state, request, now=now)
    posting.write_lots(lane, request.card_id, draft, accounts)
    posting.write_hold(
        lane,
        request.attempt_id,
        request.card_id,
        HoldState.HELD,
        parts=parts,
        points=request.points,
        coins=request.coins_minor,
    )
    return receipt, None


def release(lane: Lane, request: ReleaseFunds, moment: Moment) -> tuple[FundsReleased, int | None]:
    """Releases an attempt; see `Ledger.release`."""
    now = to_micros(request.now)
    attempt = loading.read_hold(lane, request.attempt_id)
    if attempt is not None and attempt.state is HoldState.CAPTURED:
        return FundsReleased(request.attempt_id, 0, 0), None
    card_id = request.card_id if attempt is None else attempt.card_id
    _decide_attempt(lane, request.attempt_id, card_id, HoldState.RELEASED, now)
    if attempt is None:
        return FundsReleased(request.attempt_id, 0, 0), None
    held, lots = loading.read_held(lane, request.attempt_id)
    accounts = loading.read_accounts(lane, posting.card_accounts(card_id))
    heads = loading.read_heads(lane, at=now)
    debts = _open_debts(lane, card_id, accounts)
    state = _state(heads, lots=lots, held=held, debts=debts)
    draft, receipt = release_funds(state, request, now=now)
    event = _event(heads, TxKind.RELEASE, moment, at=request.now, card_id=card_id)
    return receipt, _enter(lane, event, draft, accounts)


def capture(lane: Lane, request: CaptureOrder, moment: Moment) -> tuple[OrderReceipt, int | None]:
    """Books a paid order; see `Ledger.capture_order`."""
    heads = loading.read_heads(lane, at=to_micros(request.at))
    accounts: Mapping[str, Account] = {}
    state = _state(heads)
    if request.card_id is not None:
        accounts = loading.read_accounts(lane, posting.card_accounts(request.card_id))
        state = _capture_state(lane, request, request.card_id, state, accounts, moment)
    settled = replace(request, merchant_id=_party(request.merchant_id, moment.settings))
    draft, receipt = capture_order(
        state,
        settled,
        active_at=to_micros(request.active_at),
        expires_at=NEVER if request.expires_at is None else to_micros(request.expires_at),
        now=moment.micros,
    )
    event = _event(
        heads,
        TxKind.ORDER,
        moment,
        at=request.at,
        card_id=request.card_id,
        merchant_id=request.merchant_id,
        order_no=request.order_no,
    )
    return receipt, _enter(lane, event, draft, accounts)


def refund(lane: Lane, request: ApplyRefund, moment: Moment) -> tuple[RefundReceipt, int | None]:
    """Books a refund of a known order; see `Ledger.apply_refund`."""
    decided = _decide_refund(lane, request, moment)
    if decided is None:
        return _nothing_refunded(request), None
    heads, order, draft, receipt, accounts = decided
    event = _event(
        heads,
        TxKind.REFUND,
        moment,
        at=request.at,
        card_id=order.card_id,
        merchant_id=request.merchant_id,
        order_no=order.order_no,
    )
    seq = _enter(lane, event, draft, accounts)
    if seq is None:
        posting.write_orders(lane, order.card_id, draft)
    return receipt, seq


def preview(lane: Lane, request: ApplyRefund, moment: Moment) -> RefundReceipt:
    """What `refund` would answer now."""
    decided = _decide_refund(lane, request, moment)
    return _nothing_refunded(request) if decided is None else decided[3]


def grant(lane: Lane, request: GrantCoins, moment: Moment) -> tuple[CoinsReceipt, int | None]:
    """Gives coins; see `Ledger.grant_coins`."""
    at = to_micros(request.at)
    heads = loading.read_heads(lane, at=at)
    accounts = loading.read_accounts(lane, posting.card_accounts(request.card_id))
    funder = request.funder_merchant_id
    party = ALLIANCE if funder is None else _party(funder, moment.settings)
    draft, receipt = grant_coins(
        _state(heads),
        replace(request, funder_merchant_id=party),
        active_at=at,
        expires_at=NEVER if request.expires_at is None else to_micros(request.expires_at),
        now=moment.micros,
    )
    event = _event(
        heads,
        TxKind.GRANT,
        moment,
        at=request.at,
        card_id=request.card_id,
        merchant_id=funder,
    )
    return receipt, _enter(lane, replace(event, reason=request.reason), draft, accounts)


def _capture_state(
    lane: Lane,
    request: CaptureOrder,
    card_id: str,
    state: State,
    accounts: Mapping[str, Account],
    moment: Moment,
) -> State:
    held: tuple[Part, ...] = ()
    lots: list[Lot] = []
    if request.attempt_id is not None:
        attempt = loading.read_hold(lane, request.attempt_id)
        if attempt is not None and attempt.state is HoldState.HELD and attempt.card_id == card_id:
            held, lots = loading.read_held(lane, request.attempt_id)
        if attempt is None or attempt.state is HoldState.HELD:
            _decide_attempt(lane, request.attempt_id, card_id, HoldState.CAPTURED, moment.micros)
    state = replace(state, lots=tuple(lots), held=held)
    known = {lot.id: lot for lot in lots}
    asked = ((Asset.POINTS, request.points_spent), (Asset.COINS, request.coins_spent_minor))
    for asset, wanted in asked:
        missing = wanted - (held_units(state, asset) if wanted else 0)
        found = loading.read_free_lots(lane, card_id, asset, wanted=missing, now=moment.micros)
        known |= {lot.id: lot for lot in found}
    debts = _open_debts(lane, card_id, accounts)
    return replace(state, lots=tuple(known.values()), debts=debts)


def _decide_refund(
    lane: Lane, request: ApplyRefund, moment: Moment
) -> tuple[Heads, OrderState, Draft, RefundReceipt, Mapping[str, Account]] | None:
    """What a refund does; None when its order had no effect."""
    order = loading.read_order(lane, request.order_id)
    if order is None:
        if not loading.was_captured(lane, request.order_id):
            raise OrderUnknown(request.order_id)
        return None
    heads = loading.read_heads(lane, at=to_micros(request.at))
    accounts: Mapping[str, Account] = {}
    state = replace(_state(heads), order=order)
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
    debts = _open_debts(lane, card_id, accounts)
    return replace(state, lots=tuple(known.values()), burns=burns, debts=debts)


def _state(
    heads: Heads,
    *,
    lots: list[Lot] | None = None,
    held: tuple[Part, ...] = (),
    debts: tuple[Debt, ...] = (),
) -> State:
    return State(
        rule=heads.rule,
        next_lot_id=heads.next_lot_id,
        next_debt_id=heads.next_debt_id,
        lots=tuple(lots or ()),
        held=held,
        debts=debts,
    )


def _open_debts(lane: Lane, card_id: str, accounts: Mapping[str, Account]) -> tuple[Debt, ...]:
    owed = accounts.get(f"debt:{card_id}")
    if owed is None or owed.posted == 0:
        return ()
    return loading.read_debts(lane, card_id)


def _decide_attempt(lane: Lane, attempt_id: str, card_id: str, state: HoldState, now: int) -> None:
    posting.write_hold(lane, attempt_id, card_id, state, decided_at=now)


def _event(
    heads: Heads,
    kind: TxKind,
    moment: Moment,
    *,
    at: datetime,
    card_id: str | None,
    merchant_id: str | None = None,
    order_no: str | None = None,
) -> Event:
    month, origin = posting_month(month_of(at, moment.settings.time_zone), heads.closed_month)
    return Event(
        seq=heads.next_seq,
        kind=kind,
        card_id=card_id,
        merchant_id=merchant_id,
        order_no=order_no,
        at=to_micros(at),
        created_at=moment.micros,
        month=month,
        origin_month=origin,
    )


def _enter(lane: Lane, event: Event, draft: Draft, accounts: Mapping[str, Account]) -> int | None:
    """Writes a draft; the number of its transaction, None when it enters nothing."""
    if draft.is_empty:
        posting.write_lots(lane, event.card_id, draft, accounts)
        return None
    posting.write_event(lane, event, draft, accounts)
    return event.seq


def _party(merchant_id: str, settings: LedgerSettings) -> str:
    return ALLIANCE if merchant_id == settings.alliance_merchant_id else merchant_id


def _nothing_refunded(request: ApplyRefund) -> RefundReceipt:
    return RefundReceipt(request.order_id, 0, 0, 0, 0, 0, 0)
