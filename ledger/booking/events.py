"""Each write of the ledger: ask the books what the rule needs, let it decide, enter the draft.

Every function here is one request of a batch that holds its lane; it gives the receipt and the
number of the transaction, None when nothing was booked.
"""

from __future__ import annotations

from dataclasses import replace

from kernel.clock import to_micros
from ledger.booking.entering import Moment, event_at, open_debts, party_of, state_of
from ledger.booking.posting import Pen
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
from ledger.rules.decisions import capture_order, grant_coins, hold_funds, release_funds
from ledger.rules.state import (
    ALLIANCE,
    COINS,
    NEVER,
    POINTS,
    Asset,
    HoldState,
    Lot,
    Part,
    State,
    TxKind,
)
from ledger.stores.loading import HoldRow


def hold(pen: Pen, request: HoldFunds, moment: Moment) -> tuple[FundsHeld, int | None]:
    """Holds funds; see `Ledger.hold`."""
    books, card_id = pen.books, request.card_id
    if books.hold(request.attempt_id) is not None:
        raise AttemptReleased
    now = to_micros(request.now)
    lots: list[Lot] = []
    for asset, wanted in ((POINTS, request.points), (COINS, request.coins_minor)):
        lots += books.free_lots(card_id, asset, wanted=wanted, now=now)
    state = state_of(books, now, lots=lots, debts=open_debts(books, card_id))
    draft, parts, receipt = hold_funds(state, request, now=now)
    pen.hold_parts(card_id, draft)
    pen.put_hold(
        HoldRow(request.attempt_id, card_id, HoldState.HELD),
        parts=tuple(parts),
        points=request.points,
        coins=request.coins_minor,
    )
    return receipt, None


def release(pen: Pen, request: ReleaseFunds, moment: Moment) -> tuple[FundsReleased, int | None]:
    """Releases an attempt; see `Ledger.release`."""
    books, now = pen.books, to_micros(request.now)
    attempt = books.hold(request.attempt_id)
    if attempt is not None and attempt.state is HoldState.CAPTURED:
        return FundsReleased(request.attempt_id, 0, 0), None
    card_id = request.card_id if attempt is None else attempt.card_id
    released = HoldRow(request.attempt_id, card_id, HoldState.RELEASED)
    if attempt is None:
        pen.put_hold(released, decided_at=now)
        return FundsReleased(request.attempt_id, 0, 0), None
    held, lots = books.held(request.attempt_id)
    state = state_of(books, now, lots=lots, held=held, debts=open_debts(books, card_id))
    draft, receipt = release_funds(state, request, now=now)
    pen.put_hold(released, decided_at=now)
    event = event_at(books, TxKind.RELEASE, moment, at=request.now, card_id=card_id)
    return receipt, pen.enter(event, draft)


def capture(pen: Pen, request: CaptureOrder, moment: Moment) -> tuple[OrderReceipt, int | None]:
    """Books a paid order; see `Ledger.capture_order`."""
    books = pen.books
    at = to_micros(request.at)
    if request.card_id is None:
        state = state_of(books, at)
    else:
        state = _capture_state(pen, request, request.card_id, at, moment)
    party = party_of(request.merchant_id, moment.settings)
    settled = request if party == request.merchant_id else replace(request, merchant_id=party)
    draft, receipt = capture_order(
        state,
        settled,
        active_at=to_micros(request.active_at),
        expires_at=NEVER if request.expires_at is None else to_micros(request.expires_at),
        now=moment.micros,
    )
    if request.card_id is not None and request.attempt_id is not None:
        _capture_attempt(pen, request.attempt_id, request.card_id, moment)
    event = event_at(
        books,
        TxKind.ORDER,
        moment,
        at=request.at,
        card_id=request.card_id,
        merchant_id=request.merchant_id,
        order_no=request.order_no,
    )
    return receipt, pen.enter(event, draft)


def grant(pen: Pen, request: GrantCoins, moment: Moment) -> tuple[CoinsReceipt, int | None]:
    """Gives coins; see `Ledger.grant_coins`."""
    books, at = pen.books, to_micros(request.at)
    funder = request.funder_merchant_id
    party = ALLIANCE if funder is None else party_of(funder, moment.settings)
    event = event_at(
        books,
        TxKind.GRANT,
        moment,
        at=request.at,
        card_id=request.card_id,
        merchant_id=funder,
        reason=request.reason,
    )
    draft, receipt = grant_coins(
        state_of(books, at),
        replace(request, funder_merchant_id=party),
        active_at=at,
        expires_at=NEVER if request.expires_at is None else to_micros(request.expires_at),
        now=moment.micros,
        budget_left_minor=moment.settings.grant_budget_minor - books.granted(party, event.month),
    )
    return receipt, pen.enter(event, draft)


def _capture_state(pen: Pen, request: CaptureOrder, card_id: str, at: int, moment: Moment) -> State:
    books = pen.books
    held: tuple[Part, ...] = ()
    lots: list[Lot] = []
    if request.attempt_id is not None:
        attempt = books.hold(request.attempt_id)
        if attempt is not None and attempt.state is HoldState.HELD and attempt.card_id == card_id:
            held, lots = books.held(request.attempt_id)
    known = {lot.id: lot for lot in lots}
    asked = ((POINTS, request.points_spent), (COINS, request.coins_spent_minor))
    for asset, wanted in asked:
        missing = wanted - _units_of(asset, held, known) if wanted else 0
        if missing > 0:
            for lot in books.free_lots(card_id, asset, wanted=missing, now=moment.micros):
                known[lot.id] = lot
    debts = open_debts(books, card_id)
    return state_of(books, at, lots=list(known.values()), held=held, debts=debts)


def _units_of(asset: Asset, held: tuple[Part, ...], lots: dict[int, Lot]) -> int:
    return sum(part.amount for part in held if lots[part.lot_id].asset is asset) if held else 0


def _capture_attempt(pen: Pen, attempt_id: str, card_id: str, moment: Moment) -> None:
    """Decides an attempt that is open or unknown; one of another card is left alone."""
    attempt = pen.books.hold(attempt_id)
    if attempt is None or (attempt.state is HoldState.HELD and attempt.card_id == card_id):
        captured = HoldRow(attempt_id, card_id, HoldState.CAPTURED)
        pen.put_hold(captured, decided_at=moment.micros)
