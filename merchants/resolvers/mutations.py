"""The merchant's own mutations."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from kernel.graphql import MoneyInput, input_as_json
from kernel.refusals import InvalidInput
from merchants.changes.rulebook import Rulebook
from merchants.context import MerchantsInfo
from merchants.coupons.template_life import SHARE_DAYS, PartialRefundRule, TemplateLife
from merchants.coupons.templates import Funder, TemplateDraft
from merchants.coupons.templates_sql import read_template
from merchants.ladders.ladders_sql import read_ladder_version
from merchants.ladders.tiers import Benefit, Downgrade, Ladder, Step, TierWindow
from merchants.offers import CouponTerms
from merchants.schema.answers import (
    CouponsIssued,
    CouponTemplateCreated,
    CreateCouponTemplateResult,
    IssueCouponsResult,
    SetTierLadderResult,
    TierLadderSet,
)
from merchants.schema.coupons import Coupon
from merchants.schema.inputs import (
    BenefitInput,
    CreateCouponTemplateInput,
    IssueCouponsInput,
    SetTierLadderInput,
)
from merchants.schema.offers import currency_problems, minor_of
from merchants.schema.templates import CouponTemplate
from merchants.schema.tiers import TierLadder


async def set_tier_ladder(
    info: MerchantsInfo, input: SetTierLadderInput
) -> SetTierLadderResult | None:
    """A new version of a ladder."""
    backend = info.context.backend
    rulebook = Rulebook(backend, info.context.merchant_caller)
    amounts = [
        (f"steps.{index}.{path}", amount)
        for index, step in enumerate(input.steps)
        for path, amount in benefit_amounts(step.benefits)
    ]
    problems = currency_problems(amounts, info.context.currency)
    if problems:
        raise InvalidInput(problems)
    wanted = _ladder(input, info)
    answer = await rulebook.set_ladder(
        input.merchant_id, wanted, request_id=input.request_id, body=input_as_json(input)
    )
    outcome = answer.success()
    ladder = await backend.database.snapshot(
        lambda connection: read_ladder_version(
            connection, outcome["merchantId"], name=outcome["name"], version=outcome["version"]
        )
    )
    return TierLadderSet(
        replayed=answer.replayed, ladder=TierLadder.of(ladder, info.context.currency)
    )


async def create_coupon_template(
    info: MerchantsInfo, input: CreateCouponTemplateInput
) -> CreateCouponTemplateResult | None:
    """A new kind of coupon."""
    context = info.context
    rulebook = Rulebook(context.backend, context.merchant_caller)
    amounts: list[tuple[str, MoneyInput | None]] = [
        ("amount", input.amount),
        ("cap", input.cap),
        ("minSpend", input.min_spend),
        ("budget", input.budget),
    ]
    if input.gift_zone is not None:
        amounts += input.gift_zone.amounts("giftZone")
    problems = currency_problems(amounts, context.currency)
    if problems:
        raise InvalidInput(problems)
    answer = await rulebook.create_template(
        input.merchant_id,
        _draft(input),
        request_id=input.request_id,
        body=input_as_json(input),
    )
    outcome = answer.success()
    template = await context.backend.database.snapshot(
        lambda connection: read_template(
            connection, merchant_id=outcome["merchantId"], template_id=outcome["templateId"]
        )
    )
    assert template is not None
    return CouponTemplateCreated(
        replayed=answer.replayed,
        template=CouponTemplate.of(template, context.currency),
        warnings=outcome["warnings"],
    )


async def issue_coupons(info: MerchantsInfo, input: IssueCouponsInput) -> IssueCouponsResult | None:
    """A coupon for each card."""
    rulebook = Rulebook(info.context.backend, info.context.merchant_caller)
    answer = await rulebook.issue(
        input.template_id,
        input.card_ids,
        request_id=input.request_id,
        body=input_as_json(input),
    )
    outcome = answer.success()
    merchant_id = strawberry.ID(outcome["merchantId"])
    return CouponsIssued(
        replayed=answer.replayed,
        coupons=[
            Coupon(id=strawberry.ID(coupon_id), merchant_id=merchant_id)
            for coupon_id in outcome["couponIds"]
        ],
    )


def benefit_amounts(
    inputs: Sequence[BenefitInput] | None,
) -> list[tuple[str, MoneyInput | None]]:
    """The amounts of benefits with their paths, for `currency_problems`."""
    return [
        (f"benefits.{index}.{name}", amount)
        for index, each in enumerate(inputs or ())
        for name, amount in (("price", each.price), ("minSpend", each.min_spend))
    ]


def benefits_of(inputs: Sequence[BenefitInput] | None) -> tuple[Benefit, ...]:
    """The benefits that an input names."""
    return tuple(
        Benefit(
            each.kind,
            each.title,
            each.percent_off_bps,
            each.points_multiplier_bps,
            each.entitlement,
            each.title_en,
            each.early_minutes,
            each.gift_sku,
            minor_of(each.price),
            None if each.skus is None else tuple(each.skus),
            None if each.category_ids is None else tuple(each.category_ids),
            minor_of(each.min_spend),
        )
        for each in inputs or ()
    )


def _ladder(input: SetTierLadderInput, info: MerchantsInfo) -> Ladder:
    return Ladder(
        name=input.name,
        version=0,
        is_primary=bool(input.primary),
        metric=input.metric,
        window=input.window or TierWindow.LIFETIME,
        steps=tuple(
            Step(
                step.name,
                step.name_en,
                step.rank,
                step.threshold,
                benefits_of(step.benefits),
            )
            for step in input.steps
        ),
        effective_from=input.effective_from or info.context.backend.clock.now(),
        window_months=input.window_months,
        retention_months=12 if input.retention_months is None else input.retention_months,
        downgrade=input.downgrade or Downgrade.ONE_DOWN,
        return_days=7 if input.return_days is None else input.return_days,
        growth_per_major_unit=(
            1 if input.growth_per_major_unit is None else input.growth_per_major_unit
        ),
    )


def _draft(input: CreateCouponTemplateInput) -> TemplateDraft:
    funder = input.funder or Funder.MERCHANT
    quota = input.quota_per_member
    return TemplateDraft(
        terms=CouponTerms(
            title=input.title,
            kind=input.kind,
            min_spend_minor=input.min_spend.amount_minor,
            amount_minor=minor_of(input.amount),
            percent_off_bps=input.percent_off_bps,
            cap_minor=minor_of(input.cap),
            skus=_texts(input.skus),
            category_ids=_texts(input.category_ids),
            channels=(
                None if input.channels is None else tuple(each.value for each in input.channels)
            ),
            stacking_group=input.stacking_group,
            zone=None if input.gift_zone is None else input.gift_zone.zone(),
        ),
        funder=funder,
        funder_alliance_bps=input.funder_alliance_bps,
        valid_from=input.valid_from,
        valid_until=input.valid_until,
        valid_days=input.valid_days,
        quota_total=input.quota_total,
        quota_per_member=1 if quota is None else quota,
        shareable=bool(input.shareable),
        for_new_members=bool(input.for_new_members),
        life=_life(input),
    )


def _life(input: CreateCouponTemplateInput) -> TemplateLife:
    return TemplateLife(
        is_draft=bool(input.as_draft),
        budget_minor=minor_of(input.budget),
        audience=None if input.audience is None else input.audience.audience(),
        trigger=input.trigger,
        trigger_on=input.trigger_on,
        share_days=SHARE_DAYS if input.share_days is None else input.share_days,
        share_new_members_only=bool(input.share_new_members_only),
        on_partial_refund=input.on_partial_refund or PartialRefundRule.KEEP,
    )


def _texts(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
