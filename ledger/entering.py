"""What every write of the ledger needs: its moment, its state, its place in the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kernel.clock import to_micros
from ledger import loading, posting
from ledger.book import Draft
from ledger.contract import LedgerSettings
from ledger.days import month_of
from ledger.loading import Account, Heads
from ledger.periods import posting_month
from ledger.posting import Event
from ledger.sqlite import Lane
from ledger.state import ALLIANCE, Debt, Lot, Part, State, TxKind


@dataclass(frozen=True, slots=True)
class Moment:
    """What every event is decided under."""

    now: datetime
    settings: LedgerSettings

    @property
    def micros(self) -> int:
        """`now` in microseconds."""
        return to_micros(self.now)


def state_of(
    heads: Heads,
    *,
    lots: list[Lot] | None = None,
    held: tuple[Part, ...] = (),
    debts: tuple[Debt, ...] = (),
) -> State:
    """The state in which a request finds the books."""
    return State(
        rule=heads.rule,
        next_lot_id=heads.next_lot_id,
        next_debt_id=heads.next_debt_id,
        lots=tuple(lots or ()),
        held=held,
        debts=debts,
    )


def open_debts(lane: Lane, card_id: str, accounts: Mapping[str, Account]) -> tuple[Debt, ...]:
    """The open debts of a card, oldest first; reads them only when there are any."""
    owed = accounts.get(f"debt:{card_id}")
    if owed is None or owed.posted == 0:
        return ()
    return loading.read_debts(lane, card_id)


def event_at(
    heads: Heads,
    kind: TxKind,
    moment: Moment,
    *,
    at: datetime,
    card_id: str | None,
    merchant_id: str | None = None,
    order_no: str | None = None,
) -> Event:
    """The event that takes effect at `at`, in the period that it is to be posted in."""
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


def enter(lane: Lane, event: Event, draft: Draft, accounts: Mapping[str, Account]) -> int | None:
    """Writes a draft; the number of its transaction, None when it enters nothing."""
    if draft.is_empty:
        posting.write_lots(lane, event.card_id, draft, accounts)
        return None
    posting.write_event(lane, event, draft, accounts)
    return event.seq


def party_of(merchant_id: str, settings: LedgerSettings) -> str:
    """Who settles for a merchant: itself, but ALLIANCE for the alliance's own shop."""
    return ALLIANCE if merchant_id == settings.alliance_merchant_id else merchant_id
