"""The evidence of a standing: its evaluations, and the orders that each one counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Parent

from kernel.clock import to_micros
from kernel.pages import After, Connection, First, connection_of, page_args
from merchants.context import MerchantsInfo
from merchants.ladders.held_sql import read_evaluations
from merchants.ladders.window_sql import read_window_page
from merchants.resolvers.parents import OneEvaluation, OneStanding

if TYPE_CHECKING:
    from merchants.schema.evaluations import TierEvaluation
    from merchants.schema.orders import Order


async def standing_evaluations(
    standing: Parent[OneStanding], info: MerchantsInfo, first: First = 20, after: After = None
) -> Connection[Annotated[TierEvaluation, strawberry.lazy("merchants.schema.evaluations")]]:
    """Evaluations, newest first."""
    from merchants.schema.evaluations import TierEvaluation

    page = page_args(first, after, key_length=3)
    key = standing.key
    rows = await info.context.backend.database.snapshot(
        lambda connection: read_evaluations(
            connection, (*key, standing.ladder), after=page.after, limit=page.limit
        )
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (to_micros(row.at), row.cause, row.reference),
        node=lambda row: TierEvaluation.of(row, key),
    )


async def evaluation_orders(
    evaluation: Parent[OneEvaluation],
    info: MerchantsInfo,
    first: First = 20,
    after: After = None,
) -> Connection[Annotated[Order, strawberry.lazy("merchants.schema.orders")]]:
    """Orders of its window, newest first."""
    from merchants.schema.orders import Order

    page = page_args(first, after, key_length=2)
    since = evaluation.window_from
    rows = await info.context.backend.database.snapshot(
        lambda connection: read_window_page(
            connection,
            evaluation.key,
            since=None if since is None else to_micros(since),
            until=to_micros(evaluation.at),
            after=page.after,
            limit=page.limit,
        )
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (row.placed_at, row.order_id),
        node=lambda row: Order(
            id=strawberry.ID(row.order_id), merchant_id=strawberry.ID(row.merchant_id)
        ),
    )
