"""Whom a coupon template is for, in GraphQL."""

from __future__ import annotations

import strawberry

from merchants.coupons import audiences as rules
from merchants.coupons.audiences import AudienceKind
from merchants.schema.enums import Segment

strawberry.enum(
    AudienceKind,
    name="AudienceKind",
    description="How an audience is told apart. NEW: joined and never bought. DORMANT: bought, "
    "but not for so many days. TIER: at least a rank in a ladder. SEGMENT: see `Segment`; the "
    "merchant's tier policy says where segments part.",
)


@strawberry.type(description="Whom a coupon template is for.")
class CouponAudience:
    """Whom a coupon template is for."""

    kind: AudienceKind = strawberry.field(description="How it is told apart.")
    days: int | None = strawberry.field(description="Days without an order; null unless DORMANT.")
    ladder: str | None = strawberry.field(description="Name of the ladder; null unless TIER.")
    min_rank: int | None = strawberry.field(description="Least rank there; null unless TIER.")
    segment: Segment | None = strawberry.field(description="The segment; null unless SEGMENT.")
    at_redemption: bool = strawberry.field(
        description="Whether the holder must belong to it when the coupon is used, too."
    )

    @classmethod
    def of(cls, audience: rules.Audience) -> CouponAudience:
        """The GraphQL object of an audience."""
        return cls(
            kind=audience.kind,
            days=audience.days,
            ladder=audience.ladder,
            min_rank=audience.min_rank,
            segment=audience.segment,
            at_redemption=audience.at_redemption,
        )


@strawberry.input(description="Whom a coupon template is for; who is outside gets no coupon.")
class CouponAudienceInput:
    """Whom a coupon template is for."""

    kind: AudienceKind = strawberry.field(description="How it is told apart.")
    days: int | None = strawberry.field(
        default=None,
        description="DORMANT, needed: days without an order, 1 to 3650.",
    )
    ladder: str | None = strawberry.field(
        default=None, description="TIER, needed: name of one of the merchant's ladders."
    )
    min_rank: int | None = strawberry.field(
        default=None, description="TIER, needed: least rank there, 1 or more."
    )
    segment: Segment | None = strawberry.field(
        default=None, description="SEGMENT, needed: which one."
    )
    at_redemption: bool | None = strawberry.field(
        default=False,
        description="Also refuse the coupon, with NOT_IN_AUDIENCE, when its holder is outside "
        "by the time it is used.",
    )

    def audience(self) -> rules.Audience:
        """The audience, as rules take it."""
        return rules.Audience(
            kind=self.kind,
            days=self.days,
            ladder=self.ladder,
            min_rank=self.min_rank,
            segment=self.segment,
            at_redemption=bool(self.at_redemption),
        )
