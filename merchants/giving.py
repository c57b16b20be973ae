"""Coupons that reach a member otherwise than by issuing or joining: what a backend is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SharedCoupon:
    """A coupon that its holder passed on with a code.

    Attributes:
        holder_card_id: who passed it on.
        closed_because: a `NotClaimableReason`; None while it can be claimed.
    """

    merchant_id: str
    coupon_id: str
    holder_card_id: str
    closed_because: str | None


@dataclass(frozen=True, slots=True)
class ClaimCoupon:
    """A member claims a coupon that another passed on.

    Attributes:
        is_new_member: whether the claimant joined the merchant (the alliance, for a coupon of
            its own) by this claim.
        at_merchant_id: whose till claims for it; None when the member claims itself.
    """

    merchant_id: str
    share_code: str
    card_id: str
    is_new_member: bool
    at_merchant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claimant's own coupon."""

    replayed: bool
    coupon_id: str


@dataclass(frozen=True, slots=True)
class GiveCoupons:
    """The occasion of some members has come: gives what templates give for it, once.

    Attributes:
        trigger: name of the `CouponTrigger`.
        occasion: names this one among the trigger's: the year of a birthday.
    """

    merchant_id: str
    trigger: str
    occasion: str
    card_ids: tuple[str, ...]
