"""Messages that a receiver would not take, and what becomes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)


@strawberry.type(
    description="A message that the webhook rejected so often that it is parked; later messages "
    "of its stream wait for it."
)
class ParkedMessage:
    """A parked message."""

    id: strawberry.ID = strawberry.field(
        description="TypeID `msg_…`; the `webhook-id` under which it was sent."
    )
    topic: str = strawberry.field(description="What kind of thing it tells: `ledger.order`.")
    stream: str = strawberry.field(
        description="The card that it is about, or else the merchant: what waits behind it."
    )
    parked_at: datetime = strawberry.field(description="Since when it is parked.")
    last_error: str = strawberry.field(description="How the webhook answered last, for people.")
    payload: str = strawberry.field(description="Its body, JSON text.")


@strawberry.type(description="The message is not parked any more.")
class MessageResumed:
    """Success of `resumeMessage`."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    message_id: strawberry.ID = strawberry.field(description="The message.")


ResumeMessageResult = Annotated[
    MessageResumed
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ResumeMessageResult", description="Answer of `resumeMessage`."),
]


@strawberry.input(description="Input of `resumeMessage`.")
class ResumeMessageInput:
    """Input of `resumeMessage`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    message_id: strawberry.ID = strawberry.field(description="The parked message.")
    discard: bool | None = strawberry.field(
        default=False,
        description="Give the message up, so that its stream goes on without it; else it is sent "
        "anew.",
    )
