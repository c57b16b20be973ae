"""A request about a card that was made one with others.

What is known under a card stays with it: an open hold is decided, and an order refunded, in the
lane and under the card where it lies. What that needs of the survivor is fetched before, and what
it leaves is carried to the survivor behind it, all in one transaction of the database.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from kernel.refusals import Refusal
from ledger.booking.answers import Answer
from ledger.booking.batch import Outcome, Submission, again, decide, keep_answer
from ledger.booking.books import LaneBooks
from ledger.booking.entering import Moment
from ledger.booking.forfeiting import ALL_UNITS
from ledger.contract import (
    ApplyRefund,
    CaptureOrder,
    HoldFunds,
    MergeCards,
    MergeSpent,
    RefundReceipt,
    ReleaseFunds,
    UnmergeCards,
)
from ledger.families.carrying import Load, everything_of
from ledger.families.family_books import FamilyBooks
from ledger.families.merging import carrier_between, keep_parts, merge, unmerge
from ledger.rules.lots import parts_covering
from ledger.rules.refunds import points_to_take_back
from ledger.rules.state import Asset, HoldState, Lot, Part


def answer_family(books: FamilyBooks, submission: Submission) -> Outcome:
    """What the request is answered, now or before in whatever lane; the caller finishes."""
    for each in books.all_books():
        known = again(each, submission)
        if known is not None:
            return known
    request, moment = submission.request, submission.moment
    if isinstance(request, MergeCards | UnmergeCards):
        try:
            receipt = (
                merge(books, request, moment)
                if isinstance(request, MergeCards)
                else unmerge(books, request, moment)
            )
        except MergeSpent as spent:
            return spent
        pen = books.pen(request.survivor_card_id)
        keep_answer(pen, submission, Answer(moment.request_hash, receipt), None)
        return receipt
    return settle(books, submission)


def settle(books: FamilyBooks, submission: Submission) -> Outcome:
    """Decides a new request under the card that it belongs to."""
    request = submission.request
    home = _home_of(books, request)
    survivor = books.family.survivor(home)
    pen, moment = books.pen(home), submission.moment
    if home != survivor:
        load = _missing(pen.books, books.pen(survivor).books, request, home, survivor, submission)
        fetching = carrier_between(books, survivor, home, moment, _at(request), submission.key)
        fetching.carry(load)
    outcome = decide(pen, replace(submission, request=replace(request, card_id=home)))
    if home != survivor:
        carrier = carrier_between(books, home, survivor, moment, _at(request), submission.key)
        left = everything_of(pen.books, home, now=moment.micros)
        made = carrier.carry(left)
        if isinstance(request, ReleaseFunds):
            # It was the merged card's own all the while, so an undoing gives it back.
            keep_parts(books, survivor, books.family.merged[home][1], left, *made)
    return outcome


def preview_refund(books: FamilyBooks, request: ApplyRefund, moment: Moment) -> RefundReceipt:
    """What a refund would be answered now; nothing finishes the books.

    Raises:
        OrderUnknown: the order was not captured yet.
    """
    outcome = settle(books, Submission("refund", "", request, moment, moment.micros))
    if isinstance(outcome, Refusal):
        raise outcome
    assert isinstance(outcome, RefundReceipt)
    return outcome


def _home_of(books: FamilyBooks, request: Any) -> str:
    """The card under which the lane knows what the request is about."""
    family = books.family
    survivor = family.survivor(request.card_id)
    for each in books.all_books():
        if isinstance(request, ApplyRefund):
            order = each.order(request.order_id)
            if order is not None and each.answers.of("order", request.order_id) is not None:
                return order.card_id or survivor
        attempt_id = getattr(request, "attempt_id", None)
        hold = None if attempt_id is None else each.hold(attempt_id)
        if hold is not None and family.survivor(hold.card_id) == survivor:
            return hold.card_id
    return _home_without_effect(books, request) or survivor


def _home_without_effect(books: FamilyBooks, request: Any) -> str | None:
    """A card in whose lane an order was captured that had no effect."""
    if isinstance(request, ApplyRefund):
        for card_id in books.family.cards:
            if books.pen(card_id).books.answers.of("order", request.order_id) is not None:
                return card_id
    return None


def _missing(
    books: LaneBooks,
    survivors: LaneBooks,
    request: Any,
    home: str,
    survivor: str,
    submission: Submission,
) -> Load:
    """What the request needs of the survivor, beside what the merged card holds."""
    now = submission.moment.micros
    wanted: dict[Asset, int] = {}
    order_id: str | None = None
    if isinstance(request, CaptureOrder):
        wanted = {Asset.POINTS: request.points_spent, Asset.COINS: request.coins_spent_minor}
        for asset, amount in _held(books, request.attempt_id):
            wanted[asset] -= amount
    elif isinstance(request, ApplyRefund):
        order = books.order(request.order_id)
        if order is not None:
            order_id = order.order_id
            wanted = {Asset.POINTS: points_to_take_back(order, request.points_kept)}
    lots: list[Lot] = []
    parts: list[Part] = []
    for asset, units in wanted.items():
        if units <= 0:
            continue
        free = survivors.free_lots(
            survivor, asset, wanted=ALL_UNITS, now=now, with_pending=order_id is not None
        )
        # A refund takes the order's own points first.
        free.sort(key=lambda lot: lot.order_id != order_id)
        lots += free
        parts += parts_covering(units, free)
    return Load(lots, parts)


def _held(books: LaneBooks, attempt_id: str | None) -> list[tuple[Asset, int]]:
    if attempt_id is None:
        return []
    hold = books.hold(attempt_id)
    if hold is None or hold.state is not HoldState.HELD:
        return []
    parts, lots = books.held(attempt_id)
    return [(lot.asset, part.amount) for part, lot in zip(parts, lots, strict=True)]


def _at(request: Any) -> datetime:
    at: datetime = request.now if isinstance(request, HoldFunds | ReleaseFunds) else request.at
    return at
