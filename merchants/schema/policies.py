"""A merchant's limits of discounts in GraphQL."""

from __future__ import annotations

import strawberry

from kernel.graphql import REQUEST_ID
from merchants.pricing import policy


@strawberry.type(description="One version of a merchant's limits of discounts.")
class PricingPolicy:
    """One version of a merchant's limits."""

    version: int = strawberry.field(description="Counts from 1.")
    discount_cap_bps: int | None = strawberry.field(
        description="Most that all discounts together take off public prices of a cart, basis "
        "points; null without a limit. Public prices and promotions are never cut: coupons and "
        "points take what is left of it."
    )

    @classmethod
    def of(cls, found: policy.PricingPolicy) -> PricingPolicy:
        """The GraphQL object of the limits."""
        return cls(version=found.version, discount_cap_bps=found.discount_cap_bps)


@strawberry.input(description="Input of `setPricingPolicy`.")
class SetPricingPolicyInput:
    """Input of `setPricingPolicy`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(
        description="The merchant; an admin may name the alliance's own."
    )
    discount_cap_bps: int | None = strawberry.field(
        default=None,
        description="Most that all discounts together take off public prices, basis points, 0 to "
        "10000; absent: no limit.",
    )
