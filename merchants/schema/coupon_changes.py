"""Inputs and answers of changes to templates and coupons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)
from merchants.schema.coupon_refusals import (
    CouponNotFreeRefusal,
    CouponNotShareableRefusal,
    TemplateStateUnreachableRefusal,
)
from merchants.schema.coupons import Coupon
from merchants.schema.enums import CouponTemplateState
from merchants.schema.refusals import MerchantNotActiveRefusal
from merchants.schema.templates import CouponTemplate

_REPLAYED = "Whether this answers a repeat of an earlier request."


@strawberry.input(description="Input of `setCouponTemplateState`.")
class SetCouponTemplateStateInput:
    """Input of `setCouponTemplateState`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    template_id: strawberry.ID = strawberry.field(
        description="The template; its id embeds the merchant."
    )
    state: CouponTemplateState = strawberry.field(
        description="DRAFT to ACTIVE, ACTIVE to PAUSED and back, any to ENDED; ENDED is final."
    )


@strawberry.input(description="Input of `voidCoupons`.")
class VoidCouponsInput:
    """Input of `voidCoupons`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(
        description="The merchant that issued them; an admin may name the alliance's own."
    )
    coupon_ids: Sequence[strawberry.ID] = strawberry.field(
        description="1 to 100 coupons, each once; none of them in use, used or passed on."
    )
    reason: str = strawberry.field(
        description="Why, for the members, 1 to 200 characters: shown as `Coupon.voidReason`."
    )


@strawberry.input(description="Input of `shareCoupon`.")
class ShareCouponInput:
    """Input of `shareCoupon`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    coupon_id: strawberry.ID = strawberry.field(
        description="One of the member's own; ISSUED, of a shareable template, never passed on."
    )


@strawberry.input(description="Input of `takeBackCoupon`.")
class TakeBackCouponInput:
    """Input of `takeBackCoupon`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    coupon_id: strawberry.ID = strawberry.field(description="A coupon that nobody claimed yet.")


@strawberry.type(description="The template is in the state that was asked for.")
class CouponTemplateStateSet:
    """The template is in the state that was asked for."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    template: CouponTemplate = strawberry.field(description="The template, read now.")


@strawberry.type(description="The coupons are VOID.")
class CouponsVoided:
    """The coupons are VOID."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    coupons: Sequence[Coupon] = strawberry.field(description="In input order, read now.")


@strawberry.type(description="Whoever claims the code first has the coupon.")
class CouponShared:
    """Whoever claims the code first has the coupon."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    coupon: Coupon = strawberry.field(description="The coupon, read now; TRANSFERRED meanwhile.")
    share_code: str = strawberry.field(
        description="What the friend sends to `claimCoupon`. A secret: it can not be guessed, and "
        "who has it can claim."
    )
    expires_at: datetime = strawberry.field(
        description="Until when it can be claimed; unclaimed, the coupon is the member's again."
    )


@strawberry.type(description="The coupon is the member's own again; its share code is void.")
class CouponTakenBack:
    """The coupon is the member's own again."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    coupon: Coupon = strawberry.field(description="The coupon, read now.")


SetCouponTemplateStateResult = Annotated[
    CouponTemplateStateSet
    | TemplateStateUnreachableRefusal
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union(
        "SetCouponTemplateStateResult", description="Answer of `setCouponTemplateState`."
    ),
]

VoidCouponsResult = Annotated[
    CouponsVoided
    | CouponNotFreeRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("VoidCouponsResult", description="Answer of `voidCoupons`."),
]

ShareCouponResult = Annotated[
    CouponShared
    | CouponNotShareableRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ShareCouponResult", description="Answer of `shareCoupon`."),
]

TakeBackCouponResult = Annotated[
    CouponTakenBack
    | CouponNotShareableRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("TakeBackCouponResult", description="Answer of `takeBackCoupon`."),
]
