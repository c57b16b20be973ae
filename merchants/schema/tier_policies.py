"""How a merchant's ladders go together, in GraphQL."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from kernel.graphql import REQUEST_ID
from merchants.ladders import policies
from merchants.schema.enums import TierCombination

_ALLIANCE_RANK = "Rank in the alliance's ladders, from 1; a higher one gives as much."
_RANK = "Rank in the merchant's primary ladder that it gives at least."
_KEY_ORDERS = "Orders within the window that make a key member."
_WINDOW_MONTHS = "Calendar months that orders are counted over."
_ZOMBIE_DAYS = "A member who never bought is a newcomer for so many days."
_WEIGHT = "What its orders and amounts count, basis points: 10000 in full, 0 not at all."


@strawberry.type(description="A rank in the alliance's ladders that a merchant honours.")
class HonouredAllianceTier:
    """A rank that a merchant honours."""

    alliance_rank: int = strawberry.field(description=_ALLIANCE_RANK)
    rank: int = strawberry.field(description=_RANK)


@strawberry.type(description="Where a merchant's segments part.")
class SegmentThresholds:
    """Where segments part."""

    key_orders: int = strawberry.field(description=_KEY_ORDERS)
    window_months: int = strawberry.field(description=_WINDOW_MONTHS)
    zombie_days: int = strawberry.field(description=_ZOMBIE_DAYS)


@strawberry.type(description="What a merchant's orders count in the alliance's ladders.")
class AllianceWeight:
    """What a merchant's orders count."""

    merchant_id: strawberry.ID = strawberry.field(description="The merchant.")
    weight_bps: int = strawberry.field(description=_WEIGHT)


@strawberry.type(description="How a merchant's ladders go together, and with the alliance's.")
class TierPolicy:
    """How ladders go together."""

    version: int = strawberry.field(description="Counts from 1; 0 for a merchant that never chose.")
    combination: TierCombination = strawberry.field(
        description="How tiers in several ladders go together."
    )
    honoured: Sequence[HonouredAllianceTier] = strawberry.field(
        description="Which alliance ranks the merchant honours, lowest first."
    )
    segments: SegmentThresholds = strawberry.field(description="Where segments part.")
    weights: Sequence[AllianceWeight] = strawberry.field(
        description="Of the alliance's own merchant alone: what merchants count, by id; one that "
        "is not named counts in full."
    )

    @classmethod
    def of(cls, policy: policies.TierPolicy) -> TierPolicy:
        """The GraphQL object of a policy."""
        thresholds = policy.segments
        return cls(
            version=policy.version,
            combination=policy.combination,
            honoured=[
                HonouredAllianceTier(alliance_rank=each.alliance_rank, rank=each.rank)
                for each in policy.honoured
            ],
            segments=SegmentThresholds(
                key_orders=thresholds.key_orders,
                window_months=thresholds.window_months,
                zombie_days=thresholds.zombie_days,
            ),
            weights=[
                AllianceWeight(merchant_id=strawberry.ID(merchant_id), weight_bps=weight_bps)
                for merchant_id, weight_bps in sorted(policy.weights.items())
            ],
        )


@strawberry.input(description="A rank in the alliance's ladders that a merchant honours.")
class HonouredAllianceTierInput:
    """A rank that a merchant honours."""

    alliance_rank: int = strawberry.field(description=_ALLIANCE_RANK)
    rank: int = strawberry.field(description=_RANK)


@strawberry.input(description="Where a merchant's segments part.")
class SegmentThresholdsInput:
    """Where segments part."""

    key_orders: int | None = strawberry.field(default=4, description=_KEY_ORDERS)
    window_months: int | None = strawberry.field(default=12, description=_WINDOW_MONTHS)
    zombie_days: int | None = strawberry.field(default=30, description=_ZOMBIE_DAYS)


@strawberry.input(description="Input of `setTierPolicy`.")
class SetTierPolicyInput:
    """Input of `setTierPolicy`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(
        description="The merchant; an admin may name the alliance's own."
    )
    combination: TierCombination | None = strawberry.field(
        default=TierCombination.ANY, description="How tiers in several ladders go together."
    )
    honoured: Sequence[HonouredAllianceTierInput] | None = strawberry.field(
        default=None,
        description="Which alliance ranks to honour, lowest first, at most 50; absent: none.",
    )
    segments: SegmentThresholdsInput | None = strawberry.field(
        default=None, description="Where segments part; absent: 4 orders, 12 months, 30 days."
    )


@strawberry.input(description="What a merchant's orders count in the alliance's ladders.")
class AllianceWeightInput:
    """What a merchant's orders count."""

    merchant_id: strawberry.ID = strawberry.field(description="The merchant, each once.")
    weight_bps: int = strawberry.field(description=_WEIGHT)


@strawberry.input(description="Input of `setAllianceWeights`.")
class SetAllianceWeightsInput:
    """Input of `setAllianceWeights`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="The alliance's own merchant.")
    weights: Sequence[AllianceWeightInput] = strawberry.field(
        description="All weights from now on, at most 1000; one that is not named counts in full."
    )
