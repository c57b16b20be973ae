"""Enters a draft into the books of its lane, and notes the rows that the batch will write."""

from __future__ import annotations

from typing import Final

from kernel.values import value
from ledger.booking.books import LaneBooks
from ledger.booking.writes import Sheets
from ledger.rules.draft import Draft
from ledger.rules.lots import residual_funding
from ledger.rules.state import (
    COINS,
    POINTS,
    Burn,
    Debt,
    Lot,
    OrderState,
    Part,
    SettlementKind,
    TxKind,
)
from ledger.stores import chain
from ledger.stores.loading import Head, HoldRow
from ledger.stores.port import Row

ISSUED = {POINTS: "points:issued", COINS: "coins:issued"}
"""The accounts that units come from and go to."""

_CARD = {POINTS: "points:", COINS: "coins:"}
_COINS_ISSUE: Final = SettlementKind.COINS_ISSUE


@value
class Event:
    """Where and when a draft takes effect; instants in microseconds.

    Attributes:
        month: the clearing period that it is posted in.
        origin_month: the closed period that it belongs to; None when that is `month`.
        request_hash: of the request that it answers; empty when none is behind it.
        reason: why, in somebody's words.
    """

    kind: TxKind
    card_id: str | None
    merchant_id: str | None
    order_no: str | None
    at: int
    created_at: int
    month: int
    origin_month: int | None
    request_hash: str
    reason: str | None = None


