"""Statements on events that could not be booked. The caller owns the transaction.

Source: docs/rules/checkout.md, rules 16 and 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from gateway.checkout.tables import STUCK_EVENT
from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from merchants.port import Event

TRIES_MAX = 20
"""How often an event is tried, one sweep after the other, until it is parked."""

ERROR_MAX = 200

_COLUMNS = STUCK_EVENT.c
_NOTE = Prepared(
    "INSERT INTO stuck_event"
    " (event_id, backend, cursor, stream, merchant_id, kind, order_no, tries, error, parked_at)"
    " VALUES (:event_id, :backend, :cursor, :stream, :merchant_id, :kind, :order_no, :tries,"
    " :error, :parked_at)"
    " ON CONFLICT (event_id) DO UPDATE SET tries = stuck_event.tries + excluded.tries,"
    " error = excluded.error, parked_at = excluded.parked_at"
)
_TRIES = Prepared(select(_COLUMNS.tries).where(_COLUMNS.event_id == bindparam("id_of_event")))
_BEFORE = Prepared(
    "SELECT stream, MAX(parked_at) AS parked_at FROM stuck_event"
    " WHERE backend = :backend AND cursor <= :cursor GROUP BY stream"
)
_RESUMED = Prepared(
    "SELECT event_id, cursor, stream FROM stuck_event WHERE backend = :backend"
    " AND cursor <= :cursor AND parked_at IS NULL ORDER BY cursor LIMIT :most"
)
_FAILED = Prepared(
    select(_COLUMNS.event_id).where(_COLUMNS.event_id.in_(bindparam("event_ids", expanding=True)))
)
_FORGET = Prepared("DELETE FROM stuck_event WHERE event_id = :event_id")
_PARK_BEHIND = Prepared(
    "UPDATE stuck_event SET parked_at = :parked_at"
    " WHERE backend = :backend AND stream = :stream AND parked_at IS NULL"
)
_FIND = Prepared(
    select(_COLUMNS.backend, _COLUMNS.stream).where(
        _COLUMNS.event_id == bindparam("id_of_event"), _COLUMNS.parked_at.is_not(None)
    )
)
_RESUME = Prepared(
    "UPDATE stuck_event SET parked_at = NULL, tries = 0"
    " WHERE backend = :backend AND stream = :stream"
)
_PAGE = Prepared(
    "SELECT event_id, backend, cursor, stream, merchant_id, kind, order_no, tries, error,"
    " parked_at FROM stuck_event WHERE parked_at IS NOT NULL"
    " AND (backend > :backend OR (backend = :backend AND cursor > :cursor))"
    " ORDER BY backend, cursor LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class Resumed:
    """An event that may be tried again; `cursor` is its place in its outbox."""

    event_id: str
    cursor: int
    stream: str


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that waits for an operator.

    Attributes:
        backend, cursor: its outbox, and its place there.
        stream: the card, or the order of a buyer without one.
        tries: how often it was tried in vain; 0 when it only waits behind another.
    """

    id: str
    backend: str
    cursor: int
    stream: str
    merchant_id: str
    kind: str
    order_no: str
    tries: int
    error: str
    parked_at: datetime


def stream_of(event: Event) -> str:
    """What goes on in order: the events of one card, or of one order without a card."""
    return event.card_id or event.order_id


def note_failure(
    connection: Connection, outbox_name: str, event: Event, *, error: str, now: datetime
) -> bool:
    """Counts a try that failed; whether the event, and what waits behind it, is parked by it."""
    tries = 1 + int(connection.execute(_TRIES, {"id_of_event": event.id}).scalar() or 0)
    parked_at = to_micros(now) if tries >= TRIES_MAX else None
    _note(connection, outbox_name, event, 1, error, parked_at)
    if parked_at is not None:
        given = {"backend": outbox_name, "stream": stream_of(event), "parked_at": parked_at}
        connection.execute(_PARK_BEHIND, given)
    return parked_at is not None


def note_behind(
    connection: Connection, outbox_name: str, event: Event, *, parked_at: int | None
) -> None:
    """Lets an event wait behind an earlier one of its stream.

    Args:
        parked_at: that of the earlier one; None when it is about to be tried again.
    """
    _note(connection, outbox_name, event, 0, "an earlier one waits", parked_at)


def read_stuck_streams(
    connection: Connection, outbox_name: str, *, cursor: int
) -> dict[str, int | None]:
    """Streams with events behind the cursor that are not booked, and since when they are parked."""
    rows = connection.execute(_BEFORE, {"backend": outbox_name, "cursor": cursor})
    return {row.stream: row.parked_at for row in rows}


def read_resumed(
    connection: Connection, outbox_name: str, *, cursor: int, most: int
) -> list[Resumed]:
    """Events behind the cursor that may be tried again, in order."""
    given = {"backend": outbox_name, "cursor": cursor, "most": most}
    rows = connection.execute(_RESUMED, given)
    return [Resumed(row.event_id, row.cursor, row.stream) for row in rows]


def read_failed(connection: Connection, event_ids: Sequence[str]) -> set[str]:
    """Those of the events that were tried in vain."""
    return set(connection.execute(_FAILED, {"event_ids": list(event_ids)}).scalars())


def forget(connection: Connection, event_id: str) -> None:
    """Forgets an event that is booked by now."""
    connection.execute(_FORGET, {"event_id": event_id})


def resume(connection: Connection, event_id: str) -> bool:
    """Lets a parked event, and all that wait with it, be tried again; False when none is parked."""
    found = connection.execute(_FIND, {"id_of_event": event_id}).one_or_none()
    if found is None:
        return False
    connection.execute(_RESUME, {"backend": found.backend, "stream": found.stream})
    return True


def read_parked(connection: Connection, *, after: tuple[str, int], limit: int) -> list[ParkedEvent]:
    """A page of parked events, by outbox and place."""
    given = {"backend": after[0], "cursor": after[1], "most": limit}
    return [
        ParkedEvent(
            id=row.event_id,
            backend=row.backend,
            cursor=row.cursor,
            stream=row.stream,
            merchant_id=row.merchant_id,
            kind=row.kind,
            order_no=row.order_no,
            tries=row.tries,
            error=row.error,
            parked_at=from_micros(row.parked_at),
        )
        for row in connection.execute(_PAGE, given)
    ]


def count_parked(connection: Connection) -> int:
    """How many events wait for an operator."""
    statement = select(func.count()).where(_COLUMNS.parked_at.is_not(None))
    return int(connection.execute(statement).scalar_one())


def _note(
    connection: Connection,
    outbox_name: str,
    event: Event,
    tries: int,
    error: str,
    parked_at: int | None,
) -> None:
    connection.execute(
        _NOTE,
        {
            "event_id": event.id,
            "backend": outbox_name,
            "cursor": event.cursor,
            "stream": stream_of(event),
            "merchant_id": event.merchant_id,
            "kind": event.kind.value,
            "order_no": event.order_no,
            "tries": tries,
            "error": error[:ERROR_MAX],
            "parked_at": parked_at,
        },
    )
