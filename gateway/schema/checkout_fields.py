"""Root fields of the checkout family."""

from __future__ import annotations

import strawberry

from gateway.resolvers import checkout as resolvers
from gateway.schema.checkout import (
    CaptureCheckoutResult,
    CheckoutResult,
    ExtendCheckoutResult,
    HoldCheckoutResult,
    QuoteResult,
    RefundOrderResult,
    RefundPreviewResult,
    ReleaseCheckoutResult,
)

_TILLS = [["merchant"]]


@strawberry.type
class CheckoutQueries:
    """What a sale or a refund would do."""

    quote: QuoteResult | None = strawberry.federation.field(
        resolver=resolvers.quote,
        requires_scopes=_TILLS,
        description="What a cart costs and why; nothing is written.",
    )
    refund_preview: RefundPreviewResult | None = strawberry.federation.field(
        resolver=resolvers.refund_preview,
        requires_scopes=_TILLS,
        description="What a refund would do; nothing is written. "
        "Give lines or an amount, not both.",
    )


@strawberry.type
class CheckoutMutations:
    """Sales and refunds."""

    hold_checkout: HoldCheckoutResult | None = strawberry.federation.field(
        resolver=resolvers.hold_checkout,
        requires_scopes=_TILLS,
        description="Holds coupons, points and coins while the customer pays.",
    )
    extend_checkout: ExtendCheckoutResult | None = strawberry.federation.field(
        resolver=resolvers.extend_checkout,
        requires_scopes=_TILLS,
        description="Gives a held checkout more time, once.",
    )
    capture_checkout: CaptureCheckoutResult | None = strawberry.federation.field(
        resolver=resolvers.capture_checkout,
        requires_scopes=_TILLS,
        description="The customer paid: the sale stands.",
    )
    release_checkout: ReleaseCheckoutResult | None = strawberry.federation.field(
        resolver=resolvers.release_checkout,
        requires_scopes=_TILLS,
        description="Gives back what a checkout holds.",
    )
    checkout: CheckoutResult | None = strawberry.federation.field(
        resolver=resolvers.checkout,
        requires_scopes=_TILLS,
        description="Quote, hold and capture in one call.",
    )
    refund_order: RefundOrderResult | None = strawberry.federation.field(
        resolver=resolvers.refund_order,
        requires_scopes=_TILLS,
        description="Refunds lines, or an amount, of an order.",
    )
