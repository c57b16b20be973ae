"""Sales and refunds that could not be booked, and what becomes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from gateway.schema.inputs import REPLAYED
from gateway.schema.merchants import Merchant
from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)


@strawberry.type(
    description="A sale or refund that its merchant's backend committed and that could not be "
    "booked in the ledger, however often it was tried. It is not lost: it is booked once "
    "`resumeEvent`, or a repeat of its request, lets it be tried anew and what stood against it "
    "is mended. Later events of its card at hosted merchants, or at the same remote one, that are "
    "left to the sweep of events wait for it; what a request books at once does not, save a "
    "refund of the very order."
)
class ParkedEvent:
    """A parked event."""

    id: strawberry.ID = strawberry.field(description="Names it for `resumeEvent`.")
    kind: str = strawberry.field(description="ORDER_PLACED or ORDER_REFUNDED.")
    merchant: Merchant = strawberry.field(description="Where it happened.")
    order_no: str = strawberry.field(description="The merchant's number of the order.")
    stream: str = strawberry.field(
        description="The card that it is about, or the order when it has none: what waits."
    )
    tries: int = strawberry.field(
        description="How often it was tried; 0 when it only waits for an earlier one."
    )
    error: str = strawberry.field(description="Why the last try failed, for whoever mends it.")
    parked_at: datetime = strawberry.field(description="Since when it is parked.")


@strawberry.input(description="Input of `resumeEvent`.")
class ResumeEventInput:
    """A parked event to try again."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    event_id: strawberry.ID = strawberry.field(description="The `id` of a parked event.")


@strawberry.type(description="The event, and what waits with it, is tried again in a moment.")
class EventResumed:
    """Success of `resumeEvent`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    event_id: strawberry.ID = strawberry.field(description="The event.")


ResumeEventResult = Annotated[
    EventResumed
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ResumeEventResult", description="Answer of `resumeEvent`."),
]
