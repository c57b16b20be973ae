"""What recording and returning deposits takes and answers."""

from __future__ import annotations

from datetime import datetime
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
    parse_datetime,
)
from ledger.deposits.credit import DepositHeld, DepositTooLow
from ledger.schema.periods import Merchant


@strawberry.type(
    description="The deposit does not hold so much beyond what a merchant that leaves has to pay."
)
class DepositTooLowRefusal(RefusalPayload):
    """Payload of `DepositTooLow`."""

    balance: Money = strawberry.field(description="What it holds.")
    owed: Money = strawberry.field(
        description="What the merchant has to pay first, statements that are not paid and open"
        " periods together; 0 unless it leaves."
    )

    @classmethod
    def of(cls, refusal: Any, info: Any) -> DepositTooLowRefusal:
        """The payload of `DepositTooLow`."""
        assert isinstance(refusal, DepositTooLow)
        money = info.context.money
        return cls(
            **cls.told_by(refusal),
            balance=money(refusal.balance_minor),
            owed=money(refusal.owed_minor),
        )


@strawberry.type(
    description="The deposit of a merchant that leaves stays until its customers' returns are over."
)
class DepositHeldRefusal(RefusalPayload):
    """Payload of `DepositHeld`."""

    held_until: datetime = strawberry.field(description="From when it can be returned.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> DepositHeldRefusal:
        """The payload of `DepositHeld`."""
        assert isinstance(refusal, DepositHeld)
        return cls(**cls.told_by(refusal), held_until=parse_datetime(refusal.held_until))


@strawberry.type(description="The money is in the merchant's deposit.")
class DepositRecorded:
    """The money is in the deposit."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    merchant: Merchant = strawberry.field(description="The merchant, read now.")


@strawberry.type(description="The money left the merchant's deposit.")
class DepositReturned:
    """The money left the deposit."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    merchant: Merchant = strawberry.field(description="The merchant, read now.")


RecordDepositResult = Annotated[
    DepositRecorded
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("RecordDepositResult", description="Answer of `recordDeposit`."),
]
ReturnDepositResult = Annotated[
    DepositReturned
    | DepositTooLowRefusal
    | DepositHeldRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ReturnDepositResult", description="Answer of `returnDeposit`."),
]


@strawberry.input(description="Input of `recordDeposit`.")
class RecordDepositInput:
    """Input of `recordDeposit`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="Whose deposit.")
    amount: MoneyInput = strawberry.field(
        description="What the merchant paid; over 0, at most 10^13 minor units."
    )
    reason: str = strawberry.field(
        description="Why, for the deposit's history; 1 to 200 characters."
    )


@strawberry.input(description="Input of `returnDeposit`.")
class ReturnDepositInput:
    """Input of `returnDeposit`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="Whose deposit.")
    amount: MoneyInput = strawberry.field(
        description="What the merchant gets back; over 0, at most what the deposit holds."
    )
    reason: str = strawberry.field(
        description="Why, for the deposit's history; 1 to 200 characters."
    )
