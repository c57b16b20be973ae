"""Inputs of the merchant's own mutations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import strawberry

from kernel.graphql import REQUEST_ID, ChannelKind, Long, MoneyInput
from merchants.coupons.template_life import SHARE_DAYS
from merchants.schema.audiences import CouponAudienceInput
from merchants.schema.enums import (
    CouponKind,
    CouponTrigger,
    Downgrade,
    Funder,
    PartialRefundRule,
    TierMetric,
    TierWindow,
)
from merchants.schema.gift_zones import GiftZoneInput

_MERCHANT_ID = "The merchant; an admin may name the alliance's own."


@strawberry.input(description="A right that a tier gives.")
class BenefitInput:
    """A right that a tier gives."""

    kind: str = strawberry.field(
        description="Kind: PERCENT_OFF, MEMBER_PRICE, POINTS_MULTIPLIER, FREE_SHIPPING, "
        "EARLY_ACCESS, GIFT or an entitlement: any other word, that no price takes into account."
    )
    title: str = strawberry.field(description="Name, for people.")
    percent_off_bps: int | None = strawberry.field(
        default=None, description="Basis points off: 1000 = pay 90 %."
    )
    points_multiplier_bps: int | None = strawberry.field(
        default=None, description="Basis points of the usual points: 20000 = double."
    )
    entitlement: str | None = strawberry.field(default=None, description="Entitlement flag.")
    title_en: str | None = strawberry.field(default=None, description="English name.")
    early_minutes: int | None = strawberry.field(
        default=None,
        description="For EARLY_ACCESS: how much earlier flash sales open, minutes, 1 to 43200; "
        "absent: a flag for staff.",
    )
    gift_sku: str | None = strawberry.field(
        default=None,
        description="For GIFT: the merchant's article; a unit of it in the cart is free. Absent: "
        "a flag for staff.",
    )
    price: MoneyInput | None = strawberry.field(
        default=None, description="For MEMBER_PRICE: what a unit of `skus` costs."
    )
    skus: Sequence[str] | None = strawberry.field(
        default=None,
        description="Limits PERCENT_OFF to articles, 1 to 200; needed for MEMBER_PRICE.",
    )
    category_ids: Sequence[str] | None = strawberry.field(
        default=None, description="Limits PERCENT_OFF to categories, 1 to 200."
    )
    min_spend: MoneyInput | None = strawberry.field(
        default=None,
        description="For GIFT: what the other goods of the order must cost, after promotions and "
        "member prices; needed with `giftSku`.",
    )


@strawberry.input(description="One step of a ladder.")
class TierStepInput:
    """One step of a ladder."""

    name: str = strawberry.field(description="Name of the tier.")
    name_en: str | None = strawberry.field(default=None, description="English name.")
    rank: int = strawberry.field(description="From 1, the higher the better.")
    threshold: Long = strawberry.field(description="Where it begins, inclusive.")
    benefits: Sequence[BenefitInput] | None = strawberry.field(
        default=None, description="What it gives."
    )


@strawberry.input(description="Input of `setTierLadder`.")
class SetTierLadderInput:
    """Input of `setTierLadder`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description=_MERCHANT_ID)
    name: str = strawberry.field(description="Which ladder.")
    primary: bool | None = strawberry.field(default=False, description="Make it the primary one.")
    metric: TierMetric = strawberry.field(description="What it measures.")
    window: TierWindow | None = strawberry.field(
        default=TierWindow.LIFETIME, description="Over which time."
    )
    window_months: int | None = strawberry.field(
        default=None, description="Calendar months; for ROLLING_MONTHS alone, 1 to 60."
    )
    retention_months: int | None = strawberry.field(
        default=12, description="Months that a tier is kept at least, 1 to 60."
    )
    downgrade: Downgrade | None = strawberry.field(
        default=Downgrade.ONE_DOWN, description="What becomes of a tier that ends."
    )
    return_days: int | None = strawberry.field(
        default=7,
        description="A refund within so many days of its order undoes it as if it had never been; "
        "0 to 365.",
    )
    growth_per_major_unit: int | None = strawberry.field(
        default=1, description="Growth value of each major unit that counts, 0 to 10000."
    )
    steps: Sequence[TierStepInput] = strawberry.field(
        description="At least 1; ranks and thresholds rise together."
    )
    effective_from: datetime | None = strawberry.field(
        default=None, description="Not before now; absent: now."
    )


