"""What every write of the ledger needs: its moment, its state, its place in the books."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime

import orjson

from kernel.clock import to_micros
from kernel.values import value
from ledger.booking.books import LaneBooks
from ledger.booking.posting import Event
from ledger.contract import LedgerSettings
from ledger.rules.days import month_of, span_of_month
from ledger.rules.periods import posting_month
from ledger.rules.state import ALLIANCE, Burn, Debt, Lot, OrderState, Part, State, TxKind


@value
class Moment:
    """What every event is decided under.

    Attributes:
        micros: `now` in microseconds.
        request_hash: of the request that is decided; empty when none is behind the event.
    """

    now: datetime
    settings: LedgerSettings
    request_hash: str = ""
    micros: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "micros", to_micros(self.now))


def state_of(
    books: LaneBooks,
    at: int,
    *,
    lots: Sequence[Lot] = (),
    held: tuple[Part, ...] = (),
    debts: tuple[Debt, ...] = (),
    order: OrderState | None = None,
    burns: tuple[Burn, ...] = (),
) -> State:
    """The state in which a request finds the books."""
    return State(
        rule=books.rule_at(at),
        next_lot_id=books.head.next_lot_id,
        next_debt_id=books.head.next_debt_id,
        lots=tuple(lots),
        held=held,
        debts=debts,
        order=order,
        burns=burns,
    )


def open_debts(books: LaneBooks, card_id: str) -> tuple[Debt, ...]:
    """The open debts of a card, oldest first; reads them only when there are any."""
    if books.account(f"debt:{card_id}").posted == 0:
        return ()
    return books.debts(card_id)


def event_at(
    books: LaneBooks,
    kind: TxKind,
    moment: Moment,
    *,
    at: datetime,
    card_id: str | None,
    merchant_id: str | None = None,
    order_no: str | None = None,
    reason: str | None = None,
) -> Event:
    """The event that takes effect at `at`, in the period that it is to be posted in.

    It is recorded now, or with the one before it when the clock has gone back since then.
    """
    micros = to_micros(at)
    time_zone = moment.settings.time_zone
    first, behind = span_of_month(books.last_month, time_zone)
    if not first <= micros < behind:
        books.last_month = month_of(at, time_zone)
    month, origin = posting_month(books.last_month, books.head.closed_month)
    return Event(
        kind=kind,
        card_id=card_id,
        merchant_id=merchant_id,
        order_no=order_no,
        at=micros,
        created_at=max(moment.micros, books.head.last_created_at),
        month=month,
        origin_month=origin,
        request_hash=moment.request_hash,
        reason=reason,
    )


def party_of(merchant_id: str, settings: LedgerSettings) -> str:
    """Who settles for a merchant: itself, but ALLIANCE for the alliance's own shop."""
    return ALLIANCE if merchant_id == settings.alliance_merchant_id else merchant_id


def hash_of(body: object) -> str:
    """SHA-256 of what a request asks, hexadecimal: a repeat of it has the same."""
    return hashlib.sha256(orjson.dumps(body)).hexdigest()
