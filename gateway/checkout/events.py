"""Applies what backends committed and no request finished. See docs/rules/checkout.md, rule 14.

A backend's outbox is read in its order. The cursor moves only behind events that were applied,
and applying one again changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select

from gateway.checkout import checkouts_sql
from gateway.checkout.booking import book_refund, book_sale
from gateway.checkout.desk import Desk
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.tables import APPLIED_EVENT, EVENT_CURSOR
from gateway.directory.entries import BackendKind
from gateway.membership import referrals_sql
from kernel.statements import Prepared
from merchants.port import Event, EventKind

PAGE = 100
HOSTED = "hosted"

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


@dataclass(frozen=True, slots=True)
class Outbox:
    """One backend's events.

    Attributes:
        name: names its cursor, for ever.
        read: up to so many events behind a cursor, oldest first.
    """

    name: str
    read: Callable[[int, int], Awaitable[list[Event]]]


def outbox_of(desk: Desk, merchant_id: str) -> Outbox:
    """The outbox that a merchant's events are in."""
    merchant = desk.directory.merchant(merchant_id)
    if merchant is None or merchant.backend_kind is BackendKind.HOSTED:
        return Outbox(
            HOSTED, lambda after, limit: desk.backend.events_of_all(after=after, limit=limit)
        )
    return Outbox(
        merchant_id,
        lambda after, limit: desk.backend.events(merchant_id, after=after, limit=limit),
    )


def outboxes(desk: Desk) -> list[Outbox]:
    """Every outbox: one of all hosted merchants, one of each remote backend."""
    by_name = {
        outbox.name: outbox
        for outbox in (outbox_of(desk, merchant.id) for merchant in desk.directory.all_merchants())
    }
    return list(by_name.values())


async def apply_events(desk: Desk, outbox: Outbox, *, skip_running: bool = True) -> int:
    """Applies what waits in an outbox; how many events it passed.

    It stops before an event whose checkout a request works on.

    Args:
        skip_running: False applies those too.

    Raises:
        DatabaseUnavailable, Overloaded: somebody does not answer; the rest waits.
        OrderUnknown: a refund before its sale; the rest waits.
    """
    passed = 0
    while True:
        after = await desk.database.snapshot(
            lambda connection: read_cursor(connection, outbox.name)
        )
        events = await outbox.read(after, PAGE)
        if not events:
            return passed
        done = await _apply_page(desk, events, skip_running=skip_running)
        if done:
            await _pass(desk, outbox, done)
            desk.reach("events.passed")
        passed += len(done)
        if len(done) < len(events):
            return passed


async def catch_up(desk: Desk, event: Event) -> None:
    """Applies every event of the order's outbox up to this one.

    Raises:
        DatabaseUnavailable, Overloaded: somebody does not answer.
    """
    outbox = outbox_of(desk, event.merchant_id)
    after = await desk.database.snapshot(lambda connection: read_cursor(connection, outbox.name))
    while after < event.cursor - 1:
        events = [
            waiting for waiting in await outbox.read(after, PAGE) if waiting.cursor < event.cursor
        ]
        if not events:
            return
        sales = [waiting for waiting in events if waiting.order_id == event.order_id]
        for sale in sales:
            await apply_event(desk, sale, await _seller(desk, sale))
        after = events[-1].cursor


async def apply_event(desk: Desk, event: Event, checkout: SavedCheckout | None) -> None:
    """Books one event.

    Args:
        checkout: that sold the order; None when no checkout of ours did, or for a refund.
    """
    if event.kind is EventKind.ORDER_PLACED:
        await book_sale(desk, event, checkout)
    else:
        await book_refund(desk, event)
    desk.reach("events.applied")


async def _pass(desk: Desk, outbox: Outbox, done: Sequence[Event]) -> None:
    await desk.database.transaction(lambda connection: pass_events(connection, outbox.name, done))


async def _apply_page(desk: Desk, events: Sequence[Event], *, skip_running: bool) -> list[Event]:
    attempt_ids = [event.attempt_id for event in events if event.attempt_id is not None]
    event_ids = [event.id for event in events]

    now = desk.clock.now()

    def work(
        connection: Connection,
    ) -> tuple[set[str], dict[str, SavedCheckout], set[str], set[str]]:
        captured = checkouts_sql.read_captured_attempts(connection, attempt_ids)
        open_attempts = [attempt for attempt in attempt_ids if attempt not in captured]
        sellers = checkouts_sql.read_by_attempts(connection, open_attempts) if open_attempts else {}
        checkout_ids = [seller.id for seller in sellers.values()]
        return (
            captured,
            sellers,
            read_applied(connection, event_ids),
            desk.running.leases.read_of_others(connection, checkout_ids, now=now),
        )

    captured, sellers, applied, elsewhere = await desk.database.snapshot(work)
    done: list[Event] = []
    for event in events:
        if event.attempt_id not in captured and event.id not in applied:
            seller = None if event.attempt_id is None else sellers.get(event.attempt_id)
            is_running = seller is not None and (
                desk.running.is_occupied(seller.id) or seller.id in elsewhere
            )
            if skip_running and is_running:
                return done
            await apply_event(desk, event, seller)
        done.append(event)
    return done


async def _seller(desk: Desk, event: Event) -> SavedCheckout | None:
    if event.attempt_id is None:
        return None
    attempt_id = event.attempt_id
    sellers = await desk.database.snapshot(
        lambda connection: checkouts_sql.read_by_attempts(connection, [attempt_id])
    )
    return sellers.get(attempt_id)


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
    if read_cursor(connection, outbox_name) < event.cursor:
        connection.execute(_NOTE_APPLIED, {"event_id": event.id})


def pass_events(connection: Connection, outbox_name: str, events: Sequence[Event]) -> None:
    """Moves the cursor behind events that were applied; never back."""
    cursor = events[-1].cursor
    connection.execute(_PASS, {"backend": outbox_name, "cursor": cursor})
    referrals_sql.qualify(connection, events)
    connection.execute(
        delete(APPLIED_EVENT).where(APPLIED_EVENT.c.event_id.in_([event.id for event in events]))
    )