@strawberry.input(description="Input of `createCouponTemplate`.")
class CreateCouponTemplateInput:
    """Input of `createCouponTemplate`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description=_MERCHANT_ID)
    title: str = strawberry.field(description="Name, for people.")
    kind: CouponKind = strawberry.field(description="What its coupons do.")
    amount: MoneyInput | None = strawberry.field(
        default=None,
        description="Needed when AMOUNT_OFF. SHIPPING takes at most this off shipping; absent: "
        "all of it.",
    )
    percent_off_bps: int | None = strawberry.field(
        default=None, description="Needed when PERCENT_OFF, basis points."
    )
    cap: MoneyInput | None = strawberry.field(
        default=None, description="The most a coupon takes off."
    )
    min_spend: MoneyInput = strawberry.field(
        description="Spending a coupon needs; 0 only for small amounts."
    )
    gift_zone: GiftZoneInput | None = strawberry.field(
        default=None, description="Needed when GIFT or EXCHANGE: what its coupons give."
    )
    skus: Sequence[str] | None = strawberry.field(
        default=None,
        description="Limits it to articles, 1 to 2000; of GIFT and EXCHANGE the spending that it "
        "needs.",
    )
    category_ids: Sequence[str] | None = strawberry.field(
        default=None, description="Limits it to categories, 1 to 200."
    )
    channels: Sequence[ChannelKind] | None = strawberry.field(
        default=None, description="Limits it to kinds of store."
    )
    valid_from: datetime | None = strawberry.field(
        default=None, description="First instant, inclusive; absent: at issue."
    )
    valid_until: datetime | None = strawberry.field(
        default=None, description="Last instant, exclusive."
    )
    valid_days: int | None = strawberry.field(
        default=None, description="Days after issue, if earlier than `validUntil`."
    )
    quota_total: int | None = strawberry.field(
        default=None, description="Coupons in all; absent: no limit."
    )
    quota_per_member: int | None = strawberry.field(default=1, description="Coupons per member.")
    stacking_group: str | None = strawberry.field(
        default=None, description="One coupon per group and order."
    )
    funder: Funder | None = strawberry.field(
        default=Funder.MERCHANT, description="Who bears the cost."
    )
    funder_alliance_bps: int | None = strawberry.field(
        default=None, description="The alliance's share, basis points; needed when SPLIT."
    )
    shareable: bool | None = strawberry.field(
        default=False, description="Let members pass a coupon on, once."
    )
    for_new_members: bool | None = strawberry.field(
        default=False, description="Give one on joining."
    )
    as_draft: bool | None = strawberry.field(
        default=False,
        description="Make it a DRAFT, of which nothing is issued until "
        "`setCouponTemplateState` makes it ACTIVE.",
    )
    budget: MoneyInput | None = strawberry.field(
        default=None,
        description="What all redemptions together may take off; beyond it the coupon is refused "
        "with COUPON_BUDGET_SPENT. Needs an `amount` or a `cap`.",
    )
    audience: CouponAudienceInput | None = strawberry.field(
        default=None, description="Whom it is for; absent: every member."
    )
    trigger: CouponTrigger | None = strawberry.field(
        default=None, description="What makes it give coupons by itself; absent: nothing."
    )
    trigger_on: date | None = strawberry.field(
        default=None, description="Needed for HOLIDAY: the day, in the alliance's time zone."
    )
    share_days: int | None = strawberry.field(
        default=SHARE_DAYS, description="Days for which a share can be claimed, 1 to 90."
    )
    share_new_members_only: bool | None = strawberry.field(
        default=False, description="Let only someone claim who joins by claiming."
    )
    on_partial_refund: PartialRefundRule | None = strawberry.field(
        default=PartialRefundRule.KEEP,
        description="What a refund of a part of an order does to its coupon.",
    )


@strawberry.input(description="Input of `issueCoupons`.")
class IssueCouponsInput:
    """Input of `issueCoupons`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    template_id: strawberry.ID = strawberry.field(
        description="The template; its id embeds the merchant."
    )
    card_ids: Sequence[strawberry.ID] = strawberry.field(
        description="Cards, each once, at most 100."
    )
