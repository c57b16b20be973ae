"""Enums of the rules, as GraphQL knows them."""

from __future__ import annotations

import strawberry

from merchants.coupons import CouponState, CouponTemplateState, Funder
from merchants.ladders.evaluation import Cause
from merchants.ladders.paid import PaidState
from merchants.ladders.policies import TierCombination
from merchants.offers import (
    CouponKind,
    CouponOutcome,
    DecisionKind,
    DecisionOutcome,
    KeptBackReason,
)
from merchants.port import EventKind, OrderState
from merchants.promotions.terms import PromotionKind
from merchants.segments import Segment
from merchants.template_life import CouponTrigger, PartialRefundRule
from merchants.tiers import Downgrade, TierGround, TierMetric, TierWindow

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
strawberry.enum(
    KeptBackReason,
    description="Why a refund keeps something back: the rest of the order no longer earns a coupon "
    "(COUPON), or what a tier gave (TIER_GIFT).",
)
strawberry.enum(PromotionKind, description="What a promotion does.")
strawberry.enum(OrderState, description="State of an order.")
strawberry.enum(TierMetric, description="What a ladder measures.")
strawberry.enum(TierWindow, description="Over which time a ladder measures.")
strawberry.enum(
    Downgrade,
    description="What becomes of a tier whose time is over: ONE_DOWN: the next lower one, or a "
    "higher one that is reached; TO_METRIC: the one that is reached.",
)
strawberry.enum(
    TierGround,
    description="Why a member stands in a tier: METRIC: it is measured; RETAINED: it was reached "
    "before and is kept until `validUntil`; FLOOR: a paid membership or a merge gives it; "
    "ALLIANCE: the merchant honours the rank in the alliance's ladders.",
)
strawberry.enum(
    Cause,
    name="TierCause",
    description="Why a tier was evaluated: an order, a task done, a refund, the end of its time, "
    "a new rule.",
)
strawberry.enum(
    TierCombination,
    description="How tiers in several ladders go together: ANY: each ladder stands for itself, "
    "the primary one is shown; ALL: a rank counts as far as every ladder reaches it; BEST_OF: the "
    "best standing alone counts.",
)
strawberry.enum(
    Segment,
    description="How a member buys: KEY: often; LIGHT: at least once within the window; DORMANT: "
    "not within the window; ZOMBIE: joined and never bought; NEWCOMER: joined lately.",
)
strawberry.enum(
    PaidState,
    description="State of a paid membership: PENDING: it begins when an earlier one ends; ACTIVE; "
    "GRACE: its time is over, its benefits go on for some days; EXPIRED; REFUNDED.",
)
strawberry.federation.enum(
    EventKind, name="BackendEventKind", description="Kind of an outbox event.", inaccessible=True
)

__all__ = [
    "Cause",
    "CouponKind",
    "CouponOutcome",
    "CouponState",
    "CouponTemplateState",
    "CouponTrigger",
    "DecisionKind",
    "DecisionOutcome",
    "Downgrade",
    "EventKind",
    "Funder",
    "KeptBackReason",
    "OrderState",
    "PaidState",
    "PartialRefundRule",
    "PromotionKind",
    "Segment",
    "TierCombination",
    "TierGround",
    "TierMetric",
    "TierWindow",
]
