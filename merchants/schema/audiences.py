"""Whom a coupon template is for, in GraphQL."""

from __future__ import annotations

import strawberry

from merchants import audiences as rules
from merchants.audiences import KEY_ORDERS, WINDOW_DAYS, AudienceKind, MemberSegment

strawberry.enum(
    AudienceKind,
    name="AudienceKind",
    description="How an audience is told apart. NEW: joined and never bought. DORMANT: bought, "
    "but not for so many days. TIER: at least a rank in a ladder. SEGMENT: see `MemberSegment`.",
)
strawberry.enum(
    MemberSegment,
    name="MemberSegment",
    description="A segment by what a member bought. KEY: at least `keyOrders` orders in the last "
    "`windowDays`. LIGHT: fewer, but at least one. ZOMBIE: never bought, and joined more than "
    "`days` ago.",
)


@strawberry.type(description="Whom a coupon template is for.")
class CouponAudience:
    """Whom a coupon template is for."""

    kind: AudienceKind = strawberry.field(description="How it is told apart.")
    days: int | None = strawberry.field(
        description="DORMANT: days without an order. ZOMBIE: days since joining; null for 30."
    )
    ladder: str | None = strawberry.field(description="Name of the ladder; null unless TIER.")
    min_rank: int | None = strawberry.field(description="Least rank there; null unless TIER.")
    segment: MemberSegment | None = strawberry.field(
        description="The segment; null unless SEGMENT."
    )
    key_orders: int = strawberry.field(description="Orders that make a member KEY.")
    window_days: int = strawberry.field(description="Over which days KEY and LIGHT count.")
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
            key_orders=audience.key_orders,
            window_days=audience.window_days,
            at_redemption=audience.at_redemption,
        )


@strawberry.input(description="Whom a coupon template is for; who is outside gets no coupon.")
class CouponAudienceInput:
    """Whom a coupon template is for."""

    kind: AudienceKind = strawberry.field(description="How it is told apart.")
    days: int | None = strawberry.field(
        default=None,
        description="DORMANT, needed: days without an order. ZOMBIE: days since joining; absent: "
        "30. 1 to 3650.",
    )
    ladder: str | None = strawberry.field(
        default=None, description="TIER, needed: name of one of the merchant's ladders."
    )
    min_rank: int | None = strawberry.field(
        default=None, description="TIER, needed: least rank there, 1 or more."
    )
    segment: MemberSegment | None = strawberry.field(
        default=None, description="SEGMENT, needed: which one."
    )
    key_orders: int | None = strawberry.field(
        default=KEY_ORDERS, description="Orders that make a member KEY, 2 to 1000."
    )
    window_days: int | None = strawberry.field(
        default=WINDOW_DAYS, description="Over which days KEY and LIGHT count, 1 to 3650."
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
            key_orders=KEY_ORDERS if self.key_orders is None else self.key_orders,
            window_days=WINDOW_DAYS if self.window_days is None else self.window_days,
            at_redemption=bool(self.at_redemption),
        )
