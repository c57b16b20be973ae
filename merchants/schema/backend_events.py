"""The outbox as a remote backend tells it: events, their coupons, pages; never public."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from kernel.graphql import Long, Money
from kernel.pages import PageInfo
from merchants import port
from merchants.schema.enums import EventKind
from merchants.schema.orders import Order


@strawberry.federation.type(inaccessible=True, description="What one coupon cost in one order.")
class BackendRedemption:
    """What one coupon cost."""

    coupon_id: strawberry.ID = strawberry.field(description="The coupon.")
    amount: Money = strawberry.field(description="What it took off; negative when returned.")
    funder_alliance_bps: int = strawberry.field(description="The alliance's share, basis points.")


@strawberry.federation.type(
    inaccessible=True,
    description="Something that a backend committed and others must hear of.",
)
class BackendEvent:
    """An outbox event."""

    id: strawberry.ID = strawberry.field(description="Unique; receivers ignore repeats.")
    kind: EventKind = strawberry.field(description="What was committed.")
    at: datetime = strawberry.field(description="When.")
    order: Order = strawberry.field(description="The order.")
    card_id: strawberry.ID | None = strawberry.field(
        description="The buyer's card; null for an anonymous buyer."
    )
    attempt_id: strawberry.ID | None = strawberry.field(
        description="The checkout's attempt; null for a refund."
    )
    refund_no: str | None = strawberry.field(description="The refund's number; null for a sale.")
    cash: Money = strawberry.field(description="Cash collected, or handed back.")
    points: Long = strawberry.field(description="Points spent, or returned.")
    coins: Money = strawberry.field(description="Coins spent, or returned.")
    points_kept: Long = strawberry.field(
        description="Points the order keeps earned after this event."
    )
    qualifying: Money = strawberry.field(
        description="What counts for ladders after this event: cash and coins, without shipping."
    )
    ended: bool = strawberry.field(description="Whether the order is refunded in full.")
    redemptions: Sequence[BackendRedemption] = strawberry.field(
        description="Coupons redeemed or returned, and who bears them."
    )

    @classmethod
    def of(cls, event: port.Event, currency: str) -> BackendEvent:
        """The GraphQL object of an event."""
        card_id, attempt_id = event.card_id, event.attempt_id
        return cls(
            id=strawberry.ID(event.id),
            kind=event.kind,
            at=event.at,
            order=Order(
                id=strawberry.ID(event.order_id), merchant_id=strawberry.ID(event.merchant_id)
            ),
            card_id=None if card_id is None else strawberry.ID(card_id),
            attempt_id=None if attempt_id is None else strawberry.ID(attempt_id),
            refund_no=event.refund_no,
            cash=Money.of(event.cash_minor, currency),
            points=Long(event.points),
            coins=Money.of(event.coins_minor, currency),
            points_kept=Long(event.points_kept),
            qualifying=Money.of(event.qualifying_minor, currency),
            ended=event.is_ended,
            redemptions=[
                BackendRedemption(
                    coupon_id=strawberry.ID(each.coupon_id),
                    amount=Money.of(each.amount_minor, currency),
                    funder_alliance_bps=each.funder_alliance_bps,
                )
                for each in event.redemptions
            ],
        )


@strawberry.federation.type(inaccessible=True, description="An event and its cursor.")
class BackendEventEdge:
    """An event and its cursor."""

    cursor: str = strawberry.field(description="Pass as `after`.")
    node: BackendEvent = strawberry.field(description="The event.")


@strawberry.federation.type(inaccessible=True, description="A page of the outbox.")
class BackendEventConnection:
    """A page of the outbox."""

    edges: Sequence[BackendEventEdge] = strawberry.field(description="Events with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
