"""Runs what tills ask for: quotes, sales and refunds."""

from __future__ import annotations

import strawberry

from gateway.checkout import capture, hold, refund, release, sale
from gateway.checkout import quote as pricing
from gateway.checkout.outages import answered
from gateway.resolvers.context import AllianceInfo
from gateway.schema.checkout import (
    CheckoutCaptured,
    CheckoutExtended,
    CheckoutHeld,
    CheckoutReleased,
    OrderRefunded,
)
from gateway.schema.checkout_inputs import (
    CaptureCheckoutInput,
    CartInput,
    CheckoutInput,
    ExtendCheckoutInput,
    HoldCheckoutInput,
    RefundOrderInput,
    ReleaseCheckoutInput,
    amount_asked,
    lines_asked,
)
from gateway.schema.checkouts import Checkout, Quote, Refund, RefundTerms
from gateway.schema.inputs import given
from gateway.schema.members import Card, Membership
from gateway.schema.nodes import Order
from kernel.graphql import Money, MoneyInput
from merchants.schema.offers import RefundLineInput


async def quote(info: AllianceInfo, cart: CartInput) -> Quote:
    """What a cart costs."""
    context = info.context
    quoted = await answered(pricing.quote(context.alliance.desk, context.caller, cart.asked()))
    return Quote.of(quoted.priced, quoted.currency, context.language)


async def hold_checkout(info: AllianceInfo, input: HoldCheckoutInput) -> CheckoutHeld:
    """Holds what a cart needs."""
    context = info.context
    done = await answered(hold.hold(context.alliance.desk, context.caller, input.command()))
    return CheckoutHeld(replayed=done.replayed, checkout=_checkout(done.checkout_id))


async def extend_checkout(info: AllianceInfo, input: ExtendCheckoutInput) -> CheckoutExtended:
    """Gives a held checkout more time."""
    context = info.context
    done = await answered(hold.extend(context.alliance.desk, context.caller, input.command()))
    return CheckoutExtended(replayed=done.replayed, checkout=_checkout(done.checkout_id))


async def capture_checkout(info: AllianceInfo, input: CaptureCheckoutInput) -> CheckoutCaptured:
    """Books what the customer paid for."""
    context = info.context
    done = await answered(capture.capture(context.alliance.desk, context.caller, input.command()))
    return _captured(info, done)


async def release_checkout(info: AllianceInfo, input: ReleaseCheckoutInput) -> CheckoutReleased:
    """Gives back what a checkout holds."""
    context = info.context
    done = await answered(release.release(context.alliance.desk, context.caller, input.command()))
    return CheckoutReleased(replayed=done.replayed, checkout=_checkout(done.checkout_id))


async def checkout(info: AllianceInfo, input: CheckoutInput) -> CheckoutCaptured:
    """Sells a cart at once."""
    context = info.context
    done = await answered(sale.checkout(context.alliance.desk, context.caller, input.command()))
    return _captured(info, done)


async def refund_order(info: AllianceInfo, input: RefundOrderInput) -> OrderRefunded:
    """Refunds an order."""
    context = info.context
    done = await answered(refund.refund(context.alliance.desk, context.caller, input.command()))
    return OrderRefunded(
        replayed=done.replayed,
        refund=Refund.of(done, context.alliance.settings.values.currency),
        order=Order.of(done.order_id),
        card=_card(done.card_id),
    )


async def refund_preview(
    info: AllianceInfo,
    order_id: strawberry.ID,
    lines: list[RefundLineInput] | None = strawberry.UNSET,
    amount: MoneyInput | None = strawberry.UNSET,
) -> RefundTerms:
    """What a refund would do."""
    context = info.context
    figures = await answered(
        refund.preview(
            context.alliance.desk,
            context.caller,
            order_id,
            lines=lines_asked(given(lines)),
            amount=amount_asked(given(amount)),
        )
    )
    return RefundTerms.of(figures, context.alliance.settings.values.currency)


def _captured(info: AllianceInfo, done: capture.CheckoutCaptured) -> CheckoutCaptured:
    membership_id = done.membership_id
    currency = info.context.alliance.settings.values.currency
    return CheckoutCaptured(
        replayed=done.replayed,
        order=Order.of(done.order_id),
        card=_card(done.card_id),
        membership=None
        if membership_id is None
        else Membership(
            id=strawberry.ID(membership_id), merchant_id=strawberry.ID(done.merchant_id)
        ),
        absorbed=Money.of(done.absorbed_minor, currency),
    )


def _card(card_id: str | None) -> Card | None:
    return None if card_id is None else Card(id=strawberry.ID(card_id))


def _checkout(checkout_id: str) -> Checkout:
    return Checkout(id=strawberry.ID(checkout_id))
