"""Statements on how far outboxes were applied. The caller owns the transaction.

A cursor for each outbox, and the events that were applied ahead of it.

Source: docs/rules/checkout.md, rule 14.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select

from gateway.checkout import stuck_sql
from gateway.checkout.tables import APPLIED_EVENT, EVENT_CURSOR
from gateway.membership import referrals_sql
from kernel.statements import Prepared
from merchants.port import Event

_CURSOR = Prepared(
    select(EVENT_CURSOR.c.cursor).where(EVENT_CURSOR.c.backend == bindparam("backend"))
)
_APPLIED = Prepared(
    select(APPLIED_EVENT.c.event_id).where(
        APPLIED_EVENT.c.event_id.in_(bindparam("event_ids", expanding=True))
    )
)
_NOTE_APPLIED = Prepared(
    "INSERT INTO applied_event (event_id) VALUES (:event_id) ON CONFLICT DO NOTHING"
)
_PASS = Prepared(
    "INSERT INTO event_cursor (backend, cursor) VALUES (:backend, :cursor)"
    " ON CONFLICT (backend) DO UPDATE SET cursor = excluded.cursor"
    " WHERE event_cursor.cursor < excluded.cursor"
)


def read_cursor(connection: Connection, outbox_name: str) -> int:
    """How far the outbox was applied; 0 when nothing was."""
    found = connection.execute(_CURSOR, {"backend": outbox_name}).scalar()
    return 0 if found is None else int(found)


def read_applied(connection: Connection, event_ids: Sequence[str]) -> set[str]:
    """Those of the events that were applied ahead of the cursor."""
    rows = connection.execute(_APPLIED, {"event_ids": event_ids})
    return {row.event_id for row in rows}


def note_applied(connection: Connection, outbox_name: str, event: Event) -> None:
    """Notes that the request which caused an event has applied it, unless a sweeper did."""
    stuck_sql.forget(connection, event.id)
    if read_cursor(connection, outbox_name) < event.cursor:
        connection.execute(_NOTE_APPLIED, {"event_id": event.id})


def pass_events(connection: Connection, outbox_name: str, events: Sequence[Event]) -> None:
    """Moves the cursor behind events that were applied; never back."""
    cursor = events[-1].cursor
    connection.execute(_PASS, {"backend": outbox_name, "cursor": cursor})
    referrals_sql.qualify(connection, events)
    event_ids = [event.id for event in events]
    connection.execute(delete(APPLIED_EVENT).where(APPLIED_EVENT.c.event_id.in_(event_ids)))
