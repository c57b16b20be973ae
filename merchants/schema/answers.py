"""Answers of the merchant's own mutations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import strawberry

from kernel.graphql import (
    InvalidInputRefusal,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)
from merchants.schema.coupon_refusals import NotInAudienceRefusal
from merchants.schema.coupons import Coupon
from merchants.schema.policies import PricingPolicy
from merchants.schema.promotions import Promotion
from merchants.schema.refusals import (
    MerchantNotActiveRefusal,
    NotAMemberRefusal,
    QuotaExhaustedRefusal,
)
from merchants.schema.templates import CouponTemplate
from merchants.schema.tiers import TierLadder

_REPLAYED = "Whether this answers a repeat of an earlier request."


@strawberry.type(description="The ladder has a new version.")
class TierLadderSet:
    """The ladder has a new version."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    ladder: TierLadder = strawberry.field(description="The new version.")


@strawberry.type(description="The template can be issued.")
class CouponTemplateCreated:
    """The template can be issued."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    template: CouponTemplate = strawberry.field(description="The template, read now.")
    warnings: Sequence[str] = strawberry.field(
        description="Doubts, for people: a threshold above three median baskets."
    )


@strawberry.type(description="Each card has its coupon.")
class CouponsIssued:
    """Each card has its coupon."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    coupons: Sequence[Coupon] = strawberry.field(
        description="One per card, in input order, read now."
    )


@strawberry.type(description="The promotion has a new version.")
class PromotionSet:
    """The promotion has a new version."""

    replayed: bool = strawberry.field(
        description="Whether this answers a repeat of an earlier request."
    )
    promotion: Promotion = strawberry.field(description="The new version.")


@strawberry.type(description="The merchant's limits of discounts have a new version.")
class PricingPolicySet:
    """The limits have a new version."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    policy: PricingPolicy = strawberry.field(description="The new version.")


SetTierLadderResult = Annotated[
    TierLadderSet
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SetTierLadderResult", description="Answer of `setTierLadder`."),
]

CreateCouponTemplateResult = Annotated[
    CouponTemplateCreated
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("CreateCouponTemplateResult", description="Answer of `createCouponTemplate`."),
]

IssueCouponsResult = Annotated[
    CouponsIssued
    | NotAMemberRefusal
    | NotInAudienceRefusal
    | QuotaExhaustedRefusal
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("IssueCouponsResult", description="Answer of `issueCoupons`."),
]

SetPromotionResult = Annotated[
    PromotionSet
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SetPromotionResult", description="Answer of `setPromotion`."),
]

SetPricingPolicyResult = Annotated[
    PricingPolicySet
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SetPricingPolicyResult", description="Answer of `setPricingPolicy`."),
]
