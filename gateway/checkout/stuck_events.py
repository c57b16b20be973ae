"""Events that can not be booked: tried again, then parked, so that all others go on.

Source: docs/rules/checkout.md, rules 16 and 17.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from enum import StrEnum

from gateway.checkout import stuck_sql
from gateway.checkout.desk import UNANSWERED, Desk
from merchants.port import Event

logger = logging.getLogger(__name__)


class Tried(StrEnum):
    """What became of a try to book an event."""

    BOOKED = "BOOKED"
    FAILED = "FAILED"
    PARKED = "PARKED"


async def tried(desk: Desk, outbox_name: str, event: Event, booking: Awaitable[None]) -> Tried:
    """What became of the booking of an event; a failure is counted.

    Raises:
        DatabaseUnavailable, Overloaded: somebody does not answer, which is no fault of the event.
    """
    try:
        await booking
    except UNANSWERED:
        raise
    except Exception as error:  # One event must not stop all others.
        logger.exception("event %s of %s can not be booked", event.id, outbox_name)
        told = f"{type(error).__name__}: {error}"
    else:
        return Tried.BOOKED
    is_parked = await desk.database.transaction(
        lambda connection: stuck_sql.note_failure(
            connection, outbox_name, event, error=told, now=desk.clock.now()
        )
    )
    if not is_parked:
        return Tried.FAILED
    logger.error("event %s of %s is parked: %s", event.id, outbox_name, told)
    return Tried.PARKED
