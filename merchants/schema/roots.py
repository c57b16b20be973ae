"""Root fields of the merchants subgraph."""

from __future__ import annotations

import strawberry

from merchants.resolvers import backend, coupon_changes, tier_changes
from merchants.resolvers import mutations as resolve
from merchants.resolvers import promotions as resolve_promotion

_MERCHANT_OR_ADMIN = [["merchant"], ["admin"]]
_MEMBER = [["member"]]


@strawberry.type
class Query:
    """Reads of the backend contract; everything public hangs on entities."""

    backend_price = strawberry.federation.field(
        resolver=backend.backend_price,
        inaccessible=True,
        description="Backend contract: prices a cart; pure.",
    )
    backend_refund_terms = strawberry.federation.field(
        resolver=backend.backend_refund_terms,
        inaccessible=True,
        description="Backend contract: what a refund would do; pure.",
    )
    backend_offers = strawberry.federation.field(
        resolver=backend.backend_offers,
        inaccessible=True,
        description="Backend contract: coupons and tiers of the alliance's own backend, to "
        "be priced elsewhere.",
    )
    backend_events = strawberry.federation.field(
        resolver=backend.backend_events,
        inaccessible=True,
        description="Backend contract: the outbox, oldest first; in order per order.",
    )


@strawberry.type
class Mutation:
    """Changes."""

    set_tier_ladder = strawberry.federation.mutation(
        resolver=resolve.set_tier_ladder,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Makes a new version of one of the merchant's ladders; made when the name is "
        "new.",
    )
    create_coupon_template = strawberry.federation.mutation(
        resolver=resolve.create_coupon_template,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Makes a kind of coupon.",
    )
    issue_coupons = strawberry.federation.mutation(
        resolver=resolve.issue_coupons,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Gives one coupon to each card; all or none.",
    )
    set_coupon_template_state = strawberry.federation.mutation(
        resolver=coupon_changes.set_coupon_template_state,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Starts, pauses or ends the issuing of a template's coupons. Coupons that "
        "members have stay good.",
    )
    void_coupons = strawberry.federation.mutation(
        resolver=coupon_changes.void_coupons,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Withdraws coupons that nobody uses, with a reason for their members; all or "
        "none.",
    )
    share_coupon = strawberry.federation.mutation(
        resolver=coupon_changes.share_coupon,
        requires_scopes=_MEMBER,
        description="Makes a code with which a friend can have one of the member's coupons, "
        "once. Until then it can be taken back.",
    )
    take_back_coupon = strawberry.federation.mutation(
        resolver=coupon_changes.take_back_coupon,
        requires_scopes=_MEMBER,
        description="Takes back a shared coupon that nobody claimed yet.",
    )
    set_promotion = strawberry.federation.mutation(
        resolver=resolve_promotion.set_promotion,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Makes a promotion, or a new version of one, which is in force at once: carts "
        "that are quoted from then on are priced by it.",
    )
    set_pricing_policy = strawberry.federation.mutation(
        resolver=resolve_promotion.set_pricing_policy,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Limits what all discounts of a cart together may take off at the merchant; "
        "in force at once.",
    )
    set_tier_policy = strawberry.federation.mutation(
        resolver=tier_changes.set_tier_policy,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Sets how the merchant's ladders go together, which alliance ranks it honours, "
        "and where its segments part; all of it, from now on.",
    )
    set_alliance_weights = strawberry.federation.mutation(
        resolver=tier_changes.set_alliance_weights,
        requires_scopes=[["admin"]],
        description="Sets what each merchant's orders count in the alliance's ladders, from now "
        "on.",
    )
    set_growth_task = strawberry.federation.mutation(
        resolver=tier_changes.set_growth_task,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Makes a task that gives growth value, or changes one.",
    )
    record_task = strawberry.federation.mutation(
        resolver=tier_changes.record_task,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="A member did a task: gives growth value, within the task's caps.",
    )
    set_paid_plan = strawberry.federation.mutation(
        resolver=tier_changes.set_paid_plan,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Makes a paid membership that the merchant sells, or a new version of one.",
    )
    sell_paid_membership = strawberry.federation.mutation(
        resolver=tier_changes.sell_paid_membership,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Gives a card a paid membership that it bought, from now on for its whole "
        "time; while another of the plan still runs, or waits, from that one's end on.",
    )
    refund_paid_membership = strawberry.federation.mutation(
        resolver=tier_changes.refund_paid_membership,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Ends a paid membership, and tells what of its price goes back. What "
        "continues it begins at once, for its whole time.",
    )
    backend_join = strawberry.federation.mutation(
        resolver=backend.backend_join,
        inaccessible=True,
        description="Backend contract: a member joined; gives newcomer coupons.",
    )
    backend_lock = strawberry.federation.mutation(
        resolver=backend.backend_lock,
        inaccessible=True,
        description="Backend contract: locks coupons for an attempt; all or none.",
    )
    backend_place = strawberry.federation.mutation(
        resolver=backend.backend_place,
        inaccessible=True,
        description="Backend contract: the commit point of a sale; unique by merchant and orderNo.",
    )
    backend_release = strawberry.federation.mutation(
        resolver=backend.backend_release,
        inaccessible=True,
        description="Backend contract: frees what an attempt locked and refuses its later calls.",
    )
    backend_refund = strawberry.federation.mutation(
        resolver=backend.backend_refund,
        inaccessible=True,
        description="Backend contract: the commit point of a refund; unique by order and refundNo.",
    )
    backend_merge = strawberry.federation.mutation(
        resolver=backend.backend_merge,
        inaccessible=True,
        description="Backend contract: two cards become one; coupons, orders and figures move.",
    )
    backend_record = strawberry.federation.mutation(
        resolver=backend.backend_record,
        inaccessible=True,
        description="Backend contract of the alliance's own backend: another merchant's event; "
        "redeems the alliance's coupons, moves its ladders.",
    )
