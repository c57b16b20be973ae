"""Members as they stand, in GraphQL: near the next tier, in a segment."""

from __future__ import annotations

from datetime import datetime

import strawberry

from merchants.resolvers.references import MembershipReference
from merchants.schema.enums import Segment
from merchants.schema.tiers import TierStanding


@strawberry.type(description="A member near the next tier.")
class MemberNearTier:
    """A member near the next tier."""

    membership: MembershipReference | None = strawberry.field(
        description="The member; null for the alliance's own ladders."
    )
    card_id: strawberry.ID = strawberry.field(description="Its card.")
    tier: TierStanding = strawberry.field(description="Where it stands.")


@strawberry.type(description="A member of a segment, and what put it there.")
class SegmentMember:
    """A member of a segment."""

    membership: MembershipReference | None = strawberry.field(
        description="The member; null for the alliance's own."
    )
    card_id: strawberry.ID = strawberry.field(description="Its card.")
    segment: Segment = strawberry.field(description="The segment.")
    orders_in_window: int = strawberry.field(description="Orders from `windowFrom` on.")
    orders: int = strawberry.field(description="Orders ever.")
    joined_at: datetime = strawberry.field(description="When it joined.")
    last_order_at: datetime | None = strawberry.field(
        description="Its last order; null for one who never bought."
    )
    window_from: datetime = strawberry.field(description="First instant of the window.")


@strawberry.type(description="How many members are in a segment.")
class SegmentCount:
    """How many members are in a segment."""

    segment: Segment = strawberry.field(description="The segment.")
    members: int = strawberry.field(description="How many.")
