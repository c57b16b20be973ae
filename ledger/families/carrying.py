"""Carries what one card has to another, whatever the lanes of the two.

Two transactions of the books, one for each card. Units leave their lots, and enter new lots with
the same issuer, dates and funding. Between lanes the funding goes through the party LANES, which
over all lanes has nothing. Debts go with the order that they are of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kernel.clock import to_micros
from ledger.booking.books import LaneBooks
from ledger.booking.entering import Moment, event_at, open_debts, state_of
from ledger.booking.forfeiting import ALL_UNITS
from ledger.booking.posting import Pen
from ledger.rules.draft import CardChange, Draft
from ledger.rules.settlement import Leg
from ledger.rules.state import (
    LANES,
    POOL,
    Asset,
    CardEntryKind,
    Debt,
    Lot,
    OrderState,
    Part,
    SettlementKind,
    State,
    TxKind,
)


@dataclass(frozen=True, slots=True)
class Load:
    """What is carried.

    Attributes:
        lots: those that `parts` are of.
        parts: free units.
    """

    lots: Sequence[Lot] = ()
    parts: Sequence[Part] = ()
    debts: Sequence[Debt] = ()


@dataclass(frozen=True, slots=True)
class Carrier:
    """Carries from one card to another, for one reason.

    Attributes:
        reason: the merge, or what came late.
    """

    source: Pen
    giver: str
    target: Pen
    taker: str
    moment: Moment
    at: datetime
    reason: str

    @property
    def _is_between_lanes(self) -> bool:
        return self.source is not self.target

    def carry(self, load: Load) -> tuple[list[Lot], list[Debt]]:
        """The lots and debts that were made for it, the debts as repayments left them."""
        if not load.parts and not load.debts:
            return [], []
        bare = replace(self.moment, request_hash="")
        leaving, funding = self._leaving(load)
        event = event_at(self.source.books, TxKind.MERGE, bare, at=self.at, card_id=self.giver)
        self.source.enter(replace(event, reason=self.reason), leaving)
        arriving = self._arriving(load, funding)
        event = event_at(self.target.books, TxKind.MERGE, bare, at=self.at, card_id=self.taker)
        self.target.enter(replace(event, reason=self.reason), arriving)
        made = [arriving.lots[lot_id] for lot_id in sorted(arriving.made)]
        first = arriving.state.next_debt_id
        return made, [debt for debt in arriving.debts.values() if debt.id >= first]

    def _leaving(self, load: Load) -> tuple[Draft, list[int]]:
        state = state_of(self.source.books, to_micros(self.at), lots=load.lots)
        draft = Draft(state, self.moment.micros)
        funding = [draft.take(part) for part in load.parts]
        self._change(draft, load, -1)
        self._fund(draft, load, -sum(funding))
        for debt in load.debts:
            draft.debts[debt.id] = replace(debt, open=0)
            if self._is_between_lanes:
                order = draft.order(debt.order)
                draft.orders[order.order_id] = replace(order, recovered=order.recovered + debt.open)
        return draft, funding

    def _arriving(self, load: Load, funding: Sequence[int]) -> Draft:
        books = self.target.books
        own = open_debts(books, self.taker)
        orders: dict[str, OrderState] = {}
        debts = [
            Debt(books.head.next_debt_id + place, debt.open, self._order(books, debt, orders))
            for place, debt in enumerate(load.debts)
        ]
        draft = Draft(self._state(books, [*own, *debts]), self.moment.micros)
        draft.orders |= orders
        draft.debts |= {debt.id: debt for debt in debts}
        lots = {lot.id: lot for lot in load.lots}
        for part, funding_minor in zip(load.parts, funding, strict=True):
            lot = lots[part.lot_id]
            draft.make_lot(
                lot.asset,
                part.amount,
                issuer_id=lot.issuer_id,
                funding_minor=funding_minor,
                active_at=lot.active_at,
                expires_at=lot.expires_at,
                order_id=lot.order_id,
            )
        self._change(draft, load, 1)
        self._fund(draft, load, sum(funding))
        draft.repay_debts()
        return draft

    def _state(self, books: LaneBooks, debts: Sequence[Debt]) -> State:
        owed = sum(debt.open for debt in debts)
        lots = books.free_lots(
            self.taker, Asset.POINTS, wanted=owed, now=self.moment.micros, with_pending=True
        )
        return state_of(books, to_micros(self.at), lots=lots, debts=tuple(debts))

    def _order(self, books: LaneBooks, debt: Debt, orders: dict[str, OrderState]) -> OrderState:
        """The order of a debt as the taker's lane is to know it.

        What the debt's own lane counts as recovered, this lane is still to recover.
        """
        order = debt.order
        if not self._is_between_lanes:
            return order
        known = orders.get(order.order_id) or books.order(order.order_id)
        if known is None:
            # As it was before the debt left.
            known = replace(order, recovered=order.recovered, reversed=order.recovered + debt.open)
        elif known.recovered >= debt.open:
            known = replace(known, recovered=known.recovered - debt.open)
        else:
            known = replace(known, reversed=min(known.reversed + debt.open, known.earned))
        orders[order.order_id] = known
        return known

    def _change(self, draft: Draft, load: Load, sign: int) -> None:
        units = dict.fromkeys((Asset.POINTS, Asset.COINS), 0)
        lots = {lot.id: lot for lot in load.lots}
        for part in load.parts:
            units[lots[part.lot_id].asset] += part.amount
        owed = sum(debt.open for debt in load.debts)
        if units[Asset.POINTS] or owed:
            draft.changes.append(
                CardChange(
                    CardEntryKind.MERGE, Asset.POINTS, sign * units[Asset.POINTS],
                    owed=-sign * owed,
                )
            )  # fmt: skip
        if units[Asset.COINS]:
            draft.changes.append(
                CardChange(CardEntryKind.MERGE, Asset.COINS, sign * units[Asset.COINS])
            )

    def _fund(self, draft: Draft, load: Load, amount_minor: int) -> None:
        if self._is_between_lanes:
            legs = [
                Leg(POOL, SettlementKind.ADJUSTMENT, amount_minor),
                Leg(LANES, SettlementKind.ADJUSTMENT, -amount_minor),
            ]
            draft.post(legs, rule_version=draft.state.rule.version, order_no=None)


def everything_of(books: LaneBooks, card_id: str, *, now: int) -> Load:
    """What a card has free, and what it owes; what open checkouts hold stays."""
    lots: list[Lot] = []
    for asset in (Asset.POINTS, Asset.COINS):
        lots += books.free_lots(card_id, asset, wanted=ALL_UNITS, now=now, with_pending=True)
    return Load(lots, [Part(lot.id, lot.free) for lot in lots], open_debts(books, card_id))
