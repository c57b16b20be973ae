"""Claiming a coupon that a member passed on."""

from __future__ import annotations

from typing import Annotated, Any, Self

import strawberry

from gateway.schema.enrolment import CredentialInput
from gateway.schema.inputs import REPLAYED
from gateway.schema.members import Membership
from gateway.schema.nodes import Coupon
from gateway.schema.refusals import (
    MemberFrozenRefusal,
    MerchantNotActiveRefusal,
    VerificationFailedRefusal,
)
from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    NotFoundRefusal,
    RefusalPayload,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)
from kernel.refusals import Refusal
from merchants.refusals import ShareNotClaimable
from merchants.sharing.share_codes import NotClaimableReason

strawberry.enum(
    NotClaimableReason,
    name="NotClaimableReason",
    description="Why a share code gives no coupon. CLAIMED: another was faster. TAKEN_BACK: its "
    "holder took it back, or it was withdrawn. EXPIRED: nobody claimed it in time. OWN_COUPON: "
    "the claimant is the one who shared it. NEW_MEMBERS_ONLY: it is for who joins by claiming. "
    "DAILY_LIMIT: the claimant claimed enough today. MEMBER_LIMIT: the claimant has its share of "
    "these coupons. HOLDER_FROZEN: the member who shared it is frozen for now.",
)


@strawberry.input(description="Input of `claimCoupon`.")
class ClaimCouponInput:
    """Input of `claimCoupon`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    share_code: str = strawberry.field(description="What `shareCoupon` gave the friend.")
    store_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="A store of the issuer (any store, for a coupon of the alliance): where who "
        "is no member there yet joins. A merchant always names its own; a member that has joined "
        "may leave it out.",
    )
    credential: CredentialInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whom a merchant claims for; who is unknown becomes a member. Left out by a "
        "member, who claims for itself.",
    )
    consents: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Purposes agreed to, if the claim makes a membership."
    )


@strawberry.type(description="The claimant has a coupon of its own, good as long as the first.")
class CouponClaimed:
    """Success of `claimCoupon`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    already_member: bool = strawberry.field(
        description="Whether the claimant had joined before this claim."
    )
    coupon: Coupon = strawberry.field(description="The claimant's coupon; it can not be passed on.")
    membership: Membership = strawberry.field(
        description="The claimant's link to the merchant; for a coupon of the alliance, to the "
        "merchant where they joined."
    )


@strawberry.type(description="The share code gives the claimant no coupon.")
class ShareNotClaimableRefusal(RefusalPayload):
    """Payload of `ShareNotClaimable`."""

    reason: NotClaimableReason = strawberry.field(description="Why not.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `ShareNotClaimable`."""
        return cls(**cls.told_by(refusal), reason=NotClaimableReason(refusal.reason))


ClaimCouponResult = Annotated[
    CouponClaimed
    | ShareNotClaimableRefusal
    | MemberFrozenRefusal
    | MerchantNotActiveRefusal
    | VerificationFailedRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ClaimCouponResult", description="Answer of `claimCoupon`."),
]

CLAIM_REFUSALS: dict[type[Refusal], type[RefusalPayload]] = {
    ShareNotClaimable: ShareNotClaimableRefusal
}
