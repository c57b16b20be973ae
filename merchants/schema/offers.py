"""What alliance and merchants share of offers: priced lines, decisions, cart and refund inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import strawberry

from kernel.graphql import Long, Money, MoneyInput
from merchants import offers
from merchants.offers import CartLine
from merchants.port import RefundLine
from merchants.schema.enums import DecisionKind, DecisionOutcome
from merchants.wording import message_of, title_of


@strawberry.federation.type(
    shareable=True, description="One candidate benefit of a cart: whether it applied, and why."
)
class BenefitDecision:
    """One candidate benefit."""

    id: strawberry.ID = strawberry.field(
        description="Unique within its quote or order; allocations refer to it."
    )
    title: str = strawberry.field(
        description="Name of the promotion, coupon or benefit, for people."
    )
    kind: DecisionKind = strawberry.field(description="What it is about.")
    outcome: DecisionOutcome = strawberry.field(description="What became of it.")
    reason: str | None = strawberry.field(
        description="Reason code in capitals (NO_EFFECT, BELOW_MIN_SPEND, "
        "COUPON_WRONG_MERCHANT); null when applied."
    )
    message: str = strawberry.field(description="Why, in the member's words.")
    amount: Money = strawberry.field(description="What it took off; 0 unless applied.")
    blocked_by: strawberry.ID | None = strawberry.field(
        description="`id` of the decision that excluded it; null when none did."
    )
    missing: Money | None = strawberry.field(
        description="How much more spending would make it apply; null when spending would not."
    )
    rule_version: int | None = strawberry.field(
        description="Version of the rule that decided; null for points, coins and shipping."
    )

    @classmethod
    def of(cls, decision: offers.Decision, currency: str, language: str) -> Self:
        """The GraphQL object of a decision, in words of this language."""
        blocked_by, missing = decision.blocked_by, decision.missing_minor
        return cls(
            id=strawberry.ID(decision.id),
            title=title_of(decision, language),
            kind=decision.kind,
            outcome=decision.outcome,
            reason=decision.reason,
            message=message_of(decision, language),
            amount=Money.of(decision.amount_minor, currency),
            blocked_by=None if blocked_by is None else strawberry.ID(blocked_by),
            missing=None if missing is None else Money.of(missing, currency),
            rule_version=decision.rule_version,
        )


@strawberry.federation.type(
    shareable=True,
    description="The share of one decision that falls on one line; never changes.",
)
class LineAllocation:
    """The share of one decision on one line."""

    decision_id: strawberry.ID = strawberry.field(description="`id` of the decision.")
    amount: Money = strawberry.field(description="The share, at least 0.")


@strawberry.federation.type(shareable=True, description="One line of a priced cart or of an order.")
class PricedLine:
    """One priced line."""

    index: int = strawberry.field(description="Position in the cart, from 0.")
    sku: str = strawberry.field(description="The merchant's article number.")
    quantity: int = strawberry.field(description="Units, at least 1.")
    list: Money = strawberry.field(description="quantity × unit price, before any benefit.")
    payable: Money = strawberry.field(
        description="What is left to pay in cash after every allocation."
    )
    allocations: Sequence[LineAllocation] = strawberry.field(
        description="Shares of the applied decisions; they sum to list − payable."
    )

    @classmethod
    def of(cls, line: offers.PricedLine, currency: str) -> Self:
        """The GraphQL object of a priced line."""
        return cls(
            index=line.index,
            sku=line.sku,
            quantity=line.quantity,
            list=Money.of(line.list_minor, currency),
            payable=Money.of(line.payable_minor, currency),
            allocations=[
                LineAllocation(
                    decision_id=strawberry.ID(each.decision_id),
                    amount=Money.of(each.amount_minor, currency),
                )
                for each in line.allocations
                if each.amount_minor
            ],
        )


@strawberry.input(description="One line of a cart.")
class CartLineInput:
    """One line of a cart."""

    sku: str = strawberry.field(description="The merchant's article number.")
    category_id: str | None = strawberry.field(
        default=None,
        description="The merchant's category, for coupons and promotions of a category.",
    )
    quantity: int = strawberry.field(description="Units, at least 1.")
    unit_price: MoneyInput = strawberry.field(
        description="Public price of one unit, before any promotion."
    )


@strawberry.input(description="Units of one line to refund.")
class RefundLineInput:
    """Units of one line to refund."""

    line_index: int = strawberry.field(description="Position of the line in the order, from 0.")
    quantity: int = strawberry.field(description="Units, at least 1, at most what is left.")


def cart_lines(lines: Iterable[CartLineInput]) -> tuple[CartLine, ...]:
    """The lines as the rules take them; `currency_problems` checks their money."""
    return tuple(
        CartLine(line.sku, line.quantity, line.unit_price.amount_minor, line.category_id)
        for line in lines
    )


def refund_line_values(lines: Iterable[RefundLineInput] | None) -> tuple[RefundLine, ...]:
    """The lines of a refund as the rules take them."""
    return tuple(RefundLine(line.line_index, line.quantity) for line in lines or ())


def currency_problems(
    amounts: Iterable[tuple[str, MoneyInput | None]], currency: str
) -> list[list[str]]:
    """The faults of (path, amount) pairs that are not in the alliance's currency."""
    return [
        [f"{path}.currency", f"must be {currency}, the alliance's currency"]
        for path, amount in amounts
        if amount is not None and amount.currency.value != currency
    ]


def line_amounts(lines: Iterable[CartLineInput]) -> list[tuple[str, MoneyInput | None]]:
    """The amounts of a cart's lines with their paths, for `currency_problems`."""
    return [(f"lines.{index}.unitPrice", line.unit_price) for index, line in enumerate(lines)]


def minor_of(amount: MoneyInput | None) -> int | None:
    """The amount in minor units; None when absent."""
    return None if amount is None else int(amount.amount_minor)


def money_or_none(amount_minor: int | None, currency: str) -> Money | None:
    """Money, or null for None."""
    return None if amount_minor is None else Money.of(amount_minor, currency)


def long_or_none(value: int | None) -> Long | None:
    """A Long, or null for None."""
    return None if value is None else Long(value)
