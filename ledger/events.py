"""Each write of the ledger: load what the rule needs, let it decide, write what it decided.

Every function here runs inside one transaction that its caller owns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kernel.clock import to_micros
from ledger import loading, posting
from ledger.contract import (
    AttemptReleased,
    CaptureOrder,
    CoinsReceipt,
    FundsHeld,
    FundsReleased,
    GrantCoins,
    HoldFunds,
    OrderReceipt,
    ReleaseFunds,
)
from ledger.entering import Moment, enter, event_at, open_debts, party_of, state_of
from ledger.loading import Account
from ledger.rules import capture_order, grant_coins, held_units, hold_funds, release_funds
from ledger.sqlite import Lane
from ledger.state import (
    ALLIANCE,
    NEVER,
    Asset,
    HoldState,
    Lot,
    Part,
    State,
    TxKind,
)


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
    state = state_of(heads, lots=lots, debts=open_debts(lane, request.card_id, accounts))
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
    debts = open_debts(lane, card_id, accounts)
    state = state_of(heads, lots=lots, held=held, debts=debts)
    draft, receipt = release_funds(state, request, now=now)
    event = event_at(heads, TxKind.RELEASE, moment, at=request.now, card_id=card_id)
    return receipt, enter(lane, event, draft, accounts)


def capture(lane: Lane, request: CaptureOrder, moment: Moment) -> tuple[OrderReceipt, int | None]:
    """Books a paid order; see `Ledger.capture_order`."""
    heads = loading.read_heads(lane, at=to_micros(request.at))
    accounts: Mapping[str, Account] = {}
    state = state_of(heads)
    if request.card_id is not None:
        accounts = loading.read_accounts(lane, posting.card_accounts(request.card_id))
        state = _capture_state(lane, request, request.card_id, state, accounts, moment)
    settled = replace(request, merchant_id=party_of(request.merchant_id, moment.settings))
    draft, receipt = capture_order(
        state,
        settled,
        active_at=to_micros(request.active_at),
        expires_at=NEVER if request.expires_at is None else to_micros(request.expires_at),
        now=moment.micros,
    )
    event = event_at(
        heads,
        TxKind.ORDER,
        moment,
        at=request.at,
        card_id=request.card_id,
        merchant_id=request.merchant_id,
        order_no=request.order_no,
    )
    return receipt, enter(lane, event, draft, accounts)


def grant(lane: Lane, request: GrantCoins, moment: Moment) -> tuple[CoinsReceipt, int | None]:
    """Gives coins; see `Ledger.grant_coins`."""
    at = to_micros(request.at)
    heads = loading.read_heads(lane, at=at)
    accounts = loading.read_accounts(lane, posting.card_accounts(request.card_id))
    funder = request.funder_merchant_id
    party = ALLIANCE if funder is None else party_of(funder, moment.settings)
    event = event_at(
        heads,
        TxKind.GRANT,
        moment,
        at=request.at,
        card_id=request.card_id,
        merchant_id=funder,
    )
    granted = loading.read_granted(lane, month=event.month, funder=party)
    draft, receipt = grant_coins(
        state_of(heads),
        replace(request, funder_merchant_id=party),
        active_at=at,
        expires_at=NEVER if request.expires_at is None else to_micros(request.expires_at),
        now=moment.micros,
        budget_left_minor=moment.settings.grant_budget_minor - granted,
    )
    return receipt, enter(lane, replace(event, reason=request.reason), draft, accounts)


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
    debts = open_debts(lane, card_id, accounts)
    return replace(state, lots=tuple(known.values()), debts=debts)


def _decide_attempt(lane: Lane, attempt_id: str, card_id: str, state: HoldState, now: int) -> None:
    posting.write_hold(lane, attempt_id, card_id, state, decided_at=now)
