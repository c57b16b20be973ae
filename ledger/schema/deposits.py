"""Deposits of merchants."""

from __future__ import annotations

from datetime import datetime

import strawberry

from kernel.graphql import Money
from kernel.pages import Connection
from ledger.resolvers import deposits as resolvers


@strawberry.type(description="Money that came to a merchant's deposit, or went back.")
class DepositMovement:
    """A movement of a deposit."""

    id: strawberry.ID = strawberry.field(description="TypeID `dep_…`.")
    at: datetime = strawberry.field(description="When it was recorded.")
    amount: Money = strawberry.field(description="+ came to the deposit, − went back.")
    reason: str = strawberry.field(description="Why, in an admin's words.")


@strawberry.type(description="A merchant's deposit, and what it lets the merchant owe.")
class Deposit:
    """A merchant's deposit."""

    merchant_id: strawberry.Private[str]
    balance: Money = strawberry.field(description="What the merchant has left; at least 0.")
    required: Money = strawberry.field(
        description="What it should leave: the average of what it had to pay in the last three "
        "closed periods, rounded up."
    )
    owed: Money = strawberry.field(
        description="What it has to pay for the periods that are open; 0 when it receives."
    )
    limit: Money = strawberry.field(
        description="What it may owe before its sales earn no more points: 120 % of `balance`."
    )
    issuing_allowed: bool = strawberry.field(
        description="Whether its sales earn points, as far as the deposit is concerned. Sales, "
        "redemptions and refunds go on either way."
    )
    suspended_because: str | None = strawberry.field(
        description="Why its sales earn no points, for people; null while they do."
    )
    movements: Connection[DepositMovement] = strawberry.field(
        resolver=resolvers.deposit_movements,
        description="What was recorded and returned, newest first.",
    )
