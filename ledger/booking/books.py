"""One lane's books while a batch is decided: what was read, as the requests so far have left it.

What a batch is known to need is read at once by `ledger/booking/needs.py`; whatever else a request
asks for is read then. So it is never wrong to foresee too little, only slow.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ledger.booking.answers import Answers
from ledger.rules.state import Asset, Burn, Debt, HoldState, Lot, OrderState, Part, SettlementRule
from ledger.stores import loading
from ledger.stores.loading import Head, HoldRow, lot_of
from ledger.stores.port import LotsWanted, Port, Row

_NOWHERE = (-1, -1)


@dataclass(slots=True)
class Account:
    """What an account has posted, and what of it is held.

    Attributes:
        is_stored: whether the database has its row.
    """

    posted: int = 0
    held: int = 0
    is_stored: bool = False


@dataclass(slots=True)
class Shelf:
    """The lots of one card and asset that are known here, in the order they are spent.

    Attributes:
        keys: (expiry, id) of each that may have free units, sorted.
        ids: theirs.
        horizon: behind this key the table may have lots that are not known here.
        is_whole: whether the table has none.
        has_pending: whether lots that are not active yet are known as well.
    """

    keys: list[tuple[int, int]] = field(default_factory=list)
    ids: set[int] = field(default_factory=set)
    horizon: tuple[int, int] = _NOWHERE
    is_whole: bool = False
    has_pending: bool = False


class LaneBooks:
    """One lane, from a lock on its head to the end of its batch.

    Attributes:
        head: as the requests so far have left it.
        answers: what requests were answered.
        since, latest: no request of the batch lives before or after these instants.
        lots: every lot that is known, as it is now.
        last_month: that the last event took effect in; most others do too.
    """

    def __init__(self, port: Port, head: Head, *, since: int, latest: int) -> None:
        self.port = port
        self.head = head
        self.answers = Answers(port)
        self.since = since
        self.latest = latest
        self.lots: dict[int, Lot] = {}
        self.last_month = 2026 * 12
        self._rules: list[tuple[int, SettlementRule]] | None = None
        self._accounts: dict[str, Account] = {}
        self._holds: dict[str, HoldRow | None] = {}
        self._held: dict[str, tuple[Part, ...]] = {}
        self._orders: dict[str, OrderState | None] = {}
        self._burns: dict[str, dict[int, Burn]] = {}
        self._debts: dict[str, dict[int, tuple[int, str]]] = {}
        self._shelves: dict[tuple[str, Asset], Shelf] = {}
        self._has_kin: dict[str, bool] = {}
        self._granted: dict[str, dict[int, int]] = {}

    def rule_at(self, at: int) -> SettlementRule:
        """The rule in force at an instant."""
        if self._rules is None:
            rows = self.port.rows(loading.RULES)
            self._rules = [(row[0], loading.rule_of(*row[1:])) for row in rows]
        if len(self._rules) == 1:
            return self._rules[0][1]
        behind = bisect_right(self._rules, max(at, 0), key=lambda rule: rule[0])
        assert behind > 0, "the first rule is in force from the beginning"
        return self._rules[behind - 1][1]

    def account(self, name: str) -> Account:
        """The account, to be changed in place."""
        account = self._accounts.get(name)
        if account is None:
            self.read_accounts([name])
            account = self._accounts[name]
        return account

    def hold(self, attempt_id: str) -> HoldRow | None:
        """The attempt; None when the ledger has not heard of it."""
        if attempt_id not in self._holds:
            self.read_holds([attempt_id])
        return self._holds[attempt_id]

    def put_hold(self, hold: HoldRow, parts: tuple[Part, ...] | None = None) -> None:
        """Remembers an attempt, and what it picked if it is new."""
        self._holds[hold.attempt_id] = hold
        if parts is not None:
            self._held[hold.attempt_id] = parts

    def held(self, attempt_id: str) -> tuple[tuple[Part, ...], list[Lot]]:
        """What an attempt picked, in order, and the lots that it picked from."""
        parts = self._held.get(attempt_id, ())
        return parts, [self.lots[part.lot_id] for part in parts]

    def order(self, order_id: str) -> OrderState | None:
        """What is remembered of an order; None when it was not captured, or had no effect."""
        if order_id not in self._orders:
            self.read_orders([order_id])
        return self._orders[order_id]

    def put_order(self, order: OrderState) -> bool:
        """Remembers an order; whether it is new."""
        is_new = self._orders.get(order.order_id) is None
        self._orders[order.order_id] = order
        if is_new:
            self._burns[order.order_id] = {}
        return is_new

    def burns(self, order_id: str) -> dict[int, Burn]:
        """What an order took, by its part and in the order it was taken; to be changed in place."""
        if order_id not in self._burns:
            self.read_burns([order_id])
        return self._burns[order_id]

    def debts(self, card_id: str) -> tuple[Debt, ...]:
        """The open debts of a card, oldest first."""
        if card_id not in self._debts:
            self.read_debts([card_id])
        return tuple(
            Debt(debt_id, left, self._known_order(order_id))
            for debt_id, (left, order_id) in self._debts[card_id].items()
            if left
        )

    def put_debt(self, card_id: str, debt: Debt) -> None:
        """Remembers a debt, whose card was asked for its debts or has none."""
        self._debts.setdefault(card_id, {})[debt.id] = debt.open, debt.order.order_id

    def lots_of(self, card_id: str, lot_ids: Iterable[int]) -> list[Lot]:
        """The lots of a card with these ids, each once."""
        ids = list(dict.fromkeys(lot_ids))
        self.read_lots(dict.fromkeys(ids, card_id))
        return [self.lots[lot_id] for lot_id in ids if lot_id in self.lots]

    def put_lot(self, card_id: str, lot: Lot) -> None:
        """Remembers a card's lot as it is now."""
        self._put_on(self.shelf(card_id, lot.asset), lot)

    def free_lots(
        self, card_id: str, asset: Asset, *, wanted: int, now: int, with_pending: bool = False
    ) -> list[Lot]:
        """Unexpired lots with free units, first to expire first, until they cover `wanted`."""
        if wanted <= 0:
            return []
        assert self.since <= now <= self.latest
        shelf = self.shelf(card_id, asset)
        self._drop_empty(shelf)
        if with_pending:
            self.expect_pending(card_id, asset)
        while True:
            found, missing = self._pick(shelf, wanted, now, with_pending)
            if missing <= 0 or shelf.is_whole:
                return found
            want = self.lots_wanted(card_id, asset, units=missing)
            [(rows, is_all)] = self.port.free_lots([want])
            self.fill_shelf(card_id, asset, rows, is_all=is_all)

    def has_kin(self, card_id: str) -> bool:
        """Whether the card was ever made one with another; see `ledger/families/`."""
        if card_id not in self._has_kin:
            self.read_kin([card_id])
        return self._has_kin[card_id]

    def read_kin(self, card_ids: Sequence[str]) -> None:
        """Reads which cards were ever made one with others."""
        self._has_kin.update(dict.fromkeys(card_ids, False))
        for row in self.port.rows(loading.KIN, card_ids):
            self._has_kin[row[0]] = True

    def granted(self, funder: str, month: int) -> int:
        """The face of the coins that a funder granted in a period, minor units."""
        if funder not in self._granted:
            rows = self.port.rows(loading.GRANTED, [funder])
            self._granted[funder] = {row[0]: row[2] for row in rows}
        return self._granted[funder].get(month, 0)

    def add_granted(self, funder: str, month: int, amount: int) -> None:
        """Remembers a grant of a funder that was asked for."""
        self._granted[funder][month] = self.granted(funder, month) + amount

    def shelf(self, card_id: str, asset: Asset) -> Shelf:
        """The card's shelf, empty when nothing is known of it."""
        shelf = self._shelves.get((card_id, asset))
        if shelf is None:
            shelf = self._shelves[card_id, asset] = Shelf()
        return shelf

    def expect_pending(self, card_id: str, asset: Asset) -> None:
        """Lets the card's shelf have lots that are not active yet."""
        shelf = self.shelf(card_id, asset)
        if not shelf.has_pending:
            shelf.has_pending = True
            shelf.horizon = _NOWHERE
            shelf.is_whole = False

    def lots_wanted(self, card_id: str, asset: Asset, *, units: int) -> LotsWanted:
        """What to ask the port for, to have that many more units on the card's shelf."""
        shelf = self.shelf(card_id, asset)
        return LotsWanted(
            card_id=card_id,
            asset=asset.value,
            since=self.since,
            latest=None if shelf.has_pending else self.latest,
            counted_until=self.latest,
            behind=shelf.horizon,
            units=units,
        )

    def fill_shelf(self, card_id: str, asset: Asset, rows: Sequence[Row], *, is_all: bool) -> None:
        """Puts what the port found on the card's shelf; what is known here is newer."""
        shelf = self.shelf(card_id, asset)
        for row in rows:
            if row[0] not in self.lots:
                self._put_on(shelf, lot_of(row))
        if rows:
            shelf.horizon = rows[-1][8], rows[-1][0]
        shelf.is_whole = is_all

    def read_accounts(self, names: Sequence[str]) -> None:
        """Reads accounts that are not known yet."""
        self._accounts.update({name: Account() for name in names})
        for name, posted, held in self.port.rows(loading.ACCOUNTS, names):
            self._accounts[name] = Account(posted, held, is_stored=True)

    def read_holds(self, attempt_ids: Sequence[str]) -> None:
        """Reads attempts that are not known yet, and what the open ones hold."""
        self._holds.update(dict.fromkeys(attempt_ids))
        for attempt_id, card_id, state in self.port.rows(loading.HOLDS, attempt_ids):
            self._holds[attempt_id] = HoldRow(attempt_id, card_id, HoldState(state))
        is_open = {
            attempt_id: hold.card_id
            for attempt_id in attempt_ids
            if (hold := self._holds[attempt_id]) is not None and hold.state is HoldState.HELD
        }
        parts: dict[str, list[Part]] = {}
        for row in self.port.rows(loading.HELD, list(is_open)) if is_open else ():
            attempt_id, amount, lot_id = row[:3]
            parts.setdefault(attempt_id, []).append(Part(lot_id, amount))
            if lot_id not in self.lots:
                self.put_lot(is_open[attempt_id], lot_of(row[2:]))
        self._held.update({attempt_id: tuple(some) for attempt_id, some in parts.items()})

    def read_orders(self, order_ids: Sequence[str]) -> None:
        """Reads orders that are not known yet."""
        self._orders.update(dict.fromkeys(order_ids))
        for row in self.port.rows(loading.ORDERS, order_ids):
            self._orders[row[0]] = loading.order_of(row)

    def read_burns(self, order_ids: Sequence[str]) -> None:
        """Reads what orders took that are not known yet."""
        self._burns.update({order_id: {} for order_id in order_ids})
        for row in self.port.rows(loading.BURNS, order_ids):
            self._burns[row[0]][row[1]] = loading.burn_of(row)

    def read_debts(self, card_ids: Sequence[str]) -> None:
        """Reads the open debts of cards that are not known yet, with their orders."""
        self._debts.update({card_id: {} for card_id in card_ids})
        rows = self.port.rows(loading.DEBTS, card_ids)
        unknown = [row[3] for row in rows if row[3] not in self._orders]
        if unknown:
            self.read_orders(list(dict.fromkeys(unknown)))
        for card_id, debt_id, left, order_id in rows:
            self._debts[card_id][debt_id] = left, order_id

    def read_lots(self, card_of: dict[int, str]) -> None:
        """Reads lots, given with their cards, that are not known yet."""
        unknown = [lot_id for lot_id in card_of if lot_id not in self.lots]
        for row in self.port.rows(loading.LOTS, unknown) if unknown else ():
            self.put_lot(card_of[row[0]], lot_of(row))

    def _put_on(self, shelf: Shelf, lot: Lot) -> None:
        self.lots[lot.id] = lot
        if lot.remaining > lot.held and lot.id not in shelf.ids:
            insort(shelf.keys, (lot.expires_at, lot.id))
            shelf.ids.add(lot.id)

    def _known_order(self, order_id: str) -> OrderState:
        order = self.order(order_id)
        assert order is not None, "a debt is of an order"
        return order

    def _pick(
        self, shelf: Shelf, wanted: int, now: int, with_pending: bool
    ) -> tuple[list[Lot], int]:
        """Lots up to `wanted` or up to the horizon, and what is still missing."""
        found: list[Lot] = []
        lots, horizon, is_whole = self.lots, shelf.horizon, shelf.is_whole
        for key in shelf.keys:
            if wanted <= 0 or (not is_whole and key > horizon):
                break
            lot = lots[key[1]]
            free = lot.remaining - lot.held
            if free > 0 and lot.expires_at > now and (with_pending or lot.active_at <= now):
                found.append(lot)
                wanted -= free
        return found, wanted

    def _drop_empty(self, shelf: Shelf) -> None:
        """Forgets the first lots, as far as nothing is left of them."""
        empty = 0
        for _, lot_id in shelf.keys:
            lot = self.lots[lot_id]
            if lot.remaining > lot.held:
                break
            shelf.ids.discard(lot_id)
            empty += 1
        del shelf.keys[:empty]
