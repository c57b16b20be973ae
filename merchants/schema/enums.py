"""Enums of the rules, as GraphQL knows them."""

from __future__ import annotations

import strawberry

from merchants.coupons import CouponState, CouponTemplateState, Funder
from merchants.offers import CouponKind, CouponOutcome, DecisionKind, DecisionOutcome
from merchants.port import EventKind, OrderState
from merchants.promotions.terms import PromotionKind
from merchants.template_life import CouponTrigger, PartialRefundRule
from merchants.tiers import TierMetric, TierWindow

strawberry.enum(CouponKind, description="What a coupon does.")
strawberry.enum(CouponState, description="State of a coupon.")
strawberry.enum(CouponTemplateState, description="State of a coupon template.")
strawberry.enum(
    CouponTrigger,
    name="CouponTrigger",
    description="What makes a template give its coupons by itself, once for each member and "
    "occasion. CATEGORY: an order with an article of its categories. TIER_REACHED: an order "
    "lifts the member into its audience's tier. BIRTHDAY: the day, for members who told theirs "
    "and consent to PROFILE. WAKE_UP, WIN_BACK: the member becomes dormant; give the latter "
    "more days and a larger face. HOLIDAY: the day `triggerOn`.",
)
strawberry.enum(
    PartialRefundRule,
    name="PartialRefundRule",
    description="What a refund of a part of an order does to its coupon. KEEP: nothing. "
    "RECHECK_MIN_SPEND: once what is left is below the minimum spend, what the coupon took off "
    "it is deducted from the refund.",
)
strawberry.enum(Funder, description="Who bears a coupon's cost.")
strawberry.enum(DecisionKind, description="What a decision is about.")
strawberry.enum(DecisionOutcome, description="What became of a candidate benefit.")
strawberry.enum(CouponOutcome, description="What a refund does to the coupons of its order.")
strawberry.enum(PromotionKind, description="What a promotion does.")
strawberry.enum(OrderState, description="State of an order.")
strawberry.enum(TierMetric, description="What a ladder measures.")
strawberry.enum(TierWindow, description="Over which time a ladder measures.")
strawberry.federation.enum(
    EventKind, name="BackendEventKind", description="Kind of an outbox event.", inaccessible=True
)

__all__ = [
    "CouponKind",
    "CouponOutcome",
    "CouponState",
    "CouponTemplateState",
    "CouponTrigger",
    "DecisionKind",
    "DecisionOutcome",
    "EventKind",
    "Funder",
    "OrderState",
    "PartialRefundRule",
    "PromotionKind",
    "TierMetric",
    "TierWindow",
]
