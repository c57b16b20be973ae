"""Root query fields of the alliance subgraph, by group."""

from __future__ import annotations

import strawberry

from gateway.resolvers import enrolment, members, merchants, nodes, settings, stuck_events
from gateway.schema.checkout_fields import CheckoutQueries
from gateway.schema.enrolment import Identification
from gateway.schema.members import Member
from gateway.schema.merchants import Merchant
from gateway.schema.nodes import Node
from gateway.schema.settings import AllianceSettings
from gateway.schema.stuck_events import ParkedEvent
from kernel.pages import Connection


@strawberry.type
class DirectoryQueries:
    """Merchants and settings."""

    merchant: Merchant | None = strawberry.federation.field(
        resolver=merchants.merchant,
        authenticated=True,
        description="A merchant; null when there is none that the caller may see.",
    )
    merchants: Connection[Merchant] | None = strawberry.federation.field(
        resolver=merchants.merchants,
        requires_scopes=[["admin"]],
        description="All merchants by name, without the alliance itself.",
    )
    alliance_settings: AllianceSettings | None = strawberry.federation.field(
        resolver=settings.alliance_settings,
        authenticated=True,
        description="Settings in force now.",
    )
    parked_events: Connection[ParkedEvent] | None = strawberry.federation.field(
        resolver=stuck_events.parked_events,
        requires_scopes=[["admin"]],
        description="Sales and refunds that could not be booked; empty when all is well.",
    )


@strawberry.type
class MembershipQueries:
    """Members, and whatever has an id."""

    me: Member | None = strawberry.federation.field(
        resolver=members.me,
        requires_scopes=[["member"]],
        description="The member of the token. Null only with an error.",
    )
    node: Node | None = strawberry.federation.field(
        resolver=nodes.node,
        authenticated=True,
        description="The object of an id: Member, Card, Membership, Merchant, Store, Checkout, "
        "Coupon or Order; null when the caller may see none. A merged member's id finds the "
        "survivor.",
    )
    identify: Identification | None = strawberry.federation.field(
        resolver=enrolment.identify,
        requires_scopes=[["merchant"]],
        description="Whom a credential names, at one store; null when it names nobody, "
        "and for a display token also when it expired or another merchant recognised somebody by "
        "it before. Rate-limited.",
    )


@strawberry.type
class Query(DirectoryQueries, MembershipQueries, CheckoutQueries):
    """Every query; a further group of fields is a further base class."""
