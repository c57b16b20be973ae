"""Refusals of changes to templates and coupons in GraphQL."""

from __future__ import annotations

from typing import Any, Self

import strawberry

from kernel.graphql import RefusalPayload
from kernel.refusals import Refusal
from merchants.refusals import (
    CouponBudgetSpent,
    CouponNotFree,
    CouponNotShareable,
    NotInAudience,
    TemplateStateUnreachable,
)
from merchants.schema.coupons import Coupon
from merchants.schema.enums import CouponTemplateState
from merchants.sharing.share_codes import NotShareableReason

strawberry.enum(
    NotShareableReason,
    name="NotShareableReason",
    description="Why a coupon can not be passed on, or taken back. NOT_FORWARDABLE: its template "
    "forbids it. PASSED_ON_BEFORE: a friend gave it. NOT_FREE: in use, used, shared already, "
    "withdrawn or over. DAILY_LIMIT: the member shared enough for a day. NOT_SHARED: there is "
    "nothing to take back. CLAIMED: a friend has it.",
)


@strawberry.type(description="The template's audience does not hold some of these cards.")
class NotInAudienceRefusal(RefusalPayload):
    """Payload of `NotInAudience`."""

    card_ids: list[strawberry.ID] = strawberry.field(description="Those cards.")


@strawberry.type(description="A coupon template can not go from its state to the one asked for.")
class TemplateStateUnreachableRefusal(RefusalPayload):
    """Payload of `TemplateStateUnreachable`."""

    state: CouponTemplateState = strawberry.field(description="The state that it has.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `TemplateStateUnreachable`."""
        return cls(**cls.told_by(refusal), state=CouponTemplateState(refusal.state))


@strawberry.type(description="A coupon is in use, used or passed on, so it can not be withdrawn.")
class CouponNotFreeRefusal(RefusalPayload):
    """Payload of `CouponNotFree`."""

    coupon: Coupon = strawberry.field(description="The first such coupon.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `CouponNotFree`."""
        coupon = Coupon(
            id=strawberry.ID(refusal.coupon_id), merchant_id=strawberry.ID(refusal.merchant_id)
        )
        return cls(**cls.told_by(refusal), coupon=coupon)


@strawberry.type(description="The coupon can not be passed on, or taken back, now.")
class CouponNotShareableRefusal(RefusalPayload):
    """Payload of `CouponNotShareable`."""

    reason: NotShareableReason = strawberry.field(description="Why not.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `CouponNotShareable`."""
        return cls(**cls.told_by(refusal), reason=NotShareableReason(refusal.reason))


@strawberry.federation.type(
    inaccessible=True, description="What the templates of the coupons may cost in all is spent."
)
class BackendBudgetSpentRefusal(RefusalPayload):
    """Payload of `CouponBudgetSpent`."""

    coupon_id: strawberry.ID = strawberry.field(description="The first such coupon.")


COUPON_REFUSALS: dict[type[Refusal], type[RefusalPayload]] = {
    NotInAudience: NotInAudienceRefusal,
    TemplateStateUnreachable: TemplateStateUnreachableRefusal,
    CouponNotFree: CouponNotFreeRefusal,
    CouponNotShareable: CouponNotShareableRefusal,
    CouponBudgetSpent: BackendBudgetSpentRefusal,
}
