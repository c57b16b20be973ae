"""Promotions in GraphQL: what a merchant shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from kernel.graphql import Money
from merchants.promotions import terms as values
from merchants.schema.enums import PromotionKind
from merchants.schema.offers import money_or_none


@strawberry.type(description="One version of a promotion.")
class Promotion:
    """One version of a promotion."""

    id: strawberry.ID = strawberry.field(
        description="TypeID `prm_…`; embeds the merchant; the same for all versions."
    )
    version: int = strawberry.field(description="Counts from 1.")
    title: str = strawberry.field(description="Name, for people.")
    kind: PromotionKind = strawberry.field(description="What it does.")
    starts_at: datetime = strawberry.field(description="First instant, inclusive.")
    ends_at: datetime = strawberry.field(description="Last instant, exclusive.")
    threshold: Money | None = strawberry.field(
        description="Spending it needs; null for kinds without one."
    )
    off: Money | None = strawberry.field(description="What it takes off; null for other kinds.")
    percent_off_bps: int | None = strawberry.field(
        description="What it takes off, basis points; null for other kinds."
    )
    price: Money | None = strawberry.field(
        description="Price of a unit or bundle; null for other kinds."
    )
    skus: Sequence[str] | None = strawberry.field(
        description="Articles it is limited to; null for all. Of a BUNDLE what one bundle holds, "
        "an article as often as it is in it."
    )
    category_ids: Sequence[str] | None = strawberry.field(
        description="Categories it is limited to; null for all."
    )
    stock_left: int | None = strawberry.field(
        description="Units that nobody holds or bought; null without a limit."
    )
    early_access_rank: int | None = strawberry.field(
        description="Tier rank that may buy early; null for none."
    )
    early_access_minutes: int | None = strawberry.field(
        description="How much earlier, minutes; null for none."
    )
    members_only: bool = strawberry.field(description="Whether only members have it.")
    stacks_with_member_price: bool = strawberry.field(
        description="Whether a member's percentage is taken off its price too (折上折)."
    )
    weekdays: Sequence[int] | None = strawberry.field(
        description="Days of the week on which it holds, 1 is Monday; null for all."
    )
    month_days: Sequence[int] | None = strawberry.field(
        description="Days of the month on which it holds; null for all."
    )

    @classmethod
    def of(cls, promotion: values.Promotion, currency: str) -> Promotion:
        """The GraphQL object of a promotion."""
        terms = promotion.terms
        return cls(
            id=strawberry.ID(promotion.promotion_id),
            version=promotion.version,
            title=terms.title,
            kind=terms.kind,
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
            threshold=money_or_none(terms.threshold_minor, currency),
            off=money_or_none(terms.off_minor, currency),
            percent_off_bps=terms.percent_off_bps,
            price=money_or_none(terms.price_minor, currency),
            skus=terms.skus,
            category_ids=terms.category_ids,
            stock_left=promotion.stock_left,
            early_access_rank=terms.early_access_rank,
            early_access_minutes=terms.early_access_minutes,
            members_only=terms.is_for_members,
            stacks_with_member_price=terms.stacks,
            weekdays=terms.weekdays,
            month_days=terms.month_days,
        )
