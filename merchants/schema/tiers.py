"""Standings and ladders in GraphQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from kernel.graphql import Long, Money
from kernel.pages import Connection
from merchants.keys_sql import Key
from merchants.ladders import tiers
from merchants.resolvers import standings as resolve
from merchants.schema.enums import Downgrade, TierGround, TierMetric, TierWindow
from merchants.schema.evaluations import TierEvaluation
from merchants.schema.offers import long_or_none, money_or_none


@strawberry.type(
    description="How far a member is in one ladder; orders, minor units or growth points, as "
    "`metric` says."
)
class TierProgress:
    """How far the next tier is."""

    metric: TierMetric = strawberry.field(description="What is measured.")
    current: Long = strawberry.field(description="Reached so far.")
    next: Long | None = strawberry.field(description="Where the next tier begins; null at the top.")
    remaining: Long | None = strawberry.field(description="next − current; null at the top.")
    next_name: str | None = strawberry.field(description="Name of the next tier; null at the top.")
    next_name_en: str | None = strawberry.field(
        description="English name of the next tier; null at the top or when it has none."
    )


@strawberry.type(description="Where a member stands in one ladder.")
class TierStanding:
    """Where a member stands."""

    key: strawberry.Private[Key]
    ladder: str = strawberry.field(description="Name of the ladder.")
    version: int = strawberry.field(description="Version of the ladder that decided.")
    name: str | None = strawberry.field(description="Name of the tier; null below the first step.")
    name_en: str | None = strawberry.field(
        description="English name of the tier; null below the first step or when it has none."
    )
    rank: int = strawberry.field(
        description="Rank of the tier, the higher the better; 0 below the first step."
    )
    valid_until: datetime | None = strawberry.field(
        description="Until when the tier is kept, exclusive, and evaluated again then; null for a "
        "LIFETIME ladder and for a tier that needs no keeping."
    )
    ground: TierGround = strawberry.field(description="Why the member stands there.")
    progress: TierProgress = strawberry.field(description="How far to the next tier.")
    evaluations: Connection[TierEvaluation] = strawberry.field(
        resolver=resolve.standing_evaluations,
        description="The evidence: each evaluation that changed or renewed the tier, newest first.",
    )

    @classmethod
    def of(cls, standing: tiers.Standing, key: Key) -> TierStanding:
        """The GraphQL object of a standing; `key` is the merchant's and the card's id."""
        return cls(
            key=key,
            ladder=standing.ladder,
            version=standing.version,
            name=standing.name,
            name_en=standing.name_en,
            rank=standing.rank,
            valid_until=standing.valid_until,
            ground=standing.ground,
            progress=TierProgress(
                metric=standing.metric,
                current=Long(standing.current),
                next=long_or_none(standing.next),
                remaining=long_or_none(standing.remaining),
                next_name=standing.next_name,
                next_name_en=standing.next_name_en,
            ),
        )


@strawberry.type(description="A right that a tier gives.")
class Benefit:
    """A right that a tier gives."""

    kind: str = strawberry.field(
        description="Kind: PERCENT_OFF, MEMBER_PRICE, POINTS_MULTIPLIER, FREE_SHIPPING, "
        "EARLY_ACCESS, GIFT or an entitlement that no price takes into account."
    )
    title: str = strawberry.field(description="Name, for people.")
    percent_off_bps: int | None = strawberry.field(
        description="What it takes off, basis points; null for other kinds."
    )
    points_multiplier_bps: int | None = strawberry.field(
        description="Points earned, basis points of the usual; null for other kinds."
    )
    entitlement: str | None = strawberry.field(
        description="Entitlement flag; null for other kinds."
    )
    title_en: str | None = strawberry.field(description="English name; null when not given.")
    early_minutes: int | None = strawberry.field(
        description="How much earlier flash sales open, minutes; null for other kinds."
    )
    gift_sku: str | None = strawberry.field(
        description="The merchant's article, of which a unit is free; null for other kinds."
    )
    price: Money | None = strawberry.field(
        description="What a unit costs, of MEMBER_PRICE; null for other kinds."
    )
    skus: Sequence[str] | None = strawberry.field(
        description="Articles that it is limited to; null for all."
    )
    category_ids: Sequence[str] | None = strawberry.field(
        description="Categories that it is limited to; null for all."
    )
    min_spend: Money | None = strawberry.field(
        description="What other goods must cost, of GIFT; null for a flag and for other kinds."
    )

    @classmethod
    def of(cls, benefit: tiers.Benefit, currency: str) -> Benefit:
        """The GraphQL object of a benefit."""
        return cls(
            kind=benefit.kind,
            title=benefit.title,
            percent_off_bps=benefit.percent_off_bps,
            points_multiplier_bps=benefit.points_multiplier_bps,
            entitlement=benefit.entitlement,
            title_en=benefit.title_en,
            early_minutes=benefit.early_minutes,
            gift_sku=benefit.gift_sku,
            price=money_or_none(benefit.price_minor, currency),
            skus=benefit.skus,
            category_ids=benefit.category_ids,
            min_spend=money_or_none(benefit.min_spend_minor, currency),
        )


@strawberry.type(description="One step of a ladder.")
class TierStep:
    """One step of a ladder."""

    name: str = strawberry.field(description="Name of the tier.")
    name_en: str | None = strawberry.field(description="English name; null when not given.")
    rank: int = strawberry.field(description="From 1, the higher the better.")
    threshold: Long = strawberry.field(
        description="Where it begins, inclusive; orders, minor units or growth points."
    )
    benefits: Sequence[Benefit] = strawberry.field(description="What it gives.")


@strawberry.type(description="One version of a ladder of tiers.")
class TierLadder:
    """One version of a ladder."""

    name: str = strawberry.field(description="Unique at its merchant; the same for all versions.")
    version: int = strawberry.field(description="Counts from 1.")
    primary: bool = strawberry.field(description="Whether `Wallet.tier` stands in it.")
    metric: TierMetric = strawberry.field(description="What it measures.")
    window: TierWindow = strawberry.field(description="Over which time.")
    window_months: int | None = strawberry.field(
        description="Calendar months of a ROLLING_MONTHS window; null for other windows."
    )
    retention_months: int = strawberry.field(
        description="Months that a tier is kept at least, to the end of that month; in a "
        "CALENDAR_YEAR ladder to the end of that year. Nothing in a LIFETIME ladder."
    )
    downgrade: Downgrade = strawberry.field(
        description="What becomes of a tier whose time is over and that is not reached again."
    )
    return_days: int = strawberry.field(
        description="A refund within so many days of its order undoes it as if it had never been."
    )
    growth_per_major_unit: int = strawberry.field(
        description="Growth value of each major unit of an order's qualifying amount."
    )
    steps: Sequence[TierStep] = strawberry.field(description="Steps, lowest first.")
    effective_from: datetime = strawberry.field(description="In force from then on.")

    @classmethod
    def of(cls, ladder: tiers.Ladder, currency: str) -> TierLadder:
        """The GraphQL object of a ladder."""
        return cls(
            name=ladder.name,
            version=ladder.version,
            primary=ladder.is_primary,
            metric=ladder.metric,
            window=ladder.window,
            window_months=ladder.window_months,
            retention_months=ladder.retention_months,
            downgrade=ladder.downgrade,
            return_days=ladder.return_days,
            growth_per_major_unit=ladder.growth_per_major_unit,
            steps=[
                TierStep(
                    name=step.name,
                    name_en=step.name_en,
                    rank=step.rank,
                    threshold=Long(step.threshold),
                    benefits=[Benefit.of(each, currency) for each in step.benefits],
                )
                for step in ladder.steps
            ],
            effective_from=ladder.effective_from,
        )
