"""A member's coupon in GraphQL."""

from __future__ import annotations

import strawberry

from merchants.coupons.coupons_sql import HeldCoupon
from merchants.resolvers import coupons as resolve
from merchants.resolvers.references import issuer


@strawberry.federation.type(
    keys=["id merchantId"],
    description="One member's copy of a coupon template; its merchant holds it.",
)
class Coupon:
    """A coupon."""

    id: strawberry.ID = strawberry.field(description="TypeID `cpn_…`; embeds the merchant.")
    merchant_id: strawberry.ID = strawberry.field(
        description="Id of the issuing merchant, or of the alliance's own."
    )
    merchant = strawberry.field(
        resolver=issuer,
        description="The issuer; the alliance's own for alliance coupons. Null only with an error.",
    )
    code = strawberry.field(
        resolver=resolve.coupon_code,
        description="What staff or a scanner reads; unique at its merchant. Null only with an "
        "error.",
    )
    title = strawberry.field(
        resolver=resolve.coupon_title, description="Name, for people. Null only with an error."
    )
    kind = strawberry.field(
        resolver=resolve.coupon_kind, description="What it does. Null only with an error."
    )
    state = strawberry.field(
        resolver=resolve.coupon_state,
        description="State at this instant: EXPIRED once its time is over, TRANSFERRED while a "
        "share of it is open and once a friend has it. Null only with an error.",
    )
    amount = strawberry.field(
        resolver=resolve.coupon_amount, description="What it takes off; null unless AMOUNT_OFF."
    )
    percent_off_bps = strawberry.field(
        resolver=resolve.coupon_percent,
        description="What it takes off, basis points; null unless PERCENT_OFF.",
    )
    cap = strawberry.field(
        resolver=resolve.coupon_cap, description="The most it takes off; null without a limit."
    )
    min_spend = strawberry.field(
        resolver=resolve.coupon_min_spend,
        description="Spending it needs, after promotions; 0 for none. Null only with an error.",
    )
    void_reason = strawberry.field(
        resolver=resolve.coupon_void_reason,
        description="Why it was withdrawn, for people; null unless VOID.",
    )
    share = strawberry.field(
        resolver=resolve.coupon_share,
        description="How a friend can have it; null unless its holder asks and a share is open.",
    )
    gift_zone = strawberry.field(
        resolver=resolve.coupon_gift_zone,
        description="What it gives, to be picked by the member; null unless GIFT or EXCHANGE.",
    )
    valid_from = strawberry.field(
        resolver=resolve.coupon_valid_from,
        description="First instant, inclusive. Null only with an error.",
    )
    valid_until = strawberry.field(
        resolver=resolve.coupon_valid_until,
        description="Last instant, exclusive; null when it never ends.",
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, merchantId: strawberry.ID) -> Coupon:
        """The coupon that a key names; its fields load."""
        return cls(id=id, merchant_id=merchantId)

    @classmethod
    def of(cls, coupon: HeldCoupon) -> Coupon:
        """The GraphQL object of a coupon."""
        return cls(
            id=strawberry.ID(coupon.coupon_id), merchant_id=strawberry.ID(coupon.merchant_id)
        )
