"""Enums of the rules, as GraphQL knows them."""

from __future__ import annotations

import strawberry

from merchants.coupons.template_life import CouponTrigger, PartialRefundRule
from merchants.coupons.templates import CouponState, CouponTemplateState, Funder
from merchants.ladders.evaluation import Cause
from merchants.ladders.paid import PaidState
from merchants.ladders.policies import TierCombination
from merchants.ladders.segments import Segment
from merchants.ladders.tiers import Downgrade, TierGround, TierMetric, TierWindow
from merchants.offers import (
    CouponKind,
    CouponOutcome,
    DecisionKind,
    DecisionOutcome,
    KeptBackReason,
)
from merchants.port import EventKind, OrderState
from merchants.promotions.terms import PromotionKind

strawberry.enum(
    CouponKind,
    description=(
        "What a coupon does. AMOUNT_OFF: takes a fixed amount off. PERCENT_OFF: takes basis points"
        " off. SHIPPING: takes some or all of shipping off. GIFT: gives articles of a zone. "
        "EXCHANGE: lets articles of a zone be had for an add-on price, or for the coupon alone."
    ),
)
strawberry.enum(
    CouponState,
    description=(
        "State of a coupon. ISSUED: its holder can use it, within its dates. LOCKED: an open "
        "checkout has it. REDEEMED: an order used it; a refund may give it back. TRANSFERRED: it "
        "was shared and waits for a friend to claim it. EXPIRED: its time is over. VOID: its "
        "issuer withdrew it."
    ),
)
strawberry.enum(
    CouponTemplateState,
    description=(
        "State of a coupon template. DRAFT: gives no coupons yet. ACTIVE: gives coupons. PAUSED: "
        "gives none for now. ENDED: gives none any more, for ever. Coupons that were given are "
        "usable in each."
    ),
)
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
strawberry.enum(
    Funder,
    description=(
        "Who bears a coupon's cost. MERCHANT: the one where it is redeemed. ALLIANCE: the alliance"
        " pays it to that merchant. SPLIT: both, by basis points."
    ),
)
strawberry.enum(
    DecisionKind,
    description=(
        "What a decision is about. PROMOTION: a public offer. MEMBER_PRICE: an offer to members. "
        "TIER_BENEFIT: what a tier gives. COUPON, POINTS, COINS, SHIPPING: each of these. CAP: the"
        " merchant's limit of discounts is used up. PARITY: the member pays what a stranger would,"
        " where that is less."
    ),
)
strawberry.enum(
    DecisionOutcome,
    description=(
        "What became of a candidate benefit. APPLIED: it took something off. REFUSED: it took "
        "nothing, for the reason that is told. NOT_EVALUATED: nothing here depends on the cart; "
        "the member has it whatever is bought."
    ),
)
strawberry.enum(
    CouponOutcome,
    description=(
        "What a refund does to the coupons of its order. NONE: it has none. KEPT: they stay used, "
        "since goods are left. RETURNED: at least one can be used again. EXPIRED: they would come "
        "back, and their time is over. RECHECKED: what is left no longer reaches a minimum spend, "
        "or reaches it again."
    ),
)
strawberry.enum(
    KeptBackReason,
    description="Why a refund keeps something back: the rest of the order no longer earns a coupon "
    "(COUPON), or what a tier gave (TIER_GIFT).",
)
strawberry.enum(
    PromotionKind,
    description=(
        "What a promotion does. LIMITED_PRICE: a unit of named articles costs its price. "
        "THRESHOLD_OFF (满减): an amount off an order that reaches a sum. THRESHOLD_PERCENT "
        "(满折): a percentage off such an order. FLASH_SALE (秒杀): so many units at a price, "
        "while stock lasts. BUNDLE: articles cost a price together. MEMBER_PRICE: a price, or a "
        "percentage off, for members."
    ),
)
strawberry.enum(
    OrderState,
    description=(
        "State of an order. PAID: nothing is refunded. PARTIALLY_REFUNDED: a part of it is. "
        "REFUNDED: all of it is."
    ),
)
strawberry.enum(
    TierMetric,
    description=(
        "What a ladder measures. PURCHASE_COUNT: orders. AMOUNT: what was paid, minor units. "
        "GROWTH: growth value, of orders and tasks; spending points never changes it."
    ),
)
strawberry.enum(
    TierWindow,
    description=(
        "Over which time a ladder measures, in the alliance's time zone. LIFETIME: all orders. "
        "ROLLING_12_MONTHS: from the first day of the month twelve months ago. ROLLING_MONTHS: "
        "likewise, with the ladder's own number of months. CALENDAR_YEAR: from 1 January."
    ),
)
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
    description="Why a tier was evaluated. ORDER, TASK, REFUND: one of these. DUE: its time is "
    "over. RULE: a new rule.",
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
