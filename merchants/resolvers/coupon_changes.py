"""Changes to templates and coupons: states, withdrawals, passing on."""

from __future__ import annotations

import strawberry

from kernel.graphql import input_as_json, parse_datetime
from merchants.changes.forwarding import Forwarding
from merchants.changes.rulebook import Rulebook
from merchants.context import MerchantsInfo
from merchants.coupons.templates_sql import read_template
from merchants.schema import coupon_changes as schema
from merchants.schema.coupons import Coupon
from merchants.schema.templates import CouponTemplate


async def set_coupon_template_state(
    info: MerchantsInfo, input: schema.SetCouponTemplateStateInput
) -> schema.SetCouponTemplateStateResult | None:
    """A template in another state."""
    context = info.context
    answer = await Rulebook(context.backend, context.merchant_caller).set_template_state(
        input.template_id, input.state, request_id=input.request_id, body=input_as_json(input)
    )
    outcome = answer.success()
    template = await context.backend.database.snapshot(
        lambda connection: read_template(
            connection, merchant_id=outcome["merchantId"], template_id=outcome["templateId"]
        )
    )
    assert template is not None
    return schema.CouponTemplateStateSet(
        replayed=answer.replayed, template=CouponTemplate.of(template, context.currency)
    )


async def void_coupons(
    info: MerchantsInfo, input: schema.VoidCouponsInput
) -> schema.VoidCouponsResult | None:
    """Coupons withdrawn."""
    answer = await Rulebook(info.context.backend, info.context.merchant_caller).void_coupons(
        input.merchant_id,
        input.coupon_ids,
        reason=input.reason,
        request_id=input.request_id,
        body=input_as_json(input),
    )
    outcome = answer.success()
    return schema.CouponsVoided(
        replayed=answer.replayed,
        coupons=[_coupon(each, outcome["merchantId"]) for each in outcome["couponIds"]],
    )


async def share_coupon(
    info: MerchantsInfo, input: schema.ShareCouponInput
) -> schema.ShareCouponResult | None:
    """A share code for a coupon."""
    answer = await _forwarding(info).share(
        input.coupon_id, request_id=input.request_id, body=input_as_json(input)
    )
    outcome = answer.success()
    return schema.CouponShared(
        replayed=answer.replayed,
        coupon=_coupon(outcome["couponId"], outcome["merchantId"]),
        share_code=outcome["shareCode"],
        expires_at=parse_datetime(outcome["expiresAt"]),
    )


async def take_back_coupon(
    info: MerchantsInfo, input: schema.TakeBackCouponInput
) -> schema.TakeBackCouponResult | None:
    """A shared coupon taken back."""
    answer = await _forwarding(info).take_back(
        input.coupon_id, request_id=input.request_id, body=input_as_json(input)
    )
    outcome = answer.success()
    return schema.CouponTakenBack(
        replayed=answer.replayed, coupon=_coupon(outcome["couponId"], outcome["merchantId"])
    )


def _forwarding(info: MerchantsInfo) -> Forwarding:
    caller, card_id = info.context.member_caller
    return Forwarding(info.context.backend, caller, card_id=card_id)


def _coupon(coupon_id: str, merchant_id: str) -> Coupon:
    return Coupon(id=strawberry.ID(coupon_id), merchant_id=strawberry.ID(merchant_id))
