"""What the steps of a statement take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    MoneyInput,
    NotFoundRefusal,
    RefusalPayload,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
    parse_datetime,
)
from ledger.schema.periods import SettlementStatement
from ledger.schema.periods import StatementState as StateType
from ledger.statements.life import StatementState

_PERIOD = "Whose statement: the period's id, `per_…`."
_MERCHANT = "Whose statement: the merchant's id, `mer_…`."


@strawberry.type(description="The statement stands where this can not be done.")
class StatementStateRefusal(RefusalPayload):
    """Payload of `StatementState`."""

    state: StateType = strawberry.field(description="Where it stands.")
    disputable_until: datetime | None = strawberry.field(
        description="Until when an issued statement can be disputed; from then on it counts as "
        "accepted, and can be paid. Null while its period is open."
    )

    @classmethod
    def of(cls, refusal: object, info: object) -> StatementStateRefusal:
        """The payload of `StatementState`."""
        assert isinstance(refusal, StatementState)
        text = refusal.disputable_until
        return cls(
            **cls.told_by(refusal),
            state=StateType(refusal.state),
            disputable_until=None if text is None else parse_datetime(text),
        )


@strawberry.type(description="The statement took a step.")
class StatementChanged:
    """The statement took a step."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    statement: SettlementStatement = strawberry.field(description="The statement, read now.")


_Outcome = (
    StatementChanged
    | StatementStateRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal
)
ConfirmStatementResult = Annotated[
    _Outcome,
    strawberry.union("ConfirmStatementResult", description="Answer of `confirmStatement`."),
]
DisputeStatementResult = Annotated[
    _Outcome,
    strawberry.union("DisputeStatementResult", description="Answer of `disputeStatement`."),
]
ResolveDisputeResult = Annotated[
    _Outcome,
    strawberry.union("ResolveDisputeResult", description="Answer of `resolveDispute`."),
]
RecordPaymentResult = Annotated[
    _Outcome,
    strawberry.union("RecordPaymentResult", description="Answer of `recordPayment`."),
]


@strawberry.input(description="Input of `confirmStatement`.")
class ConfirmStatementInput:
    """Input of `confirmStatement`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    period_id: strawberry.ID = strawberry.field(description=_PERIOD)
    merchant_id: strawberry.ID = strawberry.field(description=_MERCHANT)


@strawberry.input(description="Input of `disputeStatement`.")
class DisputeStatementInput:
    """Input of `disputeStatement`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    period_id: strawberry.ID = strawberry.field(description=_PERIOD)
    merchant_id: strawberry.ID = strawberry.field(description=_MERCHANT)
    reason: str = strawberry.field(
        description="What is wrong with it, for the alliance's clerk; 1 to 500 characters."
    )


@strawberry.input(description="Input of `resolveDispute`.")
class ResolveDisputeInput:
    """Input of `resolveDispute`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    period_id: strawberry.ID = strawberry.field(description=_PERIOD)
    merchant_id: strawberry.ID = strawberry.field(description=_MERCHANT)
    adjustment: MoneyInput = strawberry.field(
        description="What is posted in the open period, against the alliance: + the merchant "
        "receives, − it pays; not 0, at most 10^13 minor units either way."
    )
    reason: str = strawberry.field(description="Why so, for the merchant; 1 to 500 characters.")


@strawberry.input(description="Input of `recordPayment`.")
class RecordPaymentInput:
    """Input of `recordPayment`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    period_id: strawberry.ID = strawberry.field(description=_PERIOD)
    merchant_id: strawberry.ID = strawberry.field(description=_MERCHANT)
    reference: str = strawberry.field(
        description="The bank's reference of the payment; 1 to 140 characters."
    )
