"""Answers of the checkout family."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.schema.checkout_refusals import (
    CheckoutClosedRefusal,
    CouponTakenRefusal,
    DebtOpenRefusal,
    ExtensionUsedRefusal,
    InsufficientCoinsRefusal,
    InsufficientPointsRefusal,
    OrderConflictRefusal,
    QuoteStaleRefusal,
    RefundConflictRefusal,
    RefundExceedsOrderRefusal,
)
from gateway.schema.checkouts import Checkout, Quote, Refund, RefundTerms
from gateway.schema.inputs import REPLAYED
from gateway.schema.members import Card, Membership
from gateway.schema.nodes import Order
from gateway.schema.refusals import MemberFrozenRefusal, MerchantNotActiveRefusal
from kernel.graphql import (
    InvalidInputRefusal,
    Money,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)

_CHECKOUT_NOW = "The checkout, read now."
_BUYERS_CARD = "The buyer's card; null for an anonymous buyer."


@strawberry.type(description="Coupons, points and coins are held.")
class CheckoutHeld:
    """Success of `holdCheckout`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    checkout: Checkout = strawberry.field(description=_CHECKOUT_NOW)


@strawberry.type(description="The checkout has more time.")
class CheckoutExtended:
    """Success of `extendCheckout`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    checkout: Checkout = strawberry.field(description=_CHECKOUT_NOW)


@strawberry.type(description="The order stands.")
class CheckoutCaptured:
    """Success of `captureCheckout` and `checkout`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    order: Order = strawberry.field(description="The order.")
    card: Card | None = strawberry.field(description=_BUYERS_CARD)
    membership: Membership | None = strawberry.field(
        description="The buyer at this merchant; null for an anonymous buyer."
    )
    absorbed: Money = strawberry.field(
        description="What could not be re-acquired after a late capture, borne by the merchant; "
        "0 as a rule."
    )


@strawberry.type(description="What the checkout held is free again.")
class CheckoutReleased:
    """Success of `releaseCheckout`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    checkout: Checkout = strawberry.field(description=_CHECKOUT_NOW)


@strawberry.type(description="The refund stands.")
class OrderRefunded:
    """Success of `refundOrder`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    refund: Refund = strawberry.field(description="What it did.")
    order: Order = strawberry.field(description="The order, read now.")
    card: Card | None = strawberry.field(description=_BUYERS_CARD)


QuoteResult = Annotated[
    Quote | MemberFrozenRefusal | MerchantNotActiveRefusal | InvalidInputRefusal | NotFoundRefusal,
    strawberry.union("QuoteResult", description="Answer of `quote`."),
]
HoldCheckoutResult = Annotated[
    CheckoutHeld
    | QuoteStaleRefusal
    | CouponTakenRefusal
    | InsufficientPointsRefusal
    | InsufficientCoinsRefusal
    | DebtOpenRefusal
    | MemberFrozenRefusal
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("HoldCheckoutResult", description="Answer of `holdCheckout`."),
]
ExtendCheckoutResult = Annotated[
    CheckoutExtended
    | CheckoutClosedRefusal
    | ExtensionUsedRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ExtendCheckoutResult", description="Answer of `extendCheckout`."),
]
CaptureCheckoutResult = Annotated[
    CheckoutCaptured
    | OrderConflictRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("CaptureCheckoutResult", description="Answer of `captureCheckout`."),
]
ReleaseCheckoutResult = Annotated[
    CheckoutReleased
    | CheckoutClosedRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ReleaseCheckoutResult", description="Answer of `releaseCheckout`."),
]
CheckoutResult = Annotated[
    CheckoutCaptured
    | QuoteStaleRefusal
    | CouponTakenRefusal
    | InsufficientPointsRefusal
    | InsufficientCoinsRefusal
    | DebtOpenRefusal
    | MemberFrozenRefusal
    | MerchantNotActiveRefusal
    | OrderConflictRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("CheckoutResult", description="Answer of `checkout`."),
]
RefundPreviewResult = Annotated[
    RefundTerms | RefundExceedsOrderRefusal | InvalidInputRefusal | NotFoundRefusal,
    strawberry.union("RefundPreviewResult", description="Answer of `refundPreview`."),
]
RefundOrderResult = Annotated[
    OrderRefunded
    | RefundExceedsOrderRefusal
    | RefundConflictRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("RefundOrderResult", description="Answer of `refundOrder`."),
]
