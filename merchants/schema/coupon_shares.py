"""A coupon that its holder passes on, in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry


@strawberry.type(description="An open share of a coupon: whoever claims it first has the coupon.")
class CouponShare:
    """An open share of a coupon."""

    code: str = strawberry.field(description="What the friend sends to `claimCoupon`; a secret.")
    expires_at: datetime = strawberry.field(
        description="Until when it can be claimed; then the coupon is the holder's again."
    )
