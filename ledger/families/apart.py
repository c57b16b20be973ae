"""Writes that are decided apart from the batches of lanes: those of a family of cards.

The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from kernel.database import DatabaseUnavailable
from kernel.statements import Prepared
from ledger.booking.batch import OfFamily, Outcome, Submission, again, run_batch
from ledger.booking.entering import Moment, hash_of
from ledger.contract import CoinsReceipt, GrantCoins, GrantOverBudget
from ledger.families.family_books import FamilyBooks, read_family
from ledger.families.late import answer_family
from ledger.stores.lanes import lane_of, lanes_of
from ledger.stores.ports import port_on
from ledger.tables import ledger_info

# SQLite, which writes one transaction at a time, has no such locks and needs none.
_TURN = Prepared(
    select(ledger_info.c.lanes).where(ledger_info.c.lane == 0).with_for_update(key_share=True)
)


def decide_apart(
    connection: Connection, submission: Submission, cards: Sequence[str], *, lanes: int
) -> Outcome:
    """Decides a request over the lanes of a family of cards, which one card may be."""
    if submission.operation == "grant":
        take_turn_to_grant(connection)
    books = _books_apart(connection, submission, cards, lanes)
    outcome = answer_family(books, submission)
    books.finish()
    return outcome


def look_up_apart(
    connection: Connection, submission: Submission, cards: Sequence[str], *, lanes: int
) -> Outcome:
    """What the books say was answered, of a request that may have been kept or not."""
    for books in _books_apart(connection, submission, cards, lanes).all_books():
        known = again(books, submission)
        if known is not None:
            return known
    return DatabaseUnavailable("the database failed, nothing was kept")


def _books_apart(
    connection: Connection, submission: Submission, cards: Sequence[str], lanes: int
) -> FamilyBooks:
    instants = (submission.now, submission.moment.micros)
    return FamilyBooks(connection, cards, lanes=lanes, since=min(instants), latest=max(instants))


def take_turn_to_grant(connection: Connection) -> None:
    """Returns when no other grant is under way; the next one waits for this transaction's end.

    A funder's budget is one for all lanes. The turn is locked before any lane is.

    Source: docs/rules/settlement.md, rule 12.
    """
    connection.execute(_TURN).one()


def grant_once(
    connection: Connection, request: GrantCoins, moment: Moment
) -> CoinsReceipt | GrantOverBudget:
    """Gives coins to a card, once for its key; the caller has its turn to grant."""
    lanes, cards = lanes_of(connection), [request.card_id]
    at = Moment(moment.now, moment.settings, hash_of(request))
    submission = Submission("grant", request.grant_key, request, at, at.micros)
    # A family's lanes are locked in their order, so none is locked before it is known to be one.
    # A merge that commits between is found under the lock; two that wait for each other then run
    # again, and find it here.
    outcome: Outcome = OfFamily()
    if len(read_family(port_on(connection, 0), cards).cards) == 1:
        lane = lane_of(request.card_id, lanes)
        [outcome] = run_batch(port_on(connection, lane), [submission])
    if isinstance(outcome, OfFamily):
        outcome = decide_apart(connection, submission, cards, lanes=lanes)
    if not isinstance(outcome, CoinsReceipt | GrantOverBudget):
        assert isinstance(outcome, BaseException)
        raise outcome
    return outcome
