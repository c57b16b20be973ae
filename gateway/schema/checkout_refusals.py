"""The refusals of the checkout family, as GraphQL tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

import strawberry

from gateway.checkout.refusals import CheckoutClosed, ExtensionUsed, QuoteStale
from gateway.checkout.saved import priced_from_dict
from gateway.resolvers.merchants import store_by_id
from gateway.schema.checkouts import Checkout, Quote
from gateway.schema.merchants import Store
from gateway.schema.nodes import Coupon, Order
from kernel.clock import from_micros
from kernel.graphql import Long, Money, RefusalPayload
from kernel.refusals import Refusal
from ledger.contract import DebtOpen, InsufficientCoins, InsufficientPoints
from merchants.refusals import CouponTaken, OrderConflict, RefundConflict, RefundExceedsOrder


@strawberry.type(description="The cart costs something else now.")
class QuoteStaleRefusal(RefusalPayload):
    """Payload of `QuoteStale`."""

    quote: Quote = strawberry.field(description="The cart as it is priced now.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `QuoteStale`."""
        priced = priced_from_dict(refusal.priced)
        return cls(
            **cls.told_by(refusal), quote=Quote.of(priced, refusal.currency, info.context.language)
        )


@strawberry.type(description="The card has fewer spendable points than asked.")
class InsufficientPointsRefusal(RefusalPayload):
    """Payload of `InsufficientPoints`."""

    available: Long = strawberry.field(description="Spendable points now.")
    requested: Long = strawberry.field(description="Points asked for.")


@strawberry.type(description="The card has fewer spendable coins than asked.")
class InsufficientCoinsRefusal(RefusalPayload):
    """Payload of `InsufficientCoins`."""

    available_coins: Money = strawberry.field(description="Spendable coins now.")
    requested_coins: Money = strawberry.field(description="Coins asked for.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `InsufficientCoins`."""
        currency = info.context.alliance.settings.values.currency
        return cls(
            **cls.told_by(refusal),
            available_coins=Money.of(refusal.available_coins, currency),
            requested_coins=Money.of(refusal.requested_coins, currency),
        )


@strawberry.type(description="Points cannot be spent while points are owed.")
class DebtOpenRefusal(RefusalPayload):
    """Payload of `DebtOpen`."""

    debt: Long = strawberry.field(description="Points owed.")


@strawberry.type(description="The checkout was already decided.")
class CheckoutClosedRefusal(RefusalPayload):
    """Payload of `CheckoutClosed`."""

    checkout: Checkout = strawberry.field(description="The checkout, read now.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `CheckoutClosed`."""
        checkout = Checkout(id=strawberry.ID(refusal.checkout_id))
        return cls(**cls.told_by(refusal), checkout=checkout)


@strawberry.type(description="A checkout is extended only once.")
class ExtensionUsedRefusal(RefusalPayload):
    """Payload of `ExtensionUsed`."""

    checkout: Checkout = strawberry.field(description="The checkout, read now.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `ExtensionUsed`."""
        checkout = Checkout(id=strawberry.ID(refusal.checkout_id))
        return cls(**cls.told_by(refusal), checkout=checkout)


@strawberry.federation.type(
    shareable=True, description="A coupon is locked or redeemed by another checkout."
)
class CouponTakenRefusal(RefusalPayload):
    """Payload of `CouponTaken`."""

    coupon: Coupon = strawberry.field(description="The coupon.")
    taken_at_store: Store | None = strawberry.field(
        description="Where the other checkout runs; null when the caller may not see it."
    )
    taken_at: datetime = strawberry.field(description="When the other checkout took it.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `CouponTaken`; another merchant's store stays untold."""
        store = None
        if refusal.taken_at_store_id is not None:
            store = store_by_id(info.context, refusal.taken_at_store_id)
        if store is not None and not info.context.caller.may_act_for(store.merchant_id):
            store = None
        return cls(
            **cls.told_by(refusal),
            coupon=Coupon.of(refusal.coupon_id),
            taken_at_store=store,
            taken_at=from_micros(refusal.taken_at),
        )


@strawberry.federation.type(
    shareable=True,
    description="The merchant has another order, with other facts, under this number.",
)
class OrderConflictRefusal(RefusalPayload):
    """Payload of `OrderConflict`."""

    order: Order = strawberry.field(description="The order that stands.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `OrderConflict`."""
        return cls(**cls.told_by(refusal), order=Order.of(refusal.order_id))


@strawberry.federation.type(
    shareable=True,
    description="The order has a refund with other facts under this `refundNo`.",
)
class RefundConflictRefusal(RefusalPayload):
    """Payload of `RefundConflict`."""

    order: Order = strawberry.field(description="The order.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `RefundConflict`."""
        return cls(**cls.told_by(refusal), order=Order.of(refusal.order_id))


@strawberry.federation.type(
    shareable=True, description="The refund asks for more than the order still holds."
)
class RefundExceedsOrderRefusal(RefusalPayload):
    """Payload of `RefundExceedsOrder`."""

    refundable: Money = strawberry.field(description="Cash that can still be refunded.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `RefundExceedsOrder`."""
        refundable = Money.of(refusal.refundable_minor, refusal.currency)
        return cls(**cls.told_by(refusal), refundable=refundable)


CHECKOUT_REFUSALS: dict[type[Refusal], type[RefusalPayload]] = {
    QuoteStale: QuoteStaleRefusal,
    InsufficientPoints: InsufficientPointsRefusal,
    InsufficientCoins: InsufficientCoinsRefusal,
    DebtOpen: DebtOpenRefusal,
    CheckoutClosed: CheckoutClosedRefusal,
    ExtensionUsed: ExtensionUsedRefusal,
    CouponTaken: CouponTakenRefusal,
    OrderConflict: OrderConflictRefusal,
    RefundConflict: RefundConflictRefusal,
    RefundExceedsOrder: RefundExceedsOrderRefusal,
}
