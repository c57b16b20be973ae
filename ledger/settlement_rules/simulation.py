"""What a history would have settled at other terms. Pure.

Each event is settled again by the functions that settled it, with the same points and the same
lots. Lots that were issued before the history begins keep their funding, and orders of before
their prices.

Source: docs/rules/settlement.md, rule 17.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from ledger.rules.lots import consumed, refilled
from ledger.rules.settlement import (
    Leg,
    burn_legs,
    expiry_legs,
    issue_fee,
    issue_legs,
    pay_for_coins,
    pay_for_points,
    recovery_legs,
    return_legs,
)
from ledger.rules.state import (
    ALLIANCE,
    POOL,
    Asset,
    Lot,
    OrderState,
    RuleTerms,
    SettlementKind,
    Spending,
)
from ledger.settlement_rules.past import OpenDebts, PastDebt, PastEvent, PastMerge, PastMove

_COINS = {SettlementKind.COINS_ISSUE, SettlementKind.COINS_BURN, SettlementKind.COINS_RETURN}
_PRICED = {
    SettlementKind.ISSUE,
    SettlementKind.BURN,
    SettlementKind.COINS_ISSUE,
    SettlementKind.COINS_BURN,
}
"""What is priced by the rule of its instant; the rest reverses, or ends, what these began."""

_AS_IT_WAS = {SettlementKind.COUPON, SettlementKind.ADJUSTMENT}
"""What no rule prices."""


@dataclass(slots=True)
class _Taken:
    """A part of a lot that an order burned."""

    lot_id: int
    amount: int
    funding_minor: int
    returned: int = 0


@dataclass(slots=True)
class _Order:
    state: OrderState
    taken: dict[Asset, list[_Taken]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Carried:
    """Parts that left a card for another one of its lane, each with the funding it took along."""

    card_id: str | None
    reason: str
    parts: list[tuple[int, int]]


@dataclass(slots=True)
class Simulation:
    """Settles events at other terms, one after the other.

    Attributes:
        legs: what the counted events would have posted, coupons and adjustments aside.
    """

    terms: RuleTerms
    legs: list[Leg] = field(default_factory=list)
    _lots: dict[int, Lot] = field(default_factory=dict)
    _orders: dict[tuple[str, str | None], _Order] = field(default_factory=dict)
    _debts: OpenDebts = field(default_factory=OpenDebts)
    _carried: _Carried | None = None

    def settle(self, event: PastEvent) -> None:
        """Settles the next event; one that is not counted has no legs."""
        moves = list(event.moves)
        if event.merge is not None:
            del moves[: self._carry(event.card_id, event.merge, moves)]
            self._carry_debts(event.card_id, event.merge)
        for index, leg in enumerate(event.legs):
            if leg.party != POOL or leg.kind in _AS_IT_WAS:
                continue
            mine = _moves_of(leg, moves)
            del moves[: len(mine)]
            if leg.kind in _PRICED and not event.is_counted:
                for move in mine:
                    self._shift(move)
                continue
            before = event.legs[index - 1] if index else leg
            is_partys = before.kind is leg.kind and before.party != POOL
            party = before.party if is_partys else event.party
            paid = before.amount_minor if is_partys else 0
            legs = self._again(event, leg, party, paid, mine)
            if event.is_counted:
                self.legs += [each for each in legs if each.amount_minor]
        if event.owed:
            self._debts.make(event.card_id, PastDebt(event.party, event.order_no, event.owed))

    def _carry(self, card_id: str | None, merge: PastMerge, moves: Sequence[PastMove]) -> int:
        """Takes parts of lots along, or brings them into new ones; how many movements that were.

        What comes from another lane keeps its funding.
        """
        # Where debts arrive, what leaves the card's lots repays them.
        if moves and moves[0].amount < 0 and not merge.brings_debts:
            parts = [(-move.amount, -self._shift(move)) for move in moves]
            self._carried = _Carried(card_id, merge.reason, parts)
            return len(moves)
        arriving = list(takewhile(lambda move: move.amount > 0, moves))
        carried, self._carried = self._carried, None
        # What comes back to the card that it left was fetched from another lane, and keeps its own.
        if carried is not None and carried.reason == merge.reason and carried.card_id != card_id:
            for move, (_, funding) in zip(arriving, carried.parts, strict=True):
                self._lots[move.lot.id] = replace(move.lot, funding_minor=funding)
        return len(arriving)

    def _carry_debts(self, card_id: str | None, merge: PastMerge) -> None:
        """Counts debts that leave as recovered, and those that come as still to be recovered.

        The books do so where a debt changes lanes; where it stays the two cancel out. See
        docs/decisions/merging.md.
        """
        if merge.takes_debts:
            for debt in self._debts.leave(card_id, merge):
                self._count_recovered(debt, debt.points)
        elif merge.brings_debts:
            for debt in self._debts.arrive(card_id, merge):
                self._count_recovered(debt, -debt.points)

    def _count_recovered(self, debt: PastDebt, points: int) -> None:
        order = self._orders.get((debt.party, debt.order_no))
        if order is not None and order.state.recovered + points >= 0:
            recovered = order.state.recovered + points
            order.state = replace(order.state, recovered=recovered)

    def _again(
        self, event: PastEvent, leg: Leg, party: str, was_paid: int, moves: Sequence[PastMove]
    ) -> list[Leg]:
        kind = leg.kind
        if kind in (SettlementKind.ISSUE, SettlementKind.COINS_ISSUE):
            return self._issue(event, kind, party, moves[0])
        if kind is SettlementKind.EXPIRY:
            return self._expire(leg, moves[0])
        order = self._orders.get((party, leg.order_no))
        if kind in (SettlementKind.BURN, SettlementKind.COINS_BURN):
            return self._burn(event, kind, moves)
        if kind in (SettlementKind.RETURN, SettlementKind.COINS_RETURN):
            return self._give_back(kind, party, order, was_paid, moves)
        if kind is SettlementKind.DEBT_REPAYMENT:
            self._debts.repay(event.card_id, PastDebt(party, leg.order_no, -leg.points))
        return self._recover(kind, party, order, was_paid, moves)

    def _issue(
        self, event: PastEvent, kind: SettlementKind, party: str, move: PastMove
    ) -> list[Leg]:
        is_points = kind is SettlementKind.ISSUE
        funding = self.terms.issue_price.half_up(move.amount) if is_points else move.amount
        fee = 0 if party == ALLIANCE and not is_points else issue_fee(funding, self.terms)
        self._lots[move.lot.id] = replace(move.lot, funding_minor=funding)
        if is_points:
            order = self._order(event)
            order.state = replace(order.state, earned=move.amount, issue_fee_minor=fee)
        points = move.amount if is_points else 0
        return issue_legs(party, kind=kind, funding_minor=funding, fee_minor=fee, points=points)

    def _burn(self, event: PastEvent, kind: SettlementKind, moves: Sequence[PastMove]) -> list[Leg]:
        asset = Asset.COINS if kind in _COINS else Asset.POINTS
        burned = -sum(move.amount for move in moves)
        parts = [_Taken(move.lot.id, -move.amount, -self._shift(move)) for move in moves]
        order = self._order(event)
        order.taken[asset] = parts
        is_points = asset is Asset.POINTS
        pay = pay_for_points(burned, self.terms) if is_points else pay_for_coins(burned, self.terms)
        spending = Spending(burned, burned, pay.gross_minor, pay.fee_minor)
        order.state = _spent(order.state, asset, spending)
        return burn_legs(
            event.party,
            kind=kind,
            released_minor=sum(part.funding_minor for part in parts),
            pay=pay,
            points=burned if is_points else 0,
        )

    def _give_back(
        self,
        kind: SettlementKind,
        party: str,
        order: _Order | None,
        was_paid: int,
        moves: Sequence[PastMove],
    ) -> list[Leg]:
        asset = Asset.COINS if kind in _COINS else Asset.POINTS
        restored = sum(move.amount for move in moves)
        taken = [] if order is None else order.taken[asset]
        refunded = sum(self._put_back(move, taken) for move in moves)
        if order is None:
            return [
                Leg(party, kind, was_paid),
                Leg(POOL, kind, refunded),
                Leg(ALLIANCE, kind, -was_paid - refunded),
            ]
        spending = order.state.points if asset is Asset.POINTS else order.state.coins
        legs = return_legs(
            party,
            kind=kind,
            spending=spending,
            restored_now=restored,
            refunded_minor=refunded,
            points=restored if asset is Asset.POINTS else 0,
        )
        after = replace(spending, restored=spending.restored + restored)
        order.state = _spent(order.state, asset, after)
        return legs

    def _put_back(self, move: PastMove, taken: Sequence[_Taken]) -> int:
        """The funding that returns with a part; taken parts return the last one first."""
        part = next((each for each in reversed(taken) if each.returned < each.amount), None)
        if part is None:
            return self._shift(move)
        before = part.funding_minor * part.returned // part.amount
        part.returned += move.amount
        if part.lot_id == move.lot.id:
            return self._shift(move)
        funding = part.funding_minor * part.returned // part.amount - before
        self._lots[move.lot.id] = replace(move.lot, funding_minor=funding)
        return funding

    def _recover(
        self,
        kind: SettlementKind,
        party: str,
        order: _Order | None,
        was_paid: int,
        moves: Sequence[PastMove],
    ) -> list[Leg]:
        recovered = -sum(move.amount for move in moves)
        released = -sum(self._shift(move) for move in moves)
        if order is None:
            fee = was_paid + sum(move.funding_minor for move in moves)
            return [
                Leg(party, kind, released + fee),
                Leg(POOL, kind, -released),
                Leg(ALLIANCE, kind, -fee),
            ]
        legs = recovery_legs(
            party,
            kind=kind,
            order=order.state,
            recovered_now=recovered,
            released_minor=released,
        )
        order.state = replace(order.state, recovered=order.state.recovered + recovered)
        return legs

    def _expire(self, leg: Leg, move: PastMove) -> list[Leg]:
        return expiry_legs(
            move.lot.issuer_id,
            released_minor=-self._shift(move),
            breakage_issuer_bps=self.terms.breakage_issuer_bps,
            points=-leg.points,
        )

    def _shift(self, move: PastMove) -> int:
        """The funding that moves with units of a lot, + into the pool."""
        lot = self._lots.get(move.lot.id)
        if lot is None:
            return move.funding_minor
        if move.amount > 0:
            change = refilled(lot, move.amount)
        else:
            change = consumed(lot, -move.amount)
        self._lots[lot.id] = change.lot
        return -change.released_minor

    def _order(self, event: PastEvent) -> _Order:
        key = event.party, event.order_no
        if key not in self._orders:
            nothing = Spending()
            state = OrderState(
                "", event.order_no or "", event.party, None, 0, nothing, nothing, 0, 0, None
            )
            self._orders[key] = _Order(state)
        return self._orders[key]


def net_by_party(legs: Iterable[Leg]) -> dict[str, int]:
    """What each party receives, − when it pays; what no rule prices is left out."""
    net: dict[str, int] = {}
    for leg in legs:
        if leg.kind not in _AS_IT_WAS:
            net[leg.party] = net.get(leg.party, 0) + leg.amount_minor
    return net


def _spent(state: OrderState, asset: Asset, spending: Spending) -> OrderState:
    if asset is Asset.POINTS:
        return replace(state, points=spending)
    return replace(state, coins=spending)


def _moves_of(leg: Leg, moves: Sequence[PastMove]) -> list[PastMove]:
    """The movements that a leg of the pool sums up; they come in the order of the legs."""
    if leg.kind is SettlementKind.EXPIRY:
        return list(moves[:1])
    units = abs(leg.amount_minor if leg.kind in _COINS else leg.points)
    mine: list[PastMove] = []
    while units > 0:
        mine.append(moves[len(mine)])
        units -= abs(mine[-1].amount)
    return mine
