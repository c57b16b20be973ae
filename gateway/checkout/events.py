"""Applies what backends committed and no request finished. See docs/rules/checkout.md, rule 14.

A backend's outbox is read in its order. The cursor moves only behind events that were applied,
and applying one again changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.checkout import applied_sql, checkouts_sql, stuck_sql
from gateway.checkout.booking import book_refund, book_sale
from gateway.checkout.desk import UNANSWERED, Desk
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.stuck_events import Tried, tried
from gateway.directory.entries import BackendKind
from kernel.clock import to_micros
from merchants.port import Event, EventKind

logger = logging.getLogger(__name__)

PAGE = 100
HOSTED = "hosted"


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

    It stops before an event whose checkout a request works on, and before one that fails and is
    to be tried again.

    Args:
        skip_running: False applies those too.

    Raises:
        DatabaseUnavailable, Overloaded: somebody does not answer; the rest waits.
    """
    await _apply_resumed(desk, outbox)
    passed = 0
    while True:
        after = await desk.database.snapshot(
            lambda connection: applied_sql.read_cursor(connection, outbox.name)
        )
        events = await outbox.read(after, PAGE)
        if not events:
            return passed
        done = await _apply_page(desk, outbox, events, skip_running=skip_running)
        if done:
            await _pass(desk, outbox, done)
            desk.reach("events.passed")
        passed += len(done)
        if len(done) < len(events):
            return passed


async def catch_up(desk: Desk, event: Event) -> None:
    """Applies the order's events before this one that are not booked, the parked ones too.

    Raises:
        DatabaseUnavailable, Overloaded: somebody does not answer.
    """
    outbox = outbox_of(desk, event.merchant_id)

    def work(connection: Connection) -> tuple[int, list[stuck_sql.Waiting]]:
        cursor = applied_sql.read_cursor(connection, outbox.name)
        return cursor, stuck_sql.read_of_order(connection, outbox.name, event, cursor=cursor)

    after, parked = await desk.database.snapshot(work)
    for row in parked:
        waiting = await _read_waiting(outbox, row)
        if waiting is None or not await _caught_up(desk, outbox, waiting):
            return
        await _forget(desk, row.event_id)
    while after < event.cursor - 1:
        events = [
            waiting for waiting in await outbox.read(after, PAGE) if waiting.cursor < event.cursor
        ]
        if not events:
            return
        sales = [waiting for waiting in events if waiting.order_id == event.order_id]
        for sale in sales:
            if not await _caught_up(desk, outbox, sale):
                return
        after = events[-1].cursor


async def _caught_up(desk: Desk, outbox: Outbox, event: Event) -> bool:
    """Whether an event could be booked; what comes after one that could not has to wait."""
    try:
        await apply_event(desk, event, await _seller(desk, event))
    except UNANSWERED:
        raise
    except Exception:
        logger.exception("event %s of %s can still not be booked", event.id, outbox.name)
        return False
    return True


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
    await desk.database.transaction(
        lambda connection: applied_sql.pass_events(connection, outbox.name, done)
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the alliance knows of a page of events.

    Attributes:
        captured: attempts whose checkouts are captured.
        sellers: checkouts of the other attempts.
        applied: events that were applied ahead of the cursor.
        elsewhere: checkouts that another process works on.
        failed_before: events that were tried in vain.
        stuck: streams with earlier events that are not booked, and since when they are parked.
    """

    captured: set[str]
    sellers: dict[str, SavedCheckout]
    applied: set[str]
    elsewhere: set[str]
    failed_before: set[str]
    stuck: dict[str, int | None]


async def _apply_page(
    desk: Desk, outbox: Outbox, events: Sequence[Event], *, skip_running: bool
) -> list[Event]:
    known = await desk.database.snapshot(
        lambda connection: _read_known(connection, desk, outbox.name, events)
    )
    stuck = dict(known.stuck)
    done: list[Event] = []
    for event in events:
        if event.attempt_id not in known.captured and event.id not in known.applied:
            seller = None if event.attempt_id is None else known.sellers.get(event.attempt_id)
            is_running = seller is not None and (
                desk.running.is_occupied(seller.id) or seller.id in known.elsewhere
            )
            if skip_running and is_running:
                return done
            stream = stuck_sql.stream_of(event)
            if stream in stuck:
                await _leave_behind(desk, outbox, event, parked_at=stuck[stream])
            else:
                outcome = await tried(desk, outbox.name, event, apply_event(desk, event, seller))
                if outcome is Tried.FAILED:
                    return done
                if outcome is Tried.PARKED:
                    stuck[stream] = to_micros(desk.clock.now())
                elif event.id in known.failed_before:
                    await _forget(desk, event.id)
        done.append(event)
    return done


async def _forget(desk: Desk, event_id: str) -> None:
    await desk.database.transaction(lambda connection: stuck_sql.forget(connection, event_id))


async def _leave_behind(desk: Desk, outbox: Outbox, event: Event, *, parked_at: int | None) -> None:
    await desk.database.transaction(
        lambda connection: stuck_sql.note_behind(
            connection, outbox.name, event, parked_at=parked_at
        )
    )


async def _apply_resumed(desk: Desk, outbox: Outbox) -> None:
    """Tries those again that may go on, each stream in its order."""

    def work(connection: Connection) -> list[stuck_sql.Waiting]:
        cursor = applied_sql.read_cursor(connection, outbox.name)
        return stuck_sql.read_resumed(connection, outbox.name, cursor=cursor, most=PAGE)

    stuck: set[str] = set()
    for row in await desk.database.snapshot(work):
        if row.stream in stuck:
            continue
        event = await _read_waiting(outbox, row)
        if event is None:
            stuck.add(row.stream)
            continue
        booking = apply_event(desk, event, await _seller(desk, event))
        if await tried(desk, outbox.name, event, booking) is Tried.BOOKED:
            await _forget(desk, row.event_id)
        else:
            stuck.add(row.stream)


async def _read_waiting(outbox: Outbox, row: stuck_sql.Waiting) -> Event | None:
    for event in await outbox.read(row.cursor - 1, 1):
        if event.id == row.event_id:
            return event
    logger.error("event %s is not in the outbox of %s", row.event_id, outbox.name)
    return None


def _read_known(
    connection: Connection, desk: Desk, outbox_name: str, events: Sequence[Event]
) -> _Known:
    event_ids = [event.id for event in events]
    attempt_ids = [event.attempt_id for event in events if event.attempt_id is not None]
    captured = checkouts_sql.read_captured_attempts(connection, attempt_ids)
    open_attempts = [attempt for attempt in attempt_ids if attempt not in captured]
    sellers = checkouts_sql.read_by_attempts(connection, open_attempts) if open_attempts else {}
    return _Known(
        captured=captured,
        sellers=sellers,
        applied=applied_sql.read_applied(connection, event_ids),
        elsewhere=desk.running.leases.read_of_others(
            connection, [seller.id for seller in sellers.values()], now=desk.clock.now()
        ),
        failed_before=stuck_sql.read_failed(connection, event_ids),
        stuck=stuck_sql.read_stuck_streams(connection, outbox_name, cursor=events[0].cursor - 1),
    )


async def _seller(desk: Desk, event: Event) -> SavedCheckout | None:
    if event.attempt_id is None:
        return None
    attempt_id = event.attempt_id
    sellers = await desk.database.snapshot(
        lambda connection: checkouts_sql.read_by_attempts(connection, [attempt_id])
    )
    return sellers.get(attempt_id)
