"""Clearing periods, statements, the merchants they concern, and settlement rules."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated

import strawberry

from kernel.graphql import Long, Money
from kernel.pages import Connection
from ledger.clearing.period_reads import PeriodRow
from ledger.resolvers import liability as liability_resolvers
from ledger.resolvers import merchant_deposits
from ledger.resolvers import periods as resolvers
from ledger.rules.days import first_instant
from ledger.rules.periods import period_id, statement_id
from ledger.rules.state import SettlementKind
from ledger.schema.deposits import Deposit
from ledger.schema.liability import Liability


@strawberry.enum(
    description=(
        "State of a clearing period. OPEN: events are posted in it. CLOSING: it is being proved "
        "and hashed. CLOSED: it never changes any more; late events go to the open one. SETTLED: "
        "and every statement of it is paid."
    )
)
class PeriodState(enum.Enum):
    """State of a clearing period."""

    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    SETTLED = "SETTLED"


@strawberry.enum(
    description=(
        "State of a statement. DRAFT: its period is open. ISSUED: its period is closed; the "
        "merchant confirms or disputes it. DISPUTED: the merchant objects; an admin resolves it. "
        "CONFIRMED: the merchant agrees, or the dispute is resolved. PAID: an admin recorded the "
        "payment."
    )
)
class StatementState(enum.Enum):
    """State of a statement."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    DISPUTED = "DISPUTED"
    CONFIRMED = "CONFIRMED"
    PAID = "PAID"


SettlementKindType = strawberry.enum(
    SettlementKind,
    name="SettlementKind",
    description=(
        "Why money moves between a merchant and the alliance. ISSUE, ISSUE_FEE: the merchant "
        "issued points, funds them and pays a fee on that. BURN, REDEEM_FEE: points were spent "
        "there, it is paid for them less a fee. RETURN: a refund gave spent points back. "
        "CLAW_BACK: a refund took points back that it had issued. DEBT_REPAYMENT: a member repaid "
        "such points later. EXPIRY: its share of points that expired. COUPON: the alliance's share"
        " of coupons. COINS_ISSUE: it granted coins. COINS_BURN: coins were spent there. "
        "COINS_RETURN: a refund gave them back. ADJUSTMENT: an admin resolved a dispute."
    ),
)


@strawberry.type(description="Proof that the pool backs every live point.")
class PoolProof:
    """Proof that the pool backs every live point."""

    opening: Money = strawberry.field(description="Pool at `from`.")
    closing: Money = strawberry.field(description="Pool at `to`, or now.")
    backing: Money = strawberry.field(description="Funding of the lots alive at `to`, or now.")
    balanced: bool = strawberry.field(description="Whether `closing` equals `backing`.")


@strawberry.type(description="Sum of one kind in one statement.")
class StatementLine:
    """Sum of one kind in one statement."""

    kind: Annotated[SettlementKind, SettlementKindType] = strawberry.field(description="Why.")
    points: Long = strawberry.field(
        description="Points moved, signed as `amount`; 0 for kinds without points."
    )
    amount: Money = strawberry.field(description="Money: + receives, − pays.")
    count: Long = strawberry.field(description="Entries summed.")


@strawberry.type(description="One settlement leg of one event.")
class StatementEntry:
    """One settlement leg of one event."""

    id: strawberry.ID = strawberry.field(description="TypeID `leg_…`.")
    at: datetime = strawberry.field(description="When the event took effect.")
    kind: Annotated[SettlementKind, SettlementKindType] = strawberry.field(description="Why.")
    points: Long = strawberry.field(
        description="Points moved, signed as `amount`; 0 for kinds without points."
    )
    amount: Money = strawberry.field(description="Money: + receives, − pays.")
    order_no: str | None = strawberry.field(
        description="The merchant's number of the order; null when no order is behind it."
    )
    origin_period: strawberry.ID | None = strawberry.field(
        description="Id of the closed period that it belongs to: the event took effect in it and "
        "was heard of too late, or it resolves a dispute of it. Null for an event of this period, "
        "such as a refund of an older order."
    )
    rule_version: int = strawberry.field(
        description="Version of the settlement rule that priced it."
    )


@strawberry.type(description="What was done with an issued statement.")
class StatementStep:
    """What was done with a statement."""

    state: StatementState = strawberry.field(description="Where it stood then.")
    at: datetime = strawberry.field(description="When.")
    by_merchant: bool = strawberry.field(
        description="Whether the merchant did it; otherwise the alliance."
    )
    reason: str | None = strawberry.field(
        description="DISPUTED: what is wrong. CONFIRMED: how a dispute was resolved. PAID: the "
        "reference of the payment. Null where none was asked for."
    )
    adjustment: Money | None = strawberry.field(
        description="What was posted in the open period to resolve a dispute: + the merchant "
        "receives, − it pays. Null when nothing was."
    )


