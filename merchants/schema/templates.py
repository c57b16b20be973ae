"""Coupon templates in GraphQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import strawberry

from kernel.graphql import ChannelKind, Long, Money
from merchants.coupons.templates import alliance_share_bps
from merchants.coupons.templates_sql import Template
from merchants.schema.audiences import CouponAudience
from merchants.schema.enums import (
    CouponKind,
    CouponTemplateState,
    CouponTrigger,
    Funder,
    PartialRefundRule,
)
from merchants.schema.gift_zones import GiftZone
from merchants.schema.offers import money_or_none


@strawberry.type(description="A kind of coupon.")
class CouponTemplate:
    """A kind of coupon."""

    id: strawberry.ID = strawberry.field(description="TypeID `tpl_…`; embeds the merchant.")
    title: str = strawberry.field(description="Name, for people.")
    kind: CouponKind = strawberry.field(description="What its coupons do.")
    state: CouponTemplateState = strawberry.field(description="State.")
    amount: Money | None = strawberry.field(
        description="What a coupon takes off; null unless AMOUNT_OFF, or SHIPPING with a limit."
    )
    percent_off_bps: int | None = strawberry.field(
        description="What a coupon takes off, basis points; null unless PERCENT_OFF."
    )
    cap: Money | None = strawberry.field(
        description="The most a coupon takes off; null without a limit."
    )
    min_spend: Money = strawberry.field(description="Spending a coupon needs; 0 for none.")
    gift_zone: GiftZone | None = strawberry.field(
        description="What a coupon gives; null unless GIFT or EXCHANGE."
    )
    skus: Sequence[str] | None = strawberry.field(
        description="Articles it is limited to; null for all."
    )
    category_ids: Sequence[str] | None = strawberry.field(
        description="Categories it is limited to; null for all."
    )
    channels: Sequence[ChannelKind] | None = strawberry.field(
        description="Kinds of store it is limited to; null for all."
    )
    quota_total: int | None = strawberry.field(
        description="Coupons that may be issued; null without a limit."
    )
    quota_per_member: int = strawberry.field(description="Coupons that one member may have.")
    issued: Long = strawberry.field(description="Coupons issued so far.")
    stacking_group: str | None = strawberry.field(
        description="One coupon per group and order; null: the default group."
    )
    funder: Funder = strawberry.field(description="Who bears the cost.")
    funder_alliance_bps: int | None = strawberry.field(
        description="The alliance's share, basis points; null unless SPLIT."
    )
    shareable: bool = strawberry.field(description="Whether a member may pass a coupon on, once.")
    for_new_members: bool = strawberry.field(description="Whether it is given on joining.")
    budget: Money | None = strawberry.field(
        description="What all its redemptions together may take off; null without a limit."
    )
    budget_spent: Money | None = strawberry.field(
        description="What of the budget is redeemed or held; null without a budget."
    )
    audience: CouponAudience | None = strawberry.field(
        description="Whom it is for; null for every member."
    )
    trigger: CouponTrigger | None = strawberry.field(
        description="What makes it give coupons by itself; null for nothing."
    )
    trigger_on: date | None = strawberry.field(
        description="The day of a HOLIDAY, in the alliance's time zone; null otherwise."
    )
    share_days: int = strawberry.field(description="Days for which a share can be claimed.")
    share_new_members_only: bool = strawberry.field(
        description="Whether only someone who joins by claiming may claim."
    )
    on_partial_refund: PartialRefundRule = strawberry.field(
        description="What a refund of a part of an order does to its coupon."
    )

    @classmethod
    def of(cls, template: Template, currency: str) -> CouponTemplate:
        """The GraphQL object of a template."""
        draft, terms = template.draft, template.draft.terms
        channels, life = terms.channels, draft.life
        return cls(
            id=strawberry.ID(template.template_id),
            title=terms.title,
            kind=terms.kind,
            state=template.state,
            amount=money_or_none(terms.amount_minor, currency),
            percent_off_bps=terms.percent_off_bps,
            cap=money_or_none(terms.cap_minor, currency),
            min_spend=Money.of(terms.min_spend_minor, currency),
            gift_zone=None if terms.zone is None else GiftZone.of(terms.zone, currency),
            skus=terms.skus,
            category_ids=terms.category_ids,
            channels=None if channels is None else [ChannelKind(each) for each in channels],
            quota_total=draft.quota_total,
            quota_per_member=draft.quota_per_member,
            issued=Long(template.issued),
            stacking_group=terms.stacking_group,
            funder=draft.funder,
            funder_alliance_bps=(
                alliance_share_bps(draft) if draft.funder is Funder.SPLIT else None
            ),
            shareable=draft.shareable,
            for_new_members=draft.for_new_members,
            budget=money_or_none(life.budget_minor, currency),
            budget_spent=(
                None if life.budget_minor is None else Money.of(template.spent_minor, currency)
            ),
            audience=None if life.audience is None else CouponAudience.of(life.audience),
            trigger=life.trigger,
            trigger_on=life.trigger_on,
            share_days=life.share_days,
            share_new_members_only=life.share_new_members_only,
            on_partial_refund=life.on_partial_refund,
        )
