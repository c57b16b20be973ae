"""The ledger's root fields, and what they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    NotFoundRefusal,
    RefusalPayload,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
    parse_datetime,
)
from kernel.pages import Connection
from ledger.resolvers import (
    deposit_changes,
    rule_changes,
    rules,
    simulations,
    statement_changes,
)
from ledger.resolvers import grants as grant_resolvers
from ledger.resolvers import outbox as outbox_resolvers
from ledger.resolvers import roots as resolvers
from ledger.rules.periods import PeriodNotClosable
from ledger.schema.deposit_changes import RecordDepositResult, ReturnDepositResult
from ledger.schema.grants import GrantCoinsResult
from ledger.schema.outbox import ParkedMessage, ResumeMessageResult
from ledger.schema.periods import ClearingPeriod
from ledger.schema.settlement_rules import (
    ApproveSettlementRuleResult,
    ProposeSettlementRuleResult,
    SettlementRule,
)
from ledger.schema.simulations import SettlementSimulation
from ledger.schema.statement_changes import (
    ConfirmStatementResult,
    DisputeStatementResult,
    RecordPaymentResult,
    ResolveDisputeResult,
)


@strawberry.type(
    description="The period is too young to be closed, an older one is open, or it is closed."
)
class PeriodNotClosableRefusal(RefusalPayload):
    """Payload of `PeriodNotClosable`."""

    closable_from: datetime | None = strawberry.field(
        description="From when it can be, once every older one with entries is closed; null when "
        "it is closed already."
    )

    @classmethod
    def of(cls, refusal: object, info: object) -> PeriodNotClosableRefusal:
        """The payload of `PeriodNotClosable`."""
        assert isinstance(refusal, PeriodNotClosable)
        text = refusal.closable_from
        return cls(
            **cls.told_by(refusal),
            closable_from=None if text is None else parse_datetime(text),
        )


@strawberry.type(description="The period is closed; its entries never change.")
class PeriodClosed:
    """The period is closed."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    period: ClearingPeriod = strawberry.field(description="The period, read now.")


ClosePeriodResult = Annotated[
    PeriodClosed
    | PeriodNotClosableRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ClosePeriodResult", description="Answer of `closePeriod`."),
]


@strawberry.input(description="Input of `closePeriod`.")
class ClosePeriodInput:
    """Input of `closePeriod`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    period_id: strawberry.ID = strawberry.field(
        description="The period; closable 24 h after its end."
    )


@strawberry.type
class Query:
    """What can be asked."""

    settlement_rules: Connection[SettlementRule] | None = strawberry.federation.field(
        resolver=rules.settlement_rules,
        requires_scopes=[["admin"]],
        description="Settlement rules, newest version first.",
    )
    simulate_settlement_rule: SettlementSimulation | None = strawberry.federation.field(
        resolver=simulations.simulate_settlement_rule,
        requires_scopes=[["admin"]],
        description="What the events of a time would have settled at other terms.",
    )
    clearing_periods: Connection[ClearingPeriod] | None = strawberry.federation.field(
        resolver=resolvers.clearing_periods,
        requires_scopes=[["admin"]],
        description="Clearing periods, newest first.",
    )
    clearing_period: ClearingPeriod | None = strawberry.federation.field(
        resolver=resolvers.clearing_period,
        requires_scopes=[["admin"]],
        description="A clearing period; null when there is none.",
    )
    parked_messages: Connection[ParkedMessage] | None = strawberry.federation.field(
        resolver=outbox_resolvers.parked_messages,
        requires_scopes=[["admin"]],
        description="Messages that the webhook rejected too often, the oldest first.",
    )


@strawberry.type
class Mutation:
    """What can be done."""

    propose_settlement_rule: ProposeSettlementRuleResult | None = strawberry.federation.field(
        resolver=rule_changes.propose_settlement_rule,
        requires_scopes=[["admin"]],
        description="Proposes a settlement rule; another admin must approve it.",
    )
    approve_settlement_rule: ApproveSettlementRuleResult | None = strawberry.federation.field(
        resolver=rule_changes.approve_settlement_rule,
        requires_scopes=[["admin"]],
        description=(
            "Approves a rule that another admin proposed. A draft that was overtaken, since a "
            "later version is approved, is refused: propose it anew."
        ),
    )
    close_period: ClosePeriodResult | None = strawberry.federation.field(
        resolver=resolvers.close_period,
        requires_scopes=[["admin"]],
        description="Closes a period: freezes, proves, hashes, issues statements.",
    )
    confirm_statement: ConfirmStatementResult | None = strawberry.federation.field(
        resolver=statement_changes.confirm_statement,
        requires_scopes=[["merchant"]],
        description="Accepts the merchant's own statement of a closed period; a dispute that is "
        "open is withdrawn.",
    )
    dispute_statement: DisputeStatementResult | None = strawberry.federation.field(
        resolver=statement_changes.dispute_statement,
        requires_scopes=[["merchant"]],
        description="Disputes the merchant's own statement, within ten days of its issue; it is "
        "not paid until the dispute is withdrawn or resolved.",
    )
    resolve_dispute: ResolveDisputeResult | None = strawberry.federation.field(
        resolver=statement_changes.resolve_dispute,
        requires_scopes=[["admin"]],
        description="Resolves a dispute by an adjustment in the open period; the statement itself "
        "never changes, and is confirmed by it.",
    )
    record_payment: RecordPaymentResult | None = strawberry.federation.field(
        resolver=statement_changes.record_payment,
        requires_scopes=[["admin"]],
        description="Records that a statement was paid, by whoever had to pay: a confirmed one, or "
        "one that nobody disputed in ten days.",
    )
    grant_coins: GrantCoinsResult | None = strawberry.federation.field(
        resolver=grant_resolvers.grant_coins,
        requires_scopes=[["admin"]],
        description="Gives coins to a card at a funder's cost; coins are never sold.",
    )
    record_deposit: RecordDepositResult | None = strawberry.federation.field(
        resolver=deposit_changes.record_deposit,
        requires_scopes=[["admin"]],
        description="Records money that a merchant left as a deposit.",
    )
    return_deposit: ReturnDepositResult | None = strawberry.federation.field(
        resolver=deposit_changes.return_deposit,
        requires_scopes=[["admin"]],
        description="Records money of its deposit that a merchant got back.",
    )
    resume_message: ResumeMessageResult | None = strawberry.federation.field(
        resolver=outbox_resolvers.resume_message,
        requires_scopes=[["admin"]],
        description="Lets a parked message be sent anew, or gives it up.",
    )
