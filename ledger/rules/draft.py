"""The draft of one event: what it would write, while the rules decide it. No I/O.

A draft starts from a `State` and never changes it. Each of its methods keeps every asset's legs
at zero, so that a draft is balanced at every moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kernel.values import value
from ledger.rules.lots import (
    LotChange,
    consumed,
    first_to_expire,
    is_expired,
    parts_covering,
    refilled,
    with_units,
)
from ledger.rules.settlement import Leg, expiry_legs, recovery_legs
from ledger.rules.state import (
    POINTS,
    Asset,
    Burn,
    CardEntryKind,
    Debt,
    Lot,
    OrderState,
    Part,
    SettlementKind,
    State,
)


@value
class CardChange:
    """What an event did to the card of one asset.

    `units + owed` is what the issued account takes in return.

    Attributes:
        units: points or coins, + to the card.
        owed: points of debt, + is repaid, − is new.
    """

    kind: CardEntryKind
    asset: Asset
    units: int
    owed: int = 0


@value
class Move:
    """Units that entered or left a lot, and the funding that went with them.

    Attributes:
        amount: + enters, − leaves.
        funding_minor: + into the pool, − out of it.
    """

    lot_id: int
    amount: int
    funding_minor: int


@dataclass(slots=True, init=False)
class Draft:
    """What one event would write.

    Attributes:
        lots: every lot that was read or made, as it would be.
        touched: ids of lots that changed or were made, in order.
        made: ids of lots that were made.
        legs: with the version of the rule that priced each, and the order behind it.
        orders: orders that changed or were made, by id.
        debts: debts that changed or were made, by id.
    """

    state: State
    now: int
    lots: dict[int, Lot]
    touched: dict[int, None]
    made: set[int]
    legs: list[tuple[Leg, int, str | None]]
    changes: list[CardChange]
    moves: list[Move]
    burns: list[Burn]
    orders: dict[str, OrderState]
    debts: dict[int, Debt]
    held_delta: dict[Asset, int]

    def __init__(self, state: State, now: int) -> None:
        # By hand: a constructor with a dozen factories takes twice as long.
        self.state, self.now = state, now
        self.lots = {lot.id: lot for lot in state.lots}
        self.touched, self.made = {}, set()
        self.legs, self.changes, self.moves, self.burns = [], [], [], []
        self.orders, self.debts, self.held_delta = {}, {}, {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be entered into the books; holds may still change."""
        return not (self.changes or self.legs)

    def post(self, legs: Iterable[Leg], *, rule_version: int, order_no: str | None) -> None:
        """Adds settlement legs, without those that move nothing."""
        for leg in legs:
            if leg.amount_minor or leg.points:
                self.legs.append((leg, rule_version, order_no))

    def make_lot(
        self,
        asset: Asset,
        amount: int,
        *,
        issuer_id: str,
        funding_minor: int,
        active_at: int,
        expires_at: int,
        order_id: str | None = None,
    ) -> Lot:
        """A new lot of the card; its funding enters the pool."""
        lot = Lot(
            id=self.state.next_lot_id + len(self.made),
            asset=asset,
            issuer_id=issuer_id,
            funding_minor=funding_minor,
            original=amount,
            remaining=amount,
            held=0,
            active_at=active_at,
            expires_at=expires_at,
            order_id=order_id,
        )
        self.made.add(lot.id)
        self._keep(lot)
        self.moves.append(Move(lot.id, amount, funding_minor))
        return lot

    def hold(self, parts: Sequence[Part]) -> None:
        """Sets parts of lots aside."""
        for part in parts:
            self._shift_held(part, part.amount)

    def unhold(self, parts: Sequence[Part]) -> None:
        """Frees parts that were set aside."""
        for part in parts:
            self._shift_held(part, -part.amount)

    def take(self, part: Part) -> int:
        """Takes a free part out of its lot; gives the funding that the pool releases."""
        return self._apply(consumed(self.lots[part.lot_id], part.amount), -part.amount)

    def refill(self, part: Part) -> int:
        """Puts units back into their lot; gives the funding that the pool takes back."""
        return -self._apply(refilled(self.lots[part.lot_id], part.amount), part.amount)

    def free_lots(self, asset: Asset) -> list[Lot]:
        """Unexpired lots with free units, pending ones included, first to expire first."""
        return first_to_expire(
            lot
            for lot in self.lots.values()
            if lot.asset is asset and lot.free > 0 and not is_expired(lot, self.now)
        )

    def order(self, order: OrderState) -> OrderState:
        """The order as the draft left it."""
        return self.orders.get(order.order_id, order)

    def recover(self, order: OrderState, parts: Sequence[Part], kind: SettlementKind) -> None:
        """Gives the funding of lot parts to the issuer of a refunded order, and fee pro rata."""
        order = self.order(order)
        recovered = sum(part.amount for part in parts)
        released = sum(self.take(part) for part in parts)
        legs = recovery_legs(
            order.merchant_id,
            kind=kind,
            order=order,
            recovered_now=recovered,
            released_minor=released,
        )
        self.post(legs, rule_version=order.rule_version, order_no=order.order_no)
        self.orders[order.order_id] = replace(order, recovered=order.recovered + recovered)

    def expire(self, parts: Iterable[Part]) -> None:
        """Takes free parts of expired lots from the card, and shares out their funding.

        Source: docs/rules/points.md, rule 10; docs/rules/settlement.md, rule 11.
        """
        rule = self.state.rule
        gone: dict[Asset, int] = {}
        for part in parts:
            lot = self.lots[part.lot_id]
            assert is_expired(lot, self.now)
            legs = expiry_legs(
                lot.issuer_id,
                released_minor=self.take(part),
                breakage_issuer_bps=rule.terms.breakage_issuer_bps,
                points=part.amount if lot.asset is POINTS else 0,
            )
            self.post(legs, rule_version=rule.version, order_no=None)
            gone[lot.asset] = gone.get(lot.asset, 0) + part.amount
        self.changes += [
            CardChange(CardEntryKind.EXPIRY, asset, -units) for asset, units in gone.items()
        ]

    def expire_freed(self) -> None:
        """Expires what the attempt held of expired lots, and neither took nor holds any more."""
        if not self.state.held:
            return
        taken: dict[int, int] = {}
        for burn in self.burns:
            taken[burn.lot_id] = taken.get(burn.lot_id, 0) + burn.amount
        freed = [
            Part(part.lot_id, part.amount - taken.get(part.lot_id, 0))
            for part in self.state.held
            if is_expired(self.lots[part.lot_id], self.now)
        ]
        self.expire(part for part in freed if part.amount)

    def repay_debts(self) -> int:
        """Repays open debts, oldest first, from free points; gives the points repaid.

        Source: docs/rules/points.md, rule 8.
        """
        repaid = 0
        for debt in self.state.debts:
            parts = parts_covering(debt.open, self.free_lots(POINTS))
            amount = sum(part.amount for part in parts)
            if amount == 0:
                break
            self.recover(debt.order, parts, SettlementKind.DEBT_REPAYMENT)
            self.debts[debt.id] = replace(debt, open=debt.open - amount)
            repaid += amount
        if repaid:
            change = CardChange(CardEntryKind.DEBT_REPAYMENT, POINTS, -repaid, owed=repaid)
            self.changes.append(change)
        return repaid

    def owe(self, order: OrderState, amount: int) -> None:
        """Adds a debt for a refunded order."""
        debt = Debt(self.state.next_debt_id, amount, self.order(order))
        self.debts[debt.id] = debt

    def _apply(self, change: LotChange, amount: int) -> int:
        lot, released = change.lot, change.released_minor
        self.lots[lot.id] = lot
        self.touched[lot.id] = None
        self.moves.append(Move(lot.id, amount, -released))
        return released

    def _shift_held(self, part: Part, amount: int) -> None:
        lot = self.lots[part.lot_id]
        lot = with_units(lot, lot.remaining, lot.held + amount)
        assert 0 <= lot.held <= lot.remaining
        self.held_delta[lot.asset] = self.held_delta.get(lot.asset, 0) + amount
        self._keep(lot)

    def _keep(self, lot: Lot) -> None:
        self.lots[lot.id] = lot
        self.touched[lot.id] = None
