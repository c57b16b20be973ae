"""Answers of the mutations around tiers: policies, tasks, paid memberships."""

from __future__ import annotations

from typing import Annotated

import strawberry

from kernel.graphql import (
    InvalidInputRefusal,
    Long,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)
from merchants.schema.growth import GrowthTask
from merchants.schema.paid import PaidMembership, PaidPlan
from merchants.schema.refusals import (
    MerchantNotActiveRefusal,
    NotAMemberRefusal,
    PaidMembershipOverRefusal,
    TaskCapReachedRefusal,
)
from merchants.schema.tier_policies import TierPolicy
from merchants.schema.wallets import Wallet

_REPLAYED = "Whether this answers a repeat of an earlier request."


@strawberry.type(description="The policy is in force.")
class TierPolicySet:
    """The policy is in force."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    policy: TierPolicy = strawberry.field(description="The new version.")


@strawberry.type(description="The task is in force.")
class GrowthTaskSet:
    """The task is in force."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    task: GrowthTask = strawberry.field(description="The task, read now.")


@strawberry.type(description="The task was done.")
class TaskRecorded:
    """The task was done."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    growth: Long = strawberry.field(description="Growth value that it gave.")
    counted: bool = strawberry.field(
        description="Whether it counted with this request; false when it counted before under "
        "this reference."
    )
    wallet: Wallet = strawberry.field(description="What the card has at the merchant now.")


@strawberry.type(description="The plan is in force.")
class PaidPlanSet:
    """The plan is in force."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    plan: PaidPlan = strawberry.field(description="The plan, read now.")


@strawberry.type(description="The card has the paid membership.")
class PaidMembershipSold:
    """The card has it."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    paid_membership: PaidMembership = strawberry.field(description="It, read now.")


@strawberry.type(description="The paid membership is over.")
class PaidMembershipRefunded:
    """It is over."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    paid_membership: PaidMembership = strawberry.field(
        description="It, read now; `refunded` is what the merchant hands back."
    )


SetTierPolicyResult = Annotated[
    TierPolicySet
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SetTierPolicyResult", description="Answer of `setTierPolicy`."),
]
SetAllianceWeightsResult = Annotated[
    TierPolicySet
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SetAllianceWeightsResult", description="Answer of `setAllianceWeights`."),
]
SetGrowthTaskResult = Annotated[
    GrowthTaskSet
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SetGrowthTaskResult", description="Answer of `setGrowthTask`."),
]
RecordTaskResult = Annotated[
    TaskRecorded
    | TaskCapReachedRefusal
    | NotAMemberRefusal
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("RecordTaskResult", description="Answer of `recordTask`."),
]
SetPaidPlanResult = Annotated[
    PaidPlanSet
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SetPaidPlanResult", description="Answer of `setPaidPlan`."),
]
SellPaidMembershipResult = Annotated[
    PaidMembershipSold
    | NotAMemberRefusal
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SellPaidMembershipResult", description="Answer of `sellPaidMembership`."),
]
RefundPaidMembershipResult = Annotated[
    PaidMembershipRefunded
    | PaidMembershipOverRefusal
    | NotFoundRefusal
    | InvalidInputRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("RefundPaidMembershipResult", description="Answer of `refundPaidMembership`."),
]
