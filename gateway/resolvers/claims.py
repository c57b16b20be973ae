"""Claims a coupon that a member passed on."""

from __future__ import annotations

import strawberry

from gateway.membership.claiming import ClaimShared
from gateway.resolvers.context import AllianceInfo
from gateway.resolvers.enrolment import stated
from gateway.schema.claims import ClaimCouponInput, CouponClaimed
from gateway.schema.inputs import given
from gateway.schema.members import Membership
from gateway.schema.nodes import Coupon


async def claim_coupon(info: AllianceInfo, input: ClaimCouponInput) -> CouponClaimed:
    """Gives a friend the coupon of a share code."""
    credential = given(input.credential)
    claimed = await info.context.alliance.claiming.claim(
        info.context.caller,
        ClaimShared(
            request_id=input.request_id,
            share_code=input.share_code,
            store_id=given(input.store_id),
            credential=None if credential is None else stated(credential),
            consents=tuple(given(input.consents) or ()),
        ),
    )
    return CouponClaimed(
        replayed=claimed.replayed,
        already_member=claimed.already_member,
        coupon=Coupon.of(claimed.coupon_id),
        membership=Membership(
            id=strawberry.ID(claimed.membership_id), merchant_id=strawberry.ID(claimed.merchant_id)
        ),
    )
