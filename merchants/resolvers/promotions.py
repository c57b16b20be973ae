"""A merchant sets its promotions, and its limits of discounts."""

from __future__ import annotations

from kernel.graphql import input_as_json
from kernel.refusals import InvalidInput
from merchants.changes.rulebook import Rulebook
from merchants.context import MerchantsInfo
from merchants.policy_sql import read_policy
from merchants.promotions.promotions_sql import read_promotion
from merchants.schema.answers import (
    PricingPolicySet,
    PromotionSet,
    SetPricingPolicyResult,
    SetPromotionResult,
)
from merchants.schema.offers import currency_problems
from merchants.schema.policies import PricingPolicy, SetPricingPolicyInput
from merchants.schema.promotion_inputs import SetPromotionInput
from merchants.schema.promotions import Promotion


async def set_promotion(info: MerchantsInfo, input: SetPromotionInput) -> SetPromotionResult | None:
    """A promotion, or a new version of one."""
    context = info.context
    rulebook = Rulebook(context.backend, context.merchant_caller)
    problems = currency_problems(input.amounts(), context.currency)
    if problems:
        raise InvalidInput(problems)
    answer = await rulebook.set_promotion(
        input.merchant_id,
        input.terms(),
        promotion_id=input.promotion_id,
        request_id=input.request_id,
        body=input_as_json(input),
    )
    outcome = answer.success()
    kept = await context.backend.database.snapshot(
        lambda connection: read_promotion(
            connection,
            merchant_id=outcome["merchantId"],
            promotion_id=outcome["promotionId"],
            version=outcome["version"],
        )
    )
    assert kept is not None
    return PromotionSet(
        replayed=answer.replayed, promotion=Promotion.of(kept.promotion, context.currency)
    )


async def set_pricing_policy(
    info: MerchantsInfo, input: SetPricingPolicyInput
) -> SetPricingPolicyResult | None:
    """A new version of the merchant's limits of discounts."""
    context = info.context
    rulebook = Rulebook(context.backend, context.merchant_caller)
    answer = await rulebook.set_pricing_policy(
        input.merchant_id,
        input.discount_cap_bps,
        request_id=input.request_id,
        body=input_as_json(input),
    )
    outcome = answer.success()
    policy = await context.backend.database.snapshot(
        lambda connection: read_policy(
            connection, outcome["merchantId"], version=outcome["version"]
        )
    )
    assert policy is not None
    return PricingPolicySet(replayed=answer.replayed, policy=PricingPolicy.of(policy))
