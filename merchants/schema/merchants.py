"""Merchants and stores in GraphQL, as far as a backend knows them."""

from __future__ import annotations

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from merchants.resolvers import merchants as resolve
from merchants.resolvers import policies, standing_members

_MERCHANT_OR_ADMIN = [["merchant"], ["admin"]]


@strawberry.federation.type(keys=["id"])
class Merchant:
    """What a merchant's backend holds of it."""

    id: strawberry.ID = strawberry.field(description="TypeID `mer_…`.")
    orders = strawberry.federation.field(
        resolver=resolve.merchant_orders,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Orders, newest first. Null only with an error.",
    )
    order = strawberry.federation.field(
        resolver=resolve.merchant_order,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="The order with the merchant's own number, as it stands on a receipt; null "
        "when there is none.",
    )
    tier_ladders = strawberry.field(
        resolver=resolve.merchant_ladders,
        description="Ladders in force, the primary first. Null only with an error.",
    )
    tier_policy = strawberry.federation.field(
        resolver=policies.merchant_policy,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="How its ladders go together, now. Null only with an error.",
    )
    members_near_tier = strawberry.federation.field(
        resolver=standing_members.merchant_near_tier,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Members to whom little is missing to the next tier of `ladder` (absent: the "
        "primary one): at most `within` in the metric's unit, or `withinBps` of the next "
        "threshold; at least one of both is needed. By card; a page may be short while more "
        "follow. Null only with an error.",
    )
    segments = strawberry.federation.field(
        resolver=standing_members.merchant_segments,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="How many members are in each segment now. Null only with an error.",
    )
    segment_members = strawberry.federation.field(
        resolver=standing_members.merchant_segment_members,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Members in a segment at an instant (absent: now), and what put each there. "
        "By card; a page may be short while more follow. Null only with an error.",
    )
    growth_tasks = strawberry.field(
        resolver=policies.merchant_tasks,
        description="Tasks that give growth value, by code. Null only with an error.",
    )
    paid_plans = strawberry.field(
        resolver=policies.merchant_plans,
        description="Paid memberships that it sells or sold, by code. Null only with an error.",
    )
    coupon_templates = strawberry.federation.field(
        resolver=resolve.merchant_templates,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Coupon templates, newest first. Null only with an error.",
    )

    promotions = strawberry.field(
        resolver=resolve.merchant_promotions,
        description="Promotions, newest first, in their latest versions. Others than the "
        "merchant and admins see those that have begun, early access included. Null only with "
        "an error.",
    )

    pricing_policy = strawberry.federation.field(
        resolver=resolve.merchant_policy,
        requires_scopes=_MERCHANT_OR_ADMIN,
        description="Limits of discounts in force; null when none were ever set, or with an error.",
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Merchant:
        """The merchant that a key names."""
        return cls(id=id)


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Store:
    """A point of sale, which the alliance's directory knows."""

    id: strawberry.ID = strawberry.field(description="TypeID `sto_…`.")
