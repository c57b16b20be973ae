"""Settlement rules, and what proposing and approving them takes and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry

from kernel.clock import from_micros
from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    Money,
    NotFoundRefusal,
    RefusalPayload,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)
from kernel.units import Ratio
from ledger.resolvers import rules as resolvers
from ledger.rules.state import RuleTerms
from ledger.settlement_rules.proposals import PoolUnderfunded, RuleNotWaiting, RuleState
from ledger.settlement_rules.rules_sql import RuleRow

RuleStateType = strawberry.enum(
    RuleState,
    name="SettlementRuleState",
    description=(
        "State of a settlement rule. DRAFT: proposed, and waits for another admin. APPROVED: waits"
        " for its instant. ACTIVE: in force. SUPERSEDED: a later one is in force. SIMULATED is not"
        " given: a simulation changes nothing."
    ),
)


@strawberry.type(description="One version of the prices that merchants settle at.")
class SettlementRule:
    """One version of the prices that merchants settle at."""

    id: strawberry.ID = strawberry.field(description="TypeID `rule_…`.")
    version: int = strawberry.field(description="Counts from 1.")
    state: Annotated[RuleState, RuleStateType] = strawberry.field(description="State.")
    effective_from: datetime = strawberry.field(description="In force from then on, once approved.")
    issue_price: Ratio = strawberry.field(
        description="What an issuer pays into the pool, minor units per point."
    )
    redeem_price: Ratio = strawberry.field(
        description="What a redeemer is paid, minor units per point."
    )
    issue_fee_bps: int = strawberry.field(
        description="Fee on issuing, basis points of the funding."
    )
    redeem_fee_bps: int = strawberry.field(
        description="Fee on redeeming, basis points of the payment."
    )
    breakage_issuer_bps: int = strawberry.field(
        description="Issuer's share of expired funding, basis points; the rest is the alliance's."
    )
    proposed_by: str | None = strawberry.field(
        description="Subject of the token of the admin who proposed it; null for the first rule, "
        "which the ledger was made with."
    )
    approved_by: str | None = strawberry.field(
        description="Subject of the token of the admin who approved it; null while nobody did, and "
        "for the first rule."
    )
    accepts_top_up: bool = strawberry.field(
        description="Whether its proposer agreed that the alliance adds what live points lack of "
        "its redeem price."
    )
    warnings: list[str] = strawberry.field(
        resolver=resolvers.warnings_of_rule,
        description="What whoever approves it should know, as of now, for people; empty once it is "
        "approved.",
    )
    terms: strawberry.Private[RuleTerms]

    @classmethod
    def of(cls, row: RuleRow) -> SettlementRule:
        """The rule of a row."""
        return cls(
            id=strawberry.ID(row.rule_id),
            version=row.version,
            state=row.state,
            effective_from=from_micros(row.effective_from),
            issue_price=row.terms.issue_price,
            redeem_price=row.terms.redeem_price,
            issue_fee_bps=row.terms.issue_fee_bps,
            redeem_fee_bps=row.terms.redeem_fee_bps,
            breakage_issuer_bps=row.terms.breakage_issuer_bps,
            proposed_by=_subject_of(row.proposed_by),
            approved_by=_subject_of(row.approved_by),
            accepts_top_up=row.accepts_top_up,
            terms=row.terms,
        )


def _subject_of(key: str | None) -> str | None:
    """The subject of an admin's `Caller.key`."""
    return key.partition(":")[2] if key else None


@strawberry.type(description="The redeem price is above the funding of live points.")
class PoolUnderfundedRefusal(RefusalPayload):
    """Payload of `PoolUnderfunded`."""

    shortfall: Money = strawberry.field(description="What the alliance would have to add.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> PoolUnderfundedRefusal:
        """The payload of `PoolUnderfunded`."""
        assert isinstance(refusal, PoolUnderfunded)
        shortfall = info.context.money(refusal.shortfall_minor)
        return cls(**cls.told_by(refusal), shortfall=shortfall)


@strawberry.type(description="Whoever proposed a rule cannot approve it.")
class SelfApprovalRefusal(RefusalPayload):
    """Payload of `SelfApproval`."""


@strawberry.type(description="The rule is not waiting for approval.")
class RuleStateRefusal(RefusalPayload):
    """Payload of `RuleNotWaiting`."""

    rule_version: strawberry.Private[int]
    rule: SettlementRule = strawberry.field(
        resolver=resolvers.refused_rule, description="The rule, read now."
    )

    @classmethod
    def of(cls, refusal: Any, info: Any) -> RuleStateRefusal:
        """The payload of `RuleNotWaiting`."""
        assert isinstance(refusal, RuleNotWaiting)
        return cls(**cls.told_by(refusal), rule_version=refusal.version)


@strawberry.type(description="The rule waits for another admin.")
class SettlementRuleProposed:
    """The rule waits for another admin."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    rule: SettlementRule = strawberry.field(description="The rule, read now.")
    warnings: list[str] = strawberry.field(description="What an approver should know, for people.")


@strawberry.type(description="The rule will take effect.")
class SettlementRuleApproved:
    """The rule will take effect."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    rule: SettlementRule = strawberry.field(description="The rule, read now.")


ProposeSettlementRuleResult = Annotated[
    SettlementRuleProposed
    | PoolUnderfundedRefusal
    | InvalidInputRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union(
        "ProposeSettlementRuleResult", description="Answer of `proposeSettlementRule`."
    ),
]
ApproveSettlementRuleResult = Annotated[
    SettlementRuleApproved
    | SelfApprovalRefusal
    | RuleStateRefusal
    | PoolUnderfundedRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union(
        "ApproveSettlementRuleResult", description="Answer of `approveSettlementRule`."
    ),
]


@strawberry.input(description="Input of `proposeSettlementRule`.")
class ProposeSettlementRuleInput:
    """Input of `proposeSettlementRule`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    effective_from: datetime = strawberry.field(description="At least 60 s after approval.")
    issue_price: Ratio = strawberry.field(
        description="Minor units per point an issuer pays; over 0, at most 1000000."
    )
    redeem_price: Ratio = strawberry.field(
        description="Minor units per point a redeemer is paid; over 0, at most 1000000."
    )
    issue_fee_bps: int = strawberry.field(description="Basis points, 0 to 10000.")
    redeem_fee_bps: int = strawberry.field(description="Basis points, 0 to 10000.")
    breakage_issuer_bps: int = strawberry.field(description="Basis points, 0 to 10000.")
    accept_top_up: bool | None = strawberry.field(
        default=False, description="Let the alliance fund live points up to `redeemPrice`."
    )


@strawberry.input(description="Input of `approveSettlementRule`.")
class ApproveSettlementRuleInput:
    """Input of `approveSettlementRule`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    rule_id: strawberry.ID = strawberry.field(description="The rule.")
