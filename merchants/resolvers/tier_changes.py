"""Mutations around tiers: policies, tasks, paid memberships."""

from __future__ import annotations

from typing import Any

from kernel.graphql import Long, input_as_json
from kernel.refusals import InvalidInput
from merchants.changes.tier_book import TierBook
from merchants.context import MerchantsInfo
from merchants.ladders import growth, paid, policies
from merchants.ladders.growth_sql import read_tasks
from merchants.ladders.paid_sql import read_paid, read_plans
from merchants.ladders.policies_sql import read_policy_version
from merchants.ladders.segments import SegmentThresholds
from merchants.resolvers.mutations import benefit_amounts, benefits_of
from merchants.schema import tier_answers as answers
from merchants.schema.growth import GrowthTask, RecordTaskInput, SetGrowthTaskInput
from merchants.schema.offers import currency_problems
from merchants.schema.paid import (
    PaidMembership,
    PaidPlan,
    RefundPaidMembershipInput,
    SellPaidMembershipInput,
    SetPaidPlanInput,
)
from merchants.schema.tier_policies import SetAllianceWeightsInput, SetTierPolicyInput, TierPolicy
from merchants.schema.wallets import Wallet


async def set_tier_policy(
    info: MerchantsInfo, input: SetTierPolicyInput
) -> answers.SetTierPolicyResult | None:
    """A new policy."""
    answer = await _book(info).set_tier_policy(
        input.merchant_id,
        policies.TierPolicy(
            combination=input.combination or policies.TierCombination.ANY,
            honoured=tuple(
                policies.HonouredRank(each.alliance_rank, each.rank)
                for each in input.honoured or ()
            ),
            segments=_thresholds(input),
        ),
        request_id=input.request_id,
        body=input_as_json(input),
    )
    return await _policy_set(info, answer.success(), replayed=answer.replayed)


async def set_alliance_weights(
    info: MerchantsInfo, input: SetAllianceWeightsInput
) -> answers.SetAllianceWeightsResult | None:
    """New weights of merchants."""
    weights = {each.merchant_id: each.weight_bps for each in input.weights}
    if len(weights) < len(input.weights):
        raise InvalidInput.at("weights", "must name each merchant once")
    answer = await _book(info).set_weights(
        input.merchant_id,
        {str(merchant_id): weight for merchant_id, weight in weights.items()},
        request_id=input.request_id,
        body=input_as_json(input),
    )
    return await _policy_set(info, answer.success(), replayed=answer.replayed)


async def set_growth_task(
    info: MerchantsInfo, input: SetGrowthTaskInput
) -> answers.SetGrowthTaskResult | None:
    """A task made or changed."""
    answer = await _book(info).set_task(
        input.merchant_id,
        growth.GrowthTask(
            code=input.code,
            title=input.title,
            title_en=input.title_en,
            growth=input.growth,
            per_day=1 if input.per_day is None else input.per_day,
            per_month=input.per_month,
            is_active=input.active is not False,
        ),
        request_id=input.request_id,
        body=input_as_json(input),
    )
    outcome = answer.success()
    tasks = await info.context.backend.database.snapshot(
        lambda connection: read_tasks(connection, outcome["merchantId"])
    )
    [task] = [each for each in tasks if each.code == outcome["code"]]
    return answers.GrowthTaskSet(replayed=answer.replayed, task=GrowthTask.of(task))


async def record_task(
    info: MerchantsInfo, input: RecordTaskInput
) -> answers.RecordTaskResult | None:
    """A task done."""
    answer = await _book(info).record_task(
        input.merchant_id,
        input.card_id,
        code=input.code,
        reference=input.reference,
        request_id=input.request_id,
        body=input_as_json(input),
    )
    outcome = answer.success()
    return answers.TaskRecorded(
        replayed=answer.replayed,
        growth=Long(outcome["growth"]),
        counted=outcome["counted"],
        wallet=Wallet.of((outcome["merchantId"], outcome["cardId"])),
    )


async def set_paid_plan(
    info: MerchantsInfo, input: SetPaidPlanInput
) -> answers.SetPaidPlanResult | None:
    """A plan made or changed."""
    currency = info.context.currency
    problems = currency_problems(
        [("price", input.price), *benefit_amounts(input.benefits)], currency
    )
    if problems:
        raise InvalidInput(problems)
    answer = await _book(info).set_plan(
        input.merchant_id,
        paid.PaidPlan(
            code=input.code,
            version=0,
            title=input.title,
            title_en=input.title_en,
            price_minor=input.price.amount_minor,
            months=input.months,
            grace_days=input.grace_days or 0,
            rank=input.rank,
            benefits=benefits_of(input.benefits),
            is_active=input.active is not False,
        ),
        request_id=input.request_id,
        body=input_as_json(input),
    )
    outcome = answer.success()
    plans = await info.context.backend.database.snapshot(
        lambda connection: read_plans(connection, outcome["merchantId"])
    )
    [plan] = [each for each in plans if each.code == outcome["code"]]
    return answers.PaidPlanSet(replayed=answer.replayed, plan=PaidPlan.of(plan, currency))


async def sell_paid_membership(
    info: MerchantsInfo, input: SellPaidMembershipInput
) -> answers.SellPaidMembershipResult | None:
    """A plan sold to a card."""
    answer = await _book(info).sell_plan(
        input.merchant_id,
        input.card_id,
        code=input.code,
        reference=input.reference,
        request_id=input.request_id,
        body=input_as_json(input),
    )
    bought = await _bought(info, answer.success())
    return answers.PaidMembershipSold(replayed=answer.replayed, paid_membership=bought)


async def refund_paid_membership(
    info: MerchantsInfo, input: RefundPaidMembershipInput
) -> answers.RefundPaidMembershipResult | None:
    """A paid membership ended."""
    answer = await _book(info).refund_paid(
        input.paid_membership_id, request_id=input.request_id, body=input_as_json(input)
    )
    bought = await _bought(info, answer.success())
    return answers.PaidMembershipRefunded(replayed=answer.replayed, paid_membership=bought)


def _book(info: MerchantsInfo) -> TierBook:
    return TierBook(info.context.backend, info.context.merchant_caller)


def _thresholds(input: SetTierPolicyInput) -> SegmentThresholds:
    usual, given = SegmentThresholds(), input.segments
    if given is None:
        return usual
    return SegmentThresholds(
        usual.key_orders if given.key_orders is None else given.key_orders,
        usual.window_months if given.window_months is None else given.window_months,
        usual.zombie_days if given.zombie_days is None else given.zombie_days,
    )


async def _policy_set(
    info: MerchantsInfo, outcome: dict[str, Any], *, replayed: bool
) -> answers.TierPolicySet:
    policy = await info.context.backend.database.snapshot(
        lambda connection: read_policy_version(
            connection, outcome["merchantId"], version=outcome["version"]
        )
    )
    return answers.TierPolicySet(replayed=replayed, policy=TierPolicy.of(policy))


async def _bought(info: MerchantsInfo, outcome: dict[str, Any]) -> PaidMembership:
    found = await info.context.backend.database.snapshot(
        lambda connection: read_paid(
            connection, merchant_id=outcome["merchantId"], paid_id=outcome["paidId"]
        )
    )
    assert found is not None
    return PaidMembership.of(found, info.context.currency, info.context.backend.clock.now())
