"""Evidence of tiers in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry

from kernel.graphql import Long
from kernel.pages import Connection
from merchants.keys_sql import Key
from merchants.ladders import evaluation
from merchants.resolvers import standings as resolve
from merchants.schema.enums import Cause
from merchants.schema.orders import Order


@strawberry.type(description="One evaluation of a tier, and what it was decided on.")
class TierEvaluation:
    """One evaluation of a tier."""

    key: strawberry.Private[Key]
    at: datetime = strawberry.field(description="When it took effect.")
    cause: Cause = strawberry.field(description="Why it was evaluated.")
    reference: str = strawberry.field(
        description="Id of the order or task, or number of the refund; empty for other causes."
    )
    version: int = strawberry.field(description="Version of the ladder that decided.")
    window_from: datetime | None = strawberry.field(
        description="What counted came from then on; null when everything did."
    )
    figure: Long = strawberry.field(
        description="What was measured: orders, minor units or growth points."
    )
    rank_before: int = strawberry.field(description="Rank before it; 0 below the first step.")
    rank_after: int = strawberry.field(description="Rank after it; 0 below the first step.")
    valid_until: datetime | None = strawberry.field(
        description="Until when the tier was kept from then on; null when it needs no keeping."
    )
    orders: Connection[Order] = strawberry.field(
        resolver=resolve.evaluation_orders,
        description="Orders placed in the window until then, newest first; those that no longer "
        "count are among them, with their state.",
    )

    @classmethod
    def of(cls, made: evaluation.Evaluation, key: Key) -> TierEvaluation:
        """The GraphQL object of an evaluation; `key` is the merchant's and the card's id."""
        return cls(
            key=key,
            at=made.at,
            cause=made.cause,
            reference=made.reference,
            version=made.version,
            window_from=made.window_from,
            figure=Long(made.figure),
            rank_before=made.rank_before,
            rank_after=made.rank_after,
            valid_until=made.valid_until,
        )