@strawberry.federation.type(keys=["id"], description="A merchant of the alliance.")
class Merchant:
    """A merchant of the alliance."""

    id: strawberry.ID = strawberry.field(description="TypeID `mer_…`.")
    statement: SettlementStatement | None = strawberry.federation.field(
        resolver=resolvers.merchant_statement,
        requires_scopes=[["merchant"], ["admin"]],
        description="The merchant's account with the alliance for one period; "
        "null when it has none.",
    )
    statements: Connection[SettlementStatement] | None = strawberry.federation.field(
        resolver=resolvers.merchant_statements,
        requires_scopes=[["merchant"], ["admin"]],
        description="All its statements, newest period first. Null only with an error.",
    )
    deposit: Deposit | None = strawberry.federation.field(
        resolver=merchant_deposits.merchant_deposit,
        requires_scopes=[["merchant"], ["admin"]],
        description="What it has left as a deposit, and what that lets it owe. Null only with an "
        "error.",
    )
    liability: Liability | None = strawberry.federation.field(
        resolver=liability_resolvers.merchant_liability,
        requires_scopes=[["merchant"], ["admin"]],
        description="What became of the points that it issued. Null only with an error.",
    )
    net_as_of: Money | None = strawberry.federation.field(
        resolver=resolvers.merchant_net_as_of,
        requires_scopes=[["merchant"], ["admin"]],
        description="Sum over all periods of what took effect by `at`: + it is to receive, − it is "
        "to pay. An instant to come is as now. With `recordedBy` only what the books knew by that "
        "instant. Null only with an error.",
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Merchant:
        """The merchant with this id; its fields load."""
        return cls(id=id)


@strawberry.type(description="One merchant's net for one period.")
class SettlementStatement:
    """One merchant's net for one period."""

    month: strawberry.Private[int]
    id: strawberry.ID = strawberry.field(description="TypeID `stm_…`.")
    state: StatementState = strawberry.field(
        resolver=resolvers.statement_state,
        description="DRAFT until its period is closed, then ISSUED; CONFIRMED or DISPUTED by the "
        "merchant; PAID once the alliance recorded its payment.",
    )
    disputable_until: datetime | None = strawberry.field(
        resolver=resolvers.statement_disputable_until,
        description="Until when the merchant can dispute it; from then on an ISSUED one counts as "
        "accepted. Null while DRAFT.",
    )
    steps: list[StatementStep] = strawberry.field(
        resolver=resolvers.statement_steps,
        description="What was done with it since it was issued, the first step first.",
    )
    period: ClearingPeriod = strawberry.field(
        resolver=resolvers.statement_period, description="The period."
    )
    merchant: Merchant = strawberry.field(description="The merchant.")
    net: Money = strawberry.field(
        resolver=resolvers.statement_net, description="Sum of the lines: + receives, − pays."
    )
    lines: list[StatementLine] = strawberry.field(
        resolver=resolvers.statement_lines, description="One per kind that occurs."
    )
    entries: Connection[StatementEntry] = strawberry.field(
        resolver=resolvers.statement_entries,
        description="What the lines are made of, oldest first.",
    )

    @classmethod
    def of(cls, month: int, merchant_id: str) -> SettlementStatement:
        """The statement of a merchant that has entries in the month."""
        return cls(
            month=month,
            id=strawberry.ID(statement_id(month, merchant_id)),
            merchant=Merchant(id=strawberry.ID(merchant_id)),
        )


@strawberry.type(description="One calendar month in the alliance's time zone.")
class ClearingPeriod:
    """One calendar month in the alliance's time zone."""

    month: strawberry.Private[int]
    id: strawberry.ID = strawberry.field(description="TypeID `per_…`.")
    state: PeriodState = strawberry.field(
        description="State; figures are provisional until CLOSED. SETTLED once every statement "
        "that has something to pay was paid."
    )
    from_: datetime = strawberry.field(name="from", description="First instant, inclusive.")
    to: datetime = strawberry.field(description="Last instant, exclusive.")
    zero_sum: bool = strawberry.field(
        resolver=resolvers.period_zero_sum,
        description="Whether merchants + alliance + pool movement = 0 now.",
    )
    journal_hash: str | None = strawberry.field(
        description="SHA-256 of the period's journal, hexadecimal; null until CLOSED."
    )
    alliance: Money = strawberry.field(
        resolver=resolvers.period_alliance,
        description="The alliance's net: + receives, − pays.",
    )
    pool: PoolProof = strawberry.field(
        resolver=resolvers.period_pool, description="The pool that backs live points."
    )
    statements: Connection[SettlementStatement] = strawberry.field(
        resolver=resolvers.period_statements,
        description="One per merchant with entries, by merchant id.",
    )
    statement: SettlementStatement | None = strawberry.field(
        resolver=resolvers.period_statement,
        description="One merchant's statement; null when it has no entries.",
    )

    @classmethod
    def of(cls, row: PeriodRow, *, time_zone: str) -> ClearingPeriod:
        """The period of a row."""
        is_open = row.journal_hash is None
        closed = PeriodState.SETTLED if row.is_settled else PeriodState.CLOSED
        return cls(
            month=row.month,
            id=strawberry.ID(period_id(row.month)),
            state=PeriodState.OPEN if is_open else closed,
            from_=first_instant(row.month, time_zone),
            to=first_instant(row.month + 1, time_zone),
            journal_hash=row.journal_hash,
        )
