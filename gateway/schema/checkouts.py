"""Quotes, checkouts and refunds."""

from __future__ import annotations

import asyncio
from datetime import datetime

import strawberry

from gateway.checkout.refund import OrderRefunded as RefundMade
from gateway.checkout.refund import RefundFigures
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.states import CheckoutState
from gateway.resolvers import checkout_fields as resolvers
from gateway.schema.nodes import Node, Order
from kernel.graphql import Long, Money
from merchants.offers import Priced
from merchants.schema.enums import CouponOutcome
from merchants.schema.kept_back import KEPT_BACK, KeptBack
from merchants.schema.offers import BenefitDecision, PricedLine

strawberry.enum(
    CheckoutState,
    description=(
        "State of a checkout. OPENING: locks and holds are being taken. HELD: all is held while "
        "the customer pays. CAPTURING: the customer paid, the sale is being booked, and nothing "
        "releases it. CAPTURED: the sale is booked everywhere. RELEASING: locks and holds go back."
        " RELEASED: nothing is held."
    ),
)

_CASH_BACK = "Cash to hand back."
_CLAWED_BACK = "Earned points taken back, debt included."


@strawberry.type(description="A priced cart.")
class Quote:
    """A priced cart."""

    version: str = strawberry.field(
        description="Hash of inputs, rule versions and result; hold and checkout compare it."
    )
    list: Money = strawberry.field(
        description="Sum of the lines at public unit prices, shipping excluded."
    )
    payable: Money = strawberry.field(description="Cash to pay, shipping included.")
    anonymous_payable: Money = strawberry.field(
        description="Cash a stranger would pay for this cart now; never less than `payable` "
        "and the value of points and coins spent."
    )
    points_spent: Long = strawberry.field(description="Points spent.")
    coins_spent: Money = strawberry.field(description="Coins spent.")
    points_to_earn: Long = strawberry.field(description="Points the order will earn.")
    lines: tuple[PricedLine, ...] = strawberry.field(description="Lines in cart order.")
    decisions: tuple[BenefitDecision, ...] = strawberry.field(
        description="Every benefit considered, in pricing order."
    )

    @classmethod
    def of(cls, priced: Priced, currency: str, language: str) -> Quote:
        """The GraphQL object of a price."""
        return cls(
            version=priced.version,
            list=Money.of(priced.list_minor, currency),
            payable=Money.of(priced.payable_minor, currency),
            anonymous_payable=Money.of(priced.anonymous_payable_minor, currency),
            points_spent=Long(priced.points_spent),
            coins_spent=Money.of(priced.coins_spent_minor, currency),
            points_to_earn=Long(priced.points_to_earn),
            lines=tuple(PricedLine.of(line, currency) for line in priced.lines),
            decisions=tuple(
                BenefitDecision.of(each, currency, language) for each in priced.decisions
            ),
        )


@strawberry.type(description="One attempt to sell a cart.")
class Checkout(Node):
    """A checkout, read once when a field needs it."""

    id: strawberry.ID = strawberry.field(description="TypeID `chk_…`.")
    reading: strawberry.Private[asyncio.Task[SavedCheckout] | None] = None
    state: CheckoutState = strawberry.field(resolver=resolvers.checkout_state, description="State.")
    expires_at: datetime = strawberry.field(
        resolver=resolvers.checkout_expires_at, description="When a held checkout is released."
    )
    payable: Money = strawberry.field(
        resolver=resolvers.checkout_payable, description="Cash to collect."
    )
    order: Order | None = strawberry.field(
        resolver=resolvers.checkout_order, description="The order; null until captured."
    )


@strawberry.type(description="What a refund would do.")
class RefundTerms:
    """What a refund would do."""

    cash: Money = strawberry.field(description=_CASH_BACK)
    points_returned: Long = strawberry.field(description="Spent points that return to the member.")
    coins_returned: Money = strawberry.field(description="Spent coins that return to the member.")
    points_clawed_back: Long = strawberry.field(description=_CLAWED_BACK)
    debt_created: Long = strawberry.field(
        description="Part of `pointsClawedBack` that the member then owes."
    )
    coupon_outcome: CouponOutcome = strawberry.field(
        description="What happens to the order's coupons."
    )
    kept_back: KeptBack | None = strawberry.field(description=KEPT_BACK)

    @classmethod
    def of(cls, figures: RefundFigures, currency: str) -> RefundTerms:
        """The GraphQL object of a preview."""
        return cls(
            cash=Money.of(figures.cash_minor, currency),
            points_returned=Long(figures.points_returned),
            coins_returned=Money.of(figures.coins_returned_minor, currency),
            points_clawed_back=Long(figures.points_clawed_back),
            debt_created=Long(figures.debt_created),
            coupon_outcome=CouponOutcome(figures.coupon_outcome),
            kept_back=KeptBack.of(figures.kept_back, currency),
        )


@strawberry.type(description="A refund that was made; its figures never change.")
class Refund:
    """A refund that was made."""

    id: strawberry.ID = strawberry.field(description="TypeID `rfd_…`.")
    refund_no: str = strawberry.field(description="The merchant's number, unique within the order.")
    cash: Money = strawberry.field(description=_CASH_BACK)
    points_returned: Long = strawberry.field(
        description="Spent points that returned to the member."
    )
    coins_returned: Money = strawberry.field(description="Spent coins that returned to the member.")
    points_clawed_back: Long = strawberry.field(description=_CLAWED_BACK)
    debt_created: Long = strawberry.field(
        description="Part of `pointsClawedBack` that the member now owes."
    )
    coupon_outcome: CouponOutcome = strawberry.field(
        description="What happened to the order's coupons."
    )
    kept_back: KeptBack | None = strawberry.field(description=KEPT_BACK)

    @classmethod
    def of(cls, made: RefundMade, currency: str) -> Refund:
        """The GraphQL object of a refund."""
        figures = made.figures
        return cls(
            id=strawberry.ID(made.refund_id),
            refund_no=made.refund_no,
            cash=Money.of(figures.cash_minor, currency),
            points_returned=Long(figures.points_returned),
            coins_returned=Money.of(figures.coins_returned_minor, currency),
            points_clawed_back=Long(figures.points_clawed_back),
            debt_created=Long(figures.debt_created),
            coupon_outcome=CouponOutcome(figures.coupon_outcome),
            kept_back=KeptBack.of(figures.kept_back, currency),
        )
