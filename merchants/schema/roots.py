"""Root fields of the merchants subgraph."""

from __future__ import annotations

import strawberry

from merchants.resolvers import backend
from merchants.resolvers import mutations as resolve

_MERCHANT_OR_ADMIN = [["merchant"], ["admin"]]


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
