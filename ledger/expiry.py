"""The sweep: takes expired points and coins from their cards, a few lots a transaction.

What is due is decided by the books alone, inside the writer: a sweep that was cut off is finished
by the next one, and two sweeps at once share the work.

Source: docs/rules/points.md, rule 10.
"""

from __future__ import annotations

from itertools import groupby

from sqlalchemy import Connection

from kernel.clock import from_micros
from kernel.database import Database
from ledger import loading, posting
from ledger.book import Draft
from ledger.entering import Moment, enter, event_at, state_of
from ledger.sqlite import Lane
from ledger.state import Lot, Part, TxKind

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
    while await database.snapshot(lambda connection: is_any_due(connection, until=until)):
        swept += await database.transaction(
            lambda connection: sweep_chunk(connection, moment, until=until)
        )
    return swept


def is_any_due(connection: Connection, *, until: int) -> bool:
    """Whether a sweep would find something."""
    return bool(loading.read_due_lots(Lane(connection), until=until, limit=1))


def sweep_chunk(
    connection: Connection, moment: Moment, *, until: int, limit: int = LOTS_PER_CHUNK
) -> int:
    """Expires the lots that are due longest; how many. The caller owns the transaction.

    Each card's lots of one instant are one transaction of the books, in force since that instant.
    """
    assert until <= moment.micros
    lane = Lane(connection)
    due = loading.read_due_lots(lane, until=until, limit=limit)
    for (card_id, expires_at), rows in groupby(due, lambda row: (row[0], row[1].expires_at)):
        _expire(lane, moment, card_id, expires_at, [lot for _, lot in rows])
    return len(due)


def _expire(lane: Lane, moment: Moment, card_id: str, expires_at: int, lots: list[Lot]) -> None:
    heads = loading.read_heads(lane, at=expires_at)
    accounts = loading.read_accounts(lane, posting.card_accounts(card_id))
    draft = Draft.of(state_of(heads, lots=lots), moment.micros)
    draft.expire(Part(lot.id, lot.free) for lot in lots)
    at = from_micros(expires_at)
    event = event_at(heads, TxKind.EXPIRY, moment, at=at, card_id=card_id)
    enter(lane, event, draft, accounts)
