"""Shows events that could not be booked, and lets them be tried again.

Source: docs/rules/checkout.md, rule 17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import strawberry
from sqlalchemy import Connection as SqlConnection

from gateway.alliance.tables import REQUESTS
from gateway.checkout import stuck_sql
from gateway.resolvers import merchants
from gateway.resolvers.context import AllianceInfo
from gateway.schema import stuck_events as types
from kernel.graphql import BadUserInput, Forbidden
from kernel.pages import After, Connection, First, PageArgs, connection_of, page_args
from kernel.refusals import NotFound
from kernel.request_keys import request_key


@dataclass(frozen=True, slots=True)
class ResumeEvent:
    """Asks to try a parked event again."""

    request_id: str
    event_id: str


async def parked_events(
    info: AllianceInfo, first: First = 20, after: After = None
) -> Connection[types.ParkedEvent] | None:
    """A page of parked events; for admins."""
    if not info.context.caller.is_admin:
        raise Forbidden
    page = page_args(first, after, key_length=2)
    behind = _place(page)
    rows = await info.context.alliance.database.snapshot(
        lambda connection: stuck_sql.read_parked(connection, after=behind, limit=page.limit)
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (row.backend, row.cursor),
        node=lambda row: types.ParkedEvent(
            id=strawberry.ID(row.id),
            kind=row.kind,
            merchant=merchants.known_merchant(info.context, row.merchant_id),
            order_no=row.order_no,
            stream=row.stream,
            tries=row.tries,
            error=row.error,
            parked_at=row.parked_at,
        ),
    )


async def resume_event(info: AllianceInfo, input: types.ResumeEventInput) -> types.EventResumed:
    """Lets a parked event be tried again.

    Raises:
        NotFound: no parked event has this id.
        RequestIdReused: the request id was used with another input.
    """
    caller = info.context.caller
    if not caller.is_admin:
        raise Forbidden
    command = ResumeEvent(input.request_id, input.event_id)
    key = request_key(caller, "resumeEvent", command)

    def resume(connection: SqlConnection) -> dict[str, Any]:
        if not stuck_sql.resume(connection, command.event_id):
            raise NotFound(id=command.event_id)
        return {"eventId": command.event_id}

    alliance = info.context.alliance
    answer = await alliance.database.transaction(
        lambda connection: REQUESTS.answer_once(
            connection, key, now=alliance.clock.now(), work=lambda: resume(connection)
        )
    )
    event_id = strawberry.ID(answer.success()["eventId"])
    return types.EventResumed(replayed=answer.replayed, event_id=event_id)


def _place(page: PageArgs) -> tuple[str, int]:
    if page.after is None:
        return "", 0
    backend, cursor = page.after
    if not isinstance(backend, str) or type(cursor) is not int:
        raise BadUserInput("after is no cursor of this list.")
    return backend, cursor