class Pen:
    """Writes into one lane's books, and onto the sheets of its batch."""

    def __init__(self, books: LaneBooks) -> None:
        self.books = books
        self.sheets = Sheets()
        self._leaves: list[bytes] = []
        self._head_before = _head_row(books.head)

    def enter(self, event: Event, draft: Draft) -> int | None:
        """Enters a draft; the number of its transaction, None when it books nothing."""
        if event.card_id is not None:
            self._put_lots(event.card_id, draft)
        if draft.is_empty:
            self._hold_only(event.card_id, draft)
            return None
        self.put_orders(event.card_id, draft)
        head = self.books.head
        seq = head.next_seq
        head.next_seq += 1
        head.last_created_at = event.created_at
        tx = (
            seq, event.kind._value_, event.card_id, event.merchant_id, event.order_no,
            event.at, event.created_at, event.month, event.origin_month, event.reason,
        )  # fmt: skip
        if event.card_id is not None:
            self._card_lines(seq, event, event.card_id, draft)
        entries = self._unit_entries(seq, event, draft)
        self._settlement_entries(entries, seq, event.month, draft)
        moves = [
            (seq, leg, move.lot_id, move.amount, move.funding_minor, event.month)
            for leg, move in enumerate(draft.moves)
        ]
        sheets = self.sheets
        sheets.txs.append(tx)
        sheets.entries += entries
        sheets.moves += moves
        self._leaves.append(chain.leaf(event.request_hash, tx, entries, moves))
        return seq

    def hold_parts(self, card_id: str, draft: Draft) -> None:
        """Notes parts of lots that were set aside."""
        self._put_lots(card_id, draft)
        self._hold_only(card_id, draft)

    def put_hold(
        self,
        hold: HoldRow,
        *,
        parts: tuple[Part, ...] = (),
        points: int = 0,
        coins: int = 0,
        decided_at: int | None = None,
    ) -> None:
        """Notes an attempt and what it picked, or decides it."""
        key = hold.attempt_id
        before = self.books.hold(key)
        sheets = self.sheets
        if before is None:
            row = (key, hold.card_id, hold.state._value_, points, coins, decided_at)
            sheets.new_holds[key] = row
            sheets.hold_lots += [
                (key, pick, part.lot_id, part.amount) for pick, part in enumerate(parts)
            ]
            self.books.put_hold(hold, parts)
            return
        made = sheets.new_holds.get(key)
        if made is not None:
            sheets.new_holds[key] = (*made[:2], hold.state._value_, *made[3:5], decided_at)
        else:
            sheets.holds[key] = (hold.state._value_, decided_at, key)
        self.books.put_hold(hold)

    def finish(self) -> None:
        """Seals what was entered with a block, and writes it all."""
        head, sheets = self.books.head, self.sheets
        if self._leaves:
            head.hash = chain.block_hash(head.hash or chain.GENESIS, self._leaves)
            sheets.blocks.append((head.next_seq - 1, head.hash))
        row = _head_row(head)
        if row != self._head_before:
            sheets.heads.append(row)
        sheets.write(self.books.port)

    def _put_lots(self, card_id: str, draft: Draft) -> None:
        books, sheets = self.books, self.sheets
        for lot_id in draft.touched:
            lot = draft.lots[lot_id]
            if lot_id in draft.made or lot_id in sheets.new_lots:
                sheets.new_lots[lot_id] = _lot_row(card_id, lot)
            else:
                sheets.lots[lot_id] = (residual_funding(lot), lot.remaining, lot.held, lot_id)
            books.put_lot(card_id, lot)
        books.head.next_lot_id += len(draft.made)

    def put_orders(self, card_id: str | None, draft: Draft) -> None:
        """Notes the orders that changed, what they burned, and the debts they made."""
        books, sheets = self.books, self.sheets
        for order in draft.orders.values():
            if books.put_order(order) or order.order_id in sheets.new_orders:
                sheets.new_orders[order.order_id] = _order_row(order)
            else:
                sheets.orders[order.order_id] = _order_change(order)
        for burn in draft.burns:
            self._put_burn(burn)
        if card_id is not None:
            for debt in draft.debts.values():
                self._put_debt(card_id, debt)

    def _put_burn(self, burn: Burn) -> None:
        key = burn.order_id, burn.seq
        burns = self.books.burns(burn.order_id)
        if burn.seq not in burns or key in self.sheets.new_burns:
            self.sheets.new_burns[key] = (
                *key, burn.lot_id, burn.asset._value_, burn.amount, burn.funding_minor,
                burn.returned,
            )  # fmt: skip
        else:
            self.sheets.burns[key] = (burn.returned, *key)
        burns[burn.seq] = burn

    def _put_debt(self, card_id: str, debt: Debt) -> None:
        head, sheets = self.books.head, self.sheets
        if debt.id == head.next_debt_id:
            head.next_debt_id += 1
            sheets.new_debts[debt.id] = (
                debt.id, card_id, debt.order.order_id, debt.open, debt.open,
            )  # fmt: skip
        elif debt.id in sheets.new_debts:
            sheets.new_debts[debt.id] = (*sheets.new_debts[debt.id][:4], debt.open)
        else:
            sheets.debts[debt.id] = debt.open, debt.id
        self.books.put_debt(card_id, debt)

    def _hold_only(self, card_id: str | None, draft: Draft) -> None:
        for asset, held in draft.held_delta.items():
            assert card_id is not None
            self._move(f"{_CARD[asset]}{card_id}", asset._value_, 0, held, 1)

    def _unit_entries(self, seq: int, event: Event, draft: Draft) -> list[Row]:
        """Legs in points and coins; what they move goes onto the accounts."""
        entries: list[Row] = []
        month, held = event.month, dict(draft.held_delta)
        for change in draft.changes:
            asset, kind = change.asset._value_, change.kind._value_
            units, owed = change.units, change.owed
            legs = [
                (f"{_CARD[change.asset]}{event.card_id}", units, 1),
                (ISSUED[change.asset], -(units + owed), 0),
            ]
            if owed:
                legs.insert(1, (f"debt:{event.card_id}", owed, 0))
            for name, amount, has_floor in legs:
                if amount:
                    leg = len(entries)
                    entries.append((seq, leg, name, asset, kind, amount, 0, month, None, None))
                    freed = held.pop(change.asset, 0) if held and has_floor else 0
                    self._move(name, asset, amount, freed, has_floor)
        for asset_left, left in held.items():
            card = f"{_CARD[asset_left]}{event.card_id}"
            self._move(card, asset_left._value_, 0, left, 1)
        return entries

    def _move(self, name: str, asset: str, amount: int, held: int, has_floor: int) -> None:
        account = self.books.account(name)
        account.posted += amount
        account.held += held
        if account.is_stored:
            self.sheets.accounts[name] = (account.posted, account.held, name)
        else:
            row = (name, asset, account.posted, account.held, has_floor)
            self.sheets.new_accounts[name] = row

    def _settlement_entries(self, entries: list[Row], seq: int, month: int, draft: Draft) -> None:
        """Adds the legs in money; what they move goes onto the positions."""
        positions = self.sheets.positions
        for place, (leg, rule_version, order_no) in enumerate(draft.legs, start=len(entries)):
            party, kind, amount, points = leg.party, leg.kind, leg.amount_minor, leg.points
            name = kind._value_
            entries.append(
                (
                    seq, place, party, "SETTLEMENT", name, amount, points, month, rule_version,
                    order_no,
                )
            )  # fmt: skip
            position = month, party, name
            sums = positions.get(position)
            if sums is None:
                positions[position] = [amount, points, 1]
            else:
                sums[0] += amount
                sums[1] += points
                sums[2] += 1
            if kind is _COINS_ISSUE and amount < 0:
                self.books.add_granted(party, month, -amount)

    def _card_lines(self, seq: int, event: Event, card_id: str, draft: Draft) -> None:
        account = self.books.account
        points = account(f"points:{card_id}").posted + account(f"debt:{card_id}").posted
        coins = account(f"coins:{card_id}").posted
        for leg, change in enumerate(draft.changes):
            if change.asset is COINS:
                moved_points, moved_coins = 0, change.units
            else:
                moved_points, moved_coins = change.units + change.owed, 0
            points += moved_points
            coins += moved_coins
            self.sheets.card_entries.append(
                (
                    card_id, seq, leg, change.kind._value_, event.at, moved_points, moved_coins,
                    event.merchant_id, event.order_no, points, coins,
                )
            )  # fmt: skip


def _head_row(head: Head) -> Row:
    return (
        head.next_seq, head.next_lot_id, head.next_debt_id, head.last_created_at,
        head.closed_month, head.hash,
    )  # fmt: skip


def _lot_row(card_id: str, lot: Lot) -> Row:
    return (
        lot.id, card_id, lot.asset._value_, lot.issuer_id, lot.funding_minor, residual_funding(lot),
        lot.original, lot.remaining, lot.held, lot.active_at, lot.expires_at, lot.order_id,
    )  # fmt: skip


def _order_row(order: OrderState) -> Row:
    points, coins = order.points, order.coins
    return (
        order.order_id, order.order_no, order.merchant_id, order.card_id, order.rule_version,
        points.asked, points.burned, points.gross_minor, points.fee_minor, points.returned,
        points.restored, coins.asked, coins.burned, coins.gross_minor, coins.fee_minor,
        coins.returned, coins.restored, order.earned, order.issue_fee_minor, order.lot_id,
        order.reversed, order.recovered, order.coupon_minor, order.coupon_returned_minor,
    )  # fmt: skip


def _order_change(order: OrderState) -> Row:
    return (
        order.points.returned, order.points.restored, order.coins.returned, order.coins.restored,
        order.reversed, order.recovered, order.coupon_returned_minor, order.order_id,
    )  # fmt: skip
