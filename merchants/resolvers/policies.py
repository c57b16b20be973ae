"""What a merchant shows of how its tiers go together."""

from __future__ import annotations

from collections.abc import Sequence

from strawberry import Parent

from kernel.clock import to_micros
from merchants.context import MerchantsInfo
from merchants.ladders.growth_sql import read_tasks
from merchants.ladders.paid_sql import read_plans
from merchants.ladders.policies_sql import NO_POLICY, read_policies
from merchants.resolvers.parents import KnownById
from merchants.resolvers.refused import not_yours
from merchants.rights import may_act_for
from merchants.schema.growth import GrowthTask
from merchants.schema.paid import PaidPlan
from merchants.schema.tier_policies import TierPolicy


async def merchant_policy(merchant: Parent[KnownById], info: MerchantsInfo) -> TierPolicy | None:
    """The policy in force."""
    if not may_act_for(info.context.caller, merchant.id):
        raise not_yours()
    at = to_micros(info.context.backend.clock.now())
    found = await info.context.backend.database.snapshot(
        lambda connection: read_policies(connection, [merchant.id], at=at)
    )
    return TierPolicy.of(found.get(merchant.id, NO_POLICY))


async def merchant_tasks(
    merchant: Parent[KnownById], info: MerchantsInfo
) -> Sequence[GrowthTask] | None:
    """Tasks; anyone may read a merchant's promises."""
    tasks = await info.context.backend.database.snapshot(
        lambda connection: read_tasks(connection, merchant.id)
    )
    return [GrowthTask.of(task) for task in tasks]


async def merchant_plans(
    merchant: Parent[KnownById], info: MerchantsInfo
) -> Sequence[PaidPlan] | None:
    """Plans; anyone may read a merchant's promises."""
    plans = await info.context.backend.database.snapshot(
        lambda connection: read_plans(connection, merchant.id)
    )
    return [PaidPlan.of(plan, info.context.currency) for plan in plans]
