"""What `grantCoins` takes and answers."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    Money,
    MoneyInput,
    NotFoundRefusal,
    RefusalPayload,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)
from ledger.contract import GrantOverBudget
from ledger.schema.cards import Card


@strawberry.type(description="The funder's budget of the month does not cover the grant.")
class GrantOverBudgetRefusal(RefusalPayload):
    """Payload of `GrantOverBudget`."""

    budget_left: Money = strawberry.field(description="What is left of it.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> GrantOverBudgetRefusal:
        """The payload of `GrantOverBudget`."""
        assert isinstance(refusal, GrantOverBudget)
        left = info.context.money(refusal.budget_left_minor)
        return cls(**cls.told_by(refusal), budget_left=left)


@strawberry.type(description="The coins are on the card.")
class CoinsGranted:
    """The coins are on the card."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    card: Card = strawberry.field(description="The card, read now.")


GrantCoinsResult = Annotated[
    CoinsGranted
    | GrantOverBudgetRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("GrantCoinsResult", description="Answer of `grantCoins`."),
]


@strawberry.input(description="Input of `grantCoins`.")
class GrantCoinsInput:
    """Input of `grantCoins`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    card_id: strawberry.ID = strawberry.field(description="The card.")
    amount: MoneyInput = strawberry.field(
        description="Over 0, at most what the funder's budget has left."
    )
    funder_merchant_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who pays, a merchant that does not leave; absent: the alliance."
    )
    reason: str = strawberry.field(
        description="Why, for the books and the period's export; 1 to 200 characters."
    )
