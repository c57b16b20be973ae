"""Paid plans and memberships in GraphQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from kernel.graphql import REQUEST_ID, Money, MoneyInput
from merchants.ladders import paid
from merchants.schema.enums import PaidState
from merchants.schema.inputs import BenefitInput
from merchants.schema.offers import money_or_none
from merchants.schema.tiers import Benefit

_CODE = "The merchant's name for it: 1 to 50 capital letters, digits or _: GOLD_YEAR."
_PRICE = "What it costs; information: a sale of the merchant's collects it."
_MONTHS = "Calendar months that it lasts, 1 to 60."
_GRACE = "Days that its benefits go on after its end, 0 to 365."
_RANK = "Rank in the merchant's primary ladder that it gives at least; null for none."


@strawberry.type(description="A paid membership that a merchant sells.")
class PaidPlan:
    """A paid membership on sale."""

    code: str = strawberry.field(description=_CODE)
    version: int = strawberry.field(description="Counts from 1; what was sold keeps its terms.")
    title: str = strawberry.field(description="Name, for people.")
    title_en: str | None = strawberry.field(description="English name; null when not given.")
    price: Money = strawberry.field(description=_PRICE)
    months: int = strawberry.field(description=_MONTHS)
    grace_days: int = strawberry.field(description=_GRACE)
    rank: int | None = strawberry.field(description=_RANK)
    benefits: Sequence[Benefit] = strawberry.field(description="What it gives.")
    active: bool = strawberry.field(description="Whether it is sold now.")

    @classmethod
    def of(cls, plan: paid.PaidPlan, currency: str) -> PaidPlan:
        """The GraphQL object of a plan."""
        return cls(
            code=plan.code,
            version=plan.version,
            title=plan.title,
            title_en=plan.title_en,
            price=Money.of(plan.price_minor, currency),
            months=plan.months,
            grace_days=plan.grace_days,
            rank=plan.rank,
            benefits=[Benefit.of(each, currency) for each in plan.benefits],
            active=plan.is_active,
        )


@strawberry.type(description="A paid membership of one card; an overlay on the free one.")
class PaidMembership:
    """A paid membership."""

    id: strawberry.ID = strawberry.field(description="TypeID `pam_…`; embeds the merchant.")
    plan: PaidPlan = strawberry.field(description="What was sold, with the terms of then.")
    state: PaidState = strawberry.field(description="State now.")
    starts_at: datetime = strawberry.field(description="First instant, inclusive.")
    ends_at: datetime = strawberry.field(description="Last instant, exclusive.")
    grace_until: datetime = strawberry.field(
        description="Until when its benefits go on, exclusive, unless it is refunded."
    )
    refunded_at: datetime | None = strawberry.field(
        description="When it was refunded; null when it was not, or when a merge that refunded "
        "it was undone."
    )
    refunded: Money | None = strawberry.field(
        description="What of its price its refund gives back; null when nothing went back. While "
        "`refundedAt` is null: what a merge that was undone had given back; a refund from then on "
        "gives only what is more."
    )

    @classmethod
    def of(cls, bought: paid.PaidMembership, currency: str, now: datetime) -> PaidMembership:
        """The GraphQL object of a paid membership."""
        return cls(
            id=strawberry.ID(bought.id),
            plan=PaidPlan.of(bought.plan, currency),
            state=bought.state_at(now),
            starts_at=bought.starts_at,
            ends_at=bought.ends_at,
            grace_until=bought.grace_until,
            refunded_at=bought.refunded_at,
            refunded=money_or_none(bought.refunded_minor, currency),
        )


@strawberry.input(description="Input of `setPaidPlan`.")
class SetPaidPlanInput:
    """Input of `setPaidPlan`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="The merchant.")
    code: str = strawberry.field(description=_CODE)
    title: str = strawberry.field(description="Name, for people.")
    title_en: str | None = strawberry.field(default=None, description="English name.")
    price: MoneyInput = strawberry.field(description=_PRICE)
    months: int = strawberry.field(description=_MONTHS)
    grace_days: int | None = strawberry.field(default=0, description=_GRACE)
    rank: int | None = strawberry.field(default=None, description=_RANK)
    benefits: Sequence[BenefitInput] | None = strawberry.field(
        default=None, description="What it gives, at most 20."
    )
    active: bool | None = strawberry.field(default=True, description="Whether it is sold now.")


@strawberry.input(description="Input of `sellPaidMembership`.")
class SellPaidMembershipInput:
    """Input of `sellPaidMembership`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="The merchant.")
    card_id: strawberry.ID = strawberry.field(description="The card, which has joined.")
    code: str = strawberry.field(description="Code of the plan.")
    reference: str = strawberry.field(
        description="The merchant's number of the sale that collected the price, unique there."
    )


@strawberry.input(description="Input of `refundPaidMembership`.")
class RefundPaidMembershipInput:
    """Input of `refundPaidMembership`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    paid_membership_id: strawberry.ID = strawberry.field(
        description="The paid membership; its id embeds the merchant."
    )
