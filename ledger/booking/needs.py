"""What a batch will ask the books for, read in sets before it is decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.booking.books import LaneBooks
from ledger.contract import ApplyRefund, CaptureOrder, GrantCoins, HoldFunds, ReleaseFunds
from ledger.rules.refunds import points_to_take_back
from ledger.rules.state import COINS, POINTS, Asset
from ledger.stores.loading import ACCOUNTS, ANSWERED, KIN, ORDERS, RULES
from ledger.stores.port import Query

ISSUED_ACCOUNTS = ("points:issued", "coins:issued")


@dataclass(slots=True)
class Needs:
    """What the requests of a batch name.

    Attributes:
        keys: by operation.
        units: points and coins that each card is to spend beside what it holds.
    """

    keys: dict[str, dict[str, None]] = field(default_factory=dict)
    cards: dict[str, None] = field(default_factory=dict)
    attempts: dict[str, None] = field(default_factory=dict)
    units: dict[tuple[str, Asset], int] = field(default_factory=dict)
    refunds: list[ApplyRefund] = field(default_factory=list)

    @classmethod
    def of(cls, requests: Iterable[tuple[str, str, Any]]) -> Needs:
        """The needs of (operation, key, request) triples."""
        needs = cls()
        for operation, key, request in requests:
            needs.keys.setdefault(operation, {})[key] = None
            if request.card_id is not None:
                needs.cards[request.card_id] = None
            match request:
                case HoldFunds():
                    needs.attempts[request.attempt_id] = None
                    needs._spend(request.card_id, request.points, request.coins_minor)
                case CaptureOrder(card_id=str(card_id), attempt_id=None):
                    needs._spend(card_id, request.points_spent, request.coins_spent_minor)
                case CaptureOrder(card_id=str(), attempt_id=str(attempt_id)):
                    needs.attempts[attempt_id] = None
                case ReleaseFunds():
                    needs.attempts[request.attempt_id] = None
                case ApplyRefund():
                    needs.refunds.append(request)
                case CaptureOrder() | GrantCoins():
                    pass
        return needs

    def _spend(self, card_id: str, points: int, coins: int) -> None:
        for asset, units in ((POINTS, points), (COINS, coins)):
            if units > 0:
                self.units[card_id, asset] = self.units.get((card_id, asset), 0) + units


def foresee(books: LaneBooks, needs: Needs) -> None:
    """Reads what is needed, a set at a time."""
    cards = list(needs.cards)
    names = [f"{kind}:{card}" for card in cards for kind in ("points", "coins", "debt")]
    names += ISSUED_ACCOUNTS
    books.port.foresee(_first_reads(needs, cards, names))
    for operation, keys in needs.keys.items():
        books.answers.read(operation, list(keys))
    if cards:
        books.read_kin(cards)
        books.read_accounts(names)
        owing = [card for card in needs.cards if books.account(f"debt:{card}").posted]
        if owing:
            books.read_debts(owing)
    if needs.attempts:
        books.read_holds(list(needs.attempts))
    if needs.refunds:
        _foresee_refunds(books, needs)
    wanted = [
        books.lots_wanted(card_id, asset, units=units)
        for (card_id, asset), units in needs.units.items()
    ]
    if wanted:
        found = books.port.free_lots(wanted)
        for (card_id, asset), (rows, is_all) in zip(needs.units, found, strict=True):
            books.fill_shelf(card_id, asset, rows, is_all=is_all)


def _first_reads(
    needs: Needs, cards: Sequence[str], names: Sequence[str]
) -> list[tuple[Query, Sequence[str]]]:
    """What nearly every batch reads, with its keys, as it is read afterwards."""
    reads: list[tuple[Query, Sequence[str]]] = [
        (ANSWERED[operation], list(keys)) for operation, keys in sorted(needs.keys.items())
    ]
    if cards:
        reads += [(KIN, cards), (ACCOUNTS, names)]
    if needs.refunds or "order" in needs.keys:
        reads.append((RULES, ()))
    if needs.refunds:
        reads.append((ORDERS, list(dict.fromkeys(each.order_id for each in needs.refunds))))
    return reads


def _foresee_refunds(books: LaneBooks, needs: Needs) -> None:
    books.read_orders(list(dict.fromkeys(each.order_id for each in needs.refunds)))
    returning = [
        each.order_id
        for each in needs.refunds
        if each.points_returned > 0 or each.coins_returned_minor > 0
    ]
    if returning:
        books.read_burns(list(dict.fromkeys(returning)))
    card_of: dict[int, str] = {}
    for refund in needs.refunds:
        order = books.order(refund.order_id)
        if order is None or order.card_id is None:
            continue
        if refund.order_id in returning:
            burns = books.burns(refund.order_id).values()
            card_of |= {burn.lot_id: order.card_id for burn in burns}
        wanted = points_to_take_back(order, refund.points_kept)
        if wanted:
            key = order.card_id, POINTS
            needs.units[key] = needs.units.get(key, 0) + wanted
            books.expect_pending(*key)
            if order.lot_id is not None:
                card_of[order.lot_id] = order.card_id
    if card_of:
        books.read_lots(card_of)
