"""Shows parked messages, and lets them go on. See docs/rules/outbox.md, rule 6."""

from __future__ import annotations

from typing import Any

import strawberry
from sqlalchemy import Connection as SqlConnection

from kernel.pages import After, Connection, First, connection_of, page_args
from kernel.refusals import NotFound
from kernel.request_keys import request_key
from kernel.requests import RequestLog
from ledger.context import LedgerInfo
from ledger.outbox import outbox_sql
from ledger.resolvers.cursors import whole_numbers
from ledger.schema import outbox
from ledger.tables import public_request

_requests = RequestLog(public_request)


async def parked_messages(
    info: LedgerInfo, first: First = 20, after: After = strawberry.UNSET
) -> Connection[outbox.ParkedMessage] | None:
    """A page of the parked messages."""
    context = info.context
    context.admin()
    page = page_args(first, after or None, key_length=2)
    lane, number = whole_numbers(page, (0, 0))
    rows = await context.read(
        lambda connection: outbox_sql.read_parked(
            connection, after=(lane, number), limit=page.limit
        )
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (row.lane, row.id),
        node=lambda row: outbox.ParkedMessage(
            id=strawberry.ID(row.message_id),
            topic=row.topic,
            stream=row.stream,
            parked_at=context.instant(row.parked_at),
            last_error=row.last_error,
            payload=row.payload,
        ),
    )


async def resume_message(
    info: LedgerInfo, input: outbox.ResumeMessageInput
) -> outbox.MessageResumed:
    """Lets a parked message be sent anew, or gives it up.

    Raises:
        InvalidInput: the request id is empty or too long.
        NotFound: no parked message has this id.
        RequestIdReused: the request id was used with another input.
    """
    context = info.context
    caller = context.admin()
    key = request_key(caller, "resumeMessage", input)

    def resume(connection: SqlConnection) -> dict[str, Any]:
        parked = outbox_sql.find_parked(connection, input.message_id)
        if parked is None:
            raise NotFound(input.message_id)
        if input.discard:
            outbox_sql.remove(connection, parked)
        else:
            outbox_sql.unpark(connection, parked)
        return {"message": parked.message_id}

    answer = await context.database.transaction(
        lambda connection: _requests.answer_once(
            connection, key, now=context.now, work=lambda: resume(connection)
        )
    )
    message_id = strawberry.ID(answer.success()["message"])
    return outbox.MessageResumed(replayed=answer.replayed, message_id=message_id)
