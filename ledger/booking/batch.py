"""Decides a batch of requests on one lane, in the order of their arrival.

A batch is a few set reads, the rules, and a few writes of many rows: one unit of work that its
caller commits. A request sees what the ones before it did.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from sqlalchemy.exc import InterfaceError, OperationalError

from kernel.database import DatabaseUnavailable
from kernel.refusals import Refusal
from kernel.values import value
from ledger.booking import events, forfeiting, refund_events
from ledger.booking.answers import Answer, Answers, Receipt, request_row
from ledger.booking.books import LaneBooks
from ledger.booking.entering import Moment
from ledger.booking.needs import Needs, foresee
from ledger.booking.posting import Pen
from ledger.contract import AttemptReleased, FundsHeld, KeyReused, Unbookable
from ledger.rules.state import HoldState
from ledger.stores.loading import Head
from ledger.stores.port import Port

logger = logging.getLogger(__name__)


class OfFamily(Exception):
    """The card was made one with others, so the request is decided over the lanes of all."""


Outcome: TypeAlias = Receipt | Refusal | KeyReused | Unbookable | DatabaseUnavailable | OfFamily


@value
class Submission:
    """A request on its way.

    Attributes:
        operation: what it asks for; names, with `key`, what it settles.
        request: as `ledger.contract` has it.
        now: instant in microseconds at which lots are looked for.
    """

    operation: str
    key: str
    request: Any
    moment: Moment
    now: int


_DECIDE: dict[str, Callable[[Pen, Any, Moment], tuple[Receipt, int | None]]] = {
    "hold": events.hold,
    "release": events.release,
    "order": events.capture,
    "refund": refund_events.refund,
    "grant": events.grant,
    "forfeit": forfeiting.forfeit,
}


def open_books(port: Port, *, since: int, latest: int) -> LaneBooks:
    """The lane's books, locked as far as the port can."""
    row = port.lock()
    assert row is not None, "the ledger has this lane"
    return LaneBooks(port, Head(*row), since=since, latest=latest)


def look_at_books(port: Port, *, now: int) -> LaneBooks:
    """The lane's books as they are, to write nothing."""
    row = port.head()
    assert row is not None, "the ledger has this lane"
    return LaneBooks(port, Head(*row), since=now, latest=now)


def run_batch(port: Port, batch: Sequence[Submission]) -> list[Outcome]:
    """What each request is answered; the caller owns the transaction.

    An exception means that nothing of the batch may be kept.
    """
    nows = [each.now for each in batch]
    books = open_books(port, since=min(nows), latest=max(nows))
    foresee(books, Needs.of((each.operation, each.key, each.request) for each in batch))
    pen = Pen(books)
    outcomes = [_answer(pen, each) for each in batch]
    pen.finish()
    return outcomes


def run_one_by_one(port: Port, batch: Sequence[Submission]) -> list[Outcome]:
    """The same, each request apart from the others, so that a failed one costs only itself.

    Raises:
        OperationalError: the database failed; nothing of the batch may be kept.
    """
    outcomes: list[Outcome] = []
    for each in batch:
        try:
            with port.apart():
                outcomes += run_batch(port, [each])
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.exception("%s %s can not be booked", each.operation, each.key)
            unbookable = Unbookable(f"{each.operation} {each.key}")
            unbookable.__cause__ = error
            outcomes.append(unbookable)
    return outcomes


def read_outcomes(port: Port, batch: Sequence[Submission]) -> list[Outcome]:
    """What the books say was answered, of a batch that may have been kept or not.

    The server may still be at work on the commit that was cut off; its lock is waited for.
    """
    port.lock()
    answers = Answers(port)
    outcomes: list[Outcome] = []
    for each in batch:
        answer = answers.of(each.operation, each.key)
        if answer is None:
            outcomes.append(DatabaseUnavailable("the database failed, nothing was kept"))
        else:
            outcomes.append(answer.again(each.operation, each.key, each.moment.request_hash))
    return outcomes


def _answer(pen: Pen, submission: Submission) -> Outcome:
    card_id = submission.request.card_id
    if card_id is not None and pen.books.has_kin(card_id):
        return OfFamily()
    return again(pen.books, submission) or decide(pen, submission)


def again(books: LaneBooks, submission: Submission) -> Outcome | None:
    """What the request was answered in this lane before; None when it is new here."""
    operation, key = submission.operation, submission.key
    known = books.answers.of(operation, key)
    if known is None:
        return None
    outcome = known.again(operation, key, submission.moment.request_hash)
    if isinstance(outcome, FundsHeld) and _was_released(books, key):
        return AttemptReleased()
    return outcome


def decide(pen: Pen, submission: Submission) -> Receipt | Refusal:
    """Decides a new request, and keeps the answer unless it may be asked again."""
    operation, moment = submission.operation, submission.moment
    seq: int | None = None
    try:
        receipt, seq = _DECIDE[operation](pen, submission.request, moment)
        answer = Answer(moment.request_hash, receipt)
    except Refusal as refusal:  # A rule refuses before anything is noted.
        if refusal.retryable:
            return refusal
        answer = Answer(moment.request_hash, refusal)
    keep_answer(pen, submission, answer, seq)
    return answer.outcome


def keep_answer(pen: Pen, submission: Submission, answer: Answer, seq: int | None) -> None:
    """Notes what a request was answered."""
    operation, key, now = submission.operation, submission.key, submission.moment.micros
    pen.books.answers.put(operation, key, answer)
    pen.sheets.requests.append(request_row(operation, key, answer, seq, now))


def _was_released(books: LaneBooks, attempt_id: str) -> bool:
    attempt = books.hold(attempt_id)
    return attempt is not None and attempt.state is HoldState.RELEASED
