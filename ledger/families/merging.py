"""Two cards become one, and two again; and what comes late about a card that was merged.

See docs/rules/merging.md, rules 3, 4 and 11, and docs/decisions/merging.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ledger.booking.books import LaneBooks
from ledger.booking.entering import Moment
from ledger.booking.forfeiting import ALL_UNITS
from ledger.contract import CardsMerged, CardsUnmerged, MergeCards, MergeSpent, UnmergeCards
from ledger.families.carrying import Carrier, Load, everything_of
from ledger.families.family_books import FamilyBooks
from ledger.rules.lots import is_expired
from ledger.rules.state import Asset, Debt, Lot, Part
from ledger.stores import loading
from ledger.stores.loading import lot_of
from ledger.stores.port import Row


def merge(books: FamilyBooks, request: MergeCards, moment: Moment) -> CardsMerged:
    """Moves what is free, and the debts; see `Ledger.merge_cards`.

    What open checkouts hold of the merged card stays there until they are decided.
    """
    giver, taker = request.merged_card_id, books.family.survivor(request.survivor_card_id)
    carrier = carrier_between(books, giver, taker, moment, request.at, request.merge_id)
    load = everything_of(carrier.source.books, giver, now=moment.micros)
    keep_parts(books, taker, request.merge_id, load, *carrier.carry(load))
    books.put_alias(merged=giver, survivor=request.survivor_card_id, merge_id=request.merge_id)
    after = carrier.target.books
    free = after.free_lots(taker, Asset.POINTS, wanted=ALL_UNITS, now=moment.micros)
    return CardsMerged(
        merge_id=request.merge_id,
        points_after=sum(lot.free for lot in free),
        debt_after=sum(debt.open for debt in after.debts(taker)),
    )


def unmerge(books: FamilyBooks, request: UnmergeCards, moment: Moment) -> CardsUnmerged:
    """Moves back what `merge` moved; see `Ledger.unmerge_cards`."""
    giver, taker = books.family.survivor(request.survivor_card_id), request.merged_card_id
    carrier = carrier_between(books, giver, taker, moment, request.at, request.merge_id)
    source = carrier.source.books
    parts = source.port.rows(loading.PARTS, [request.merge_id])
    carrier.carry(
        Load(
            lots := _unspent_lots(source, giver, parts, now=moment.micros),
            [Part(lot.id, lot.free) for lot in lots],
            _unpaid_debts(source, giver, parts),
        )
    )
    books.undo_alias(merged=taker, survivor=request.survivor_card_id, merge_id=request.merge_id)
    return CardsUnmerged(request.merge_id)


def carrier_between(
    books: FamilyBooks, giver: str, taker: str, moment: Moment, at: datetime, reason: str
) -> Carrier:
    """What carries from one card of the family to another."""
    return Carrier(books.pen(giver), giver, books.pen(taker), taker, moment, at, reason)


def keep_parts(
    books: FamilyBooks,
    taker: str,
    merge_id: str,
    load: Load,
    lots: Sequence[Lot],
    debts: Sequence[Debt],
) -> None:
    """Remembers what arrived, as it was, so that it can go back while nobody has touched it."""
    for lot, part in zip(lots, load.parts, strict=True):
        books.put_part(taker, merge_id, "LOT", lot.id, part.amount)
    for debt, before in zip(debts, load.debts, strict=True):
        books.put_part(taker, merge_id, "DEBT", debt.id, before.open)


def _unspent_lots(books: LaneBooks, card_id: str, parts: Sequence[Row], *, now: int) -> list[Lot]:
    """The lots that a merge made, all of which are as they were.

    Raises:
        MergeSpent: some of one was spent, taken back or expired, swept or not, or is held.
    """
    amounts = {ref: amount for _, kind, ref, amount in parts if kind == "LOT"}
    lots: list[Lot] = []
    for row in books.port.rows(loading.OWNED_LOTS, list(amounts)) if amounts else ():
        lot = lot_of(row[1:])
        is_used = bool(lot.held) or lot.remaining != amounts[lot.id]
        if row[0] != card_id or is_used or is_expired(lot, now):
            raise MergeSpent
        books.put_lot(card_id, lot)
        lots.append(lot)
    return sorted(lots, key=lambda lot: lot.id)


def _unpaid_debts(books: LaneBooks, card_id: str, parts: Sequence[Row]) -> list[Debt]:
    """The debts that a merge moved, all of which are as they were.

    Raises:
        MergeSpent: some of one was repaid.
    """
    amounts = {ref: amount for _, kind, ref, amount in parts if kind == "DEBT"}
    if not amounts:
        return []
    found = [debt for debt in books.debts(card_id) if debt.id in amounts]
    if any(debt.open != amounts[debt.id] for debt in found) or len(found) != len(amounts):
        raise MergeSpent
    return found
