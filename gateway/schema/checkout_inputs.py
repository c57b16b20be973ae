"""Inputs of the checkout family, and the commands that they ask for."""

from __future__ import annotations

import strawberry

from gateway.checkout import capture, hold, refund, release, sale
from gateway.checkout.carts import Amount, CartAsked, LineAsked, RefundLineAsked
from gateway.schema.inputs import given
from kernel.graphql import REQUEST_ID, Long, MoneyInput
from merchants.schema.offers import CartLineInput, RefundLineInput

_CHECKOUT = "The checkout."
_ORDER_NO = (
    "The merchant's number for the order, unique there, so never two sales': a sale with the facts "
    "of the order that has the number is taken as that order, and nothing is booked anew; with "
    "other facts it is refused."
)


@strawberry.input(description="What is being bought.")
class CartInput:
    """What is being bought."""

    store_id: strawberry.ID = strawberry.field(description="Where.")
    card_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Absent: an anonymous buyer."
    )
    lines: list[CartLineInput] = strawberry.field(description="1 to 200.")
    coupon_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Coupons to use; others only when `chooseBest`."
    )
    points: Long | None = strawberry.field(default=strawberry.UNSET, description="Points to spend.")
    coins: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Coins to spend."
    )
    shipping: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Shipping to pay."
    )
    choose_best: bool | None = strawberry.field(
        default=True, description="Also choose among the member's coupons."
    )

    def asked(self) -> CartAsked:
        """The cart that is asked for."""
        return CartAsked(
            store_id=self.store_id,
            lines=tuple(
                LineAsked(
                    sku=line.sku,
                    quantity=line.quantity,
                    unit_price=_amount(line.unit_price),
                    category_id=given(line.category_id),
                )
                for line in self.lines
            ),
            card_id=given(self.card_id),
            coupon_ids=tuple(given(self.coupon_ids) or ()),
            points=given(self.points) or 0,
            coins=_amount_or_none(given(self.coins)),
            shipping=_amount_or_none(given(self.shipping)),
            choose_best=self.choose_best is not False,
        )


@strawberry.input(description="Input of `holdCheckout`.")
class HoldCheckoutInput:
    """A cart to hold."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    cart: CartInput = strawberry.field(description="The cart, as quoted.")
    quote_version: str = strawberry.field(description="Version of the quote the customer saw.")

    def command(self) -> hold.HoldCheckout:
        """What is asked for."""
        return hold.HoldCheckout(self.request_id, self.cart.asked(), self.quote_version)


@strawberry.input(description="Input of `extendCheckout`.")
class ExtendCheckoutInput:
    """A checkout that needs more time."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    checkout_id: strawberry.ID = strawberry.field(description=_CHECKOUT)

    def command(self) -> hold.ExtendCheckout:
        """What is asked for."""
        return hold.ExtendCheckout(self.request_id, self.checkout_id)


@strawberry.input(description="Input of `captureCheckout`.")
class CaptureCheckoutInput:
    """A checkout that was paid."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    checkout_id: strawberry.ID = strawberry.field(description=_CHECKOUT)
    order_no: str = strawberry.field(description=_ORDER_NO)

    def command(self) -> capture.CaptureCheckout:
        """What is asked for."""
        return capture.CaptureCheckout(self.request_id, self.checkout_id, self.order_no)


@strawberry.input(description="Input of `releaseCheckout`.")
class ReleaseCheckoutInput:
    """A checkout to give back."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    checkout_id: strawberry.ID = strawberry.field(description=_CHECKOUT)

    def command(self) -> release.ReleaseCheckout:
        """What is asked for."""
        return release.ReleaseCheckout(self.request_id, self.checkout_id)


@strawberry.input(description="Input of `checkout`.")
class CheckoutInput:
    """A cart to sell at once."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    cart: CartInput = strawberry.field(description="The cart.")
    quote_version: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Refuse when the cart costs something else; absent: take what it costs.",
    )
    order_no: str = strawberry.field(description=_ORDER_NO)

    def command(self) -> sale.Checkout:
        """What is asked for."""
        return sale.Checkout(
            self.request_id, self.cart.asked(), self.order_no, given(self.quote_version)
        )


@strawberry.input(description="Input of `refundOrder`: lines or an amount, not both.")
class RefundOrderInput:
    """A refund."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    order_id: strawberry.ID = strawberry.field(
        description="The order's `id`; `merchant { order(orderNo:) { id } }` finds it by the "
        "merchant's own number."
    )
    refund_no: str = strawberry.field(description="The merchant's number, unique within the order.")
    lines: list[RefundLineInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Units to refund."
    )
    amount: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="A price adjustment, cash only."
    )

    def command(self) -> refund.RefundAsked:
        """What is asked for."""
        return refund.RefundAsked(
            self.request_id,
            self.order_id,
            self.refund_no,
            lines_asked(given(self.lines)),
            amount_asked(given(self.amount)),
        )


def lines_asked(lines: list[RefundLineInput] | None) -> tuple[RefundLineAsked, ...] | None:
    """The lines of a refund; None when an amount is meant."""
    if lines is None:
        return None
    return tuple(RefundLineAsked(line.line_index, line.quantity) for line in lines)


def amount_asked(amount: MoneyInput | None) -> Amount | None:
    """The amount of a refund; None when lines are meant."""
    return _amount_or_none(amount)


def _amount(amount: MoneyInput) -> Amount:
    return Amount(amount.amount_minor, amount.currency.value)


def _amount_or_none(amount: MoneyInput | None) -> Amount | None:
    return None if amount is None else _amount(amount)
