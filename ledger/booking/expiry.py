"""The sweep: takes expired points and coins from their cards, a few lots a transaction.

What is due is decided by the books alone, inside the writer: a sweep that was cut off is finished
by the next one, and two sweeps at once share the work.

Source: docs/rules/points.md, rule 10.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby

from sqlalchemy import Connection

from kernel.clock import from_micros
from kernel.database import Database, Isolation
from ledger.booking.batch import open_books
from ledger.booking.entering import Moment, event_at, state_of
from ledger.booking.needs import Needs, foresee
from ledger.booking.posting import Pen
from ledger.rules.draft import Draft
from ledger.rules.state import Lot, Part, TxKind
from ledger.stores.lanes import read_lanes
from ledger.stores.loading import lot_of
from ledger.stores.ports import port_on

LOTS_PER_CHUNK = 64
"""Some 20 ms of the writer, so that no request waits long behind a chunk."""


async def sweep(database: Database, moment: Moment, *, until: int) -> int:
    """Expires every lot that is due, chunk by chunk; how many lots.

    Args:
        until: last instant of expiry to sweep, in microseconds; not after `moment`.

    Raises:
        DatabaseUnavailable: the chunks before stay done.
        Overloaded: likewise.
    """
    swept = 0
    for lane in range(await read_lanes(database)):
        is_due = partial(is_any_due, until=until, lane=lane)
        chunk = partial(sweep_chunk, moment=moment, until=until, lane=lane)
        while await database.snapshot(is_due):
            swept += await database.transaction(
                chunk, isolation=Isolation.READ_COMMITTED, is_idempotent=True
            )
    return swept


def is_any_due(connection: Connection, *, until: int, lane: int = 0) -> bool:
    """Whether a sweep of the lane would find something."""
    return bool(port_on(connection, lane).due_lots(until=until, limit=1))


def sweep_chunk(
    connection: Connection,
    moment: Moment,
    *,
    until: int,
    lane: int = 0,
    limit: int = LOTS_PER_CHUNK,
) -> int:
    """Expires the lots of a lane that are due longest; how many. The caller owns the transaction.

    Each card's lots of one instant are one transaction of the books, in force since that instant.
    """
    assert until <= moment.micros
    port = port_on(connection, lane)
    books = open_books(port, since=moment.micros, latest=moment.micros)
    due = [(row[0], lot_of(row[1:])) for row in port.due_lots(until=until, limit=limit)]
    foresee(books, Needs(cards=dict.fromkeys(card_id for card_id, _ in due)))
    pen = Pen(books)
    for (card_id, expires_at), rows in groupby(due, lambda row: (row[0], row[1].expires_at)):
        lots = [lot for _, lot in rows]
        for lot in lots:
            books.put_lot(card_id, lot)
        _expire(pen, moment, card_id, expires_at, lots)
    pen.finish()
    return len(due)


def _expire(pen: Pen, moment: Moment, card_id: str, expires_at: int, lots: list[Lot]) -> None:
    draft = Draft(state_of(pen.books, expires_at, lots=lots), moment.micros)
    draft.expire(Part(lot.id, lot.free) for lot in lots)
    at = from_micros(expires_at)
    pen.enter(event_at(pen.books, TxKind.EXPIRY, moment, at=at, card_id=card_id), draft)
