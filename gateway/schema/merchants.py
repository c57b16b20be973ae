"""Merchants, their stores and their backends."""

from __future__ import annotations

from datetime import datetime

import strawberry

from gateway.directory import entries
from gateway.directory.entries import BackendKind, MerchantState, StoreState
from gateway.directory.health import HealthState
from gateway.resolvers import merchants as resolvers
from gateway.resolvers.context import AllianceInfo
from gateway.schema.nodes import Node
from kernel.graphql import ChannelKind
from kernel.pages import Connection

strawberry.enum(
    MerchantState,
    description=(
        "State of a merchant in the alliance. APPLIED: not admitted yet. ACTIVE: sells, issues and"
        " redeems. SUSPENDED: sells to no member for now; refunds and statements go on. "
        "WINDING_DOWN: sells and redeems until the end that was named, and issues nothing. LEFT: "
        "it is out, and what it issued stays good elsewhere."
    ),
)
strawberry.enum(
    BackendKind,
    description=(
        "Where a merchant's data lives. HOSTED: here. REMOTE: in a service of the merchant's own."
    ),
)
strawberry.enum(
    StoreState,
    description=("State of a store. OPEN: its tills are served. CLOSED: they are not any more."),
)
strawberry.enum(
    HealthState,
    description=(
        "How a backend answers. UP: the last call was answered. DEGRADED: the last one failed, or "
        "the last two. DOWN: three or more failed in a row."
    ),
)


@strawberry.type(description="A merchant's backend.")
class Backend:
    """Where a merchant's data lives."""

    kind: BackendKind = strawberry.field(
        description="Hosted here, or a server of the merchant's own."
    )
    endpoint: str | None = strawberry.field(
        description="URL of a remote backend; null when hosted."
    )


@strawberry.type(description="Health of a backend, as the gateway sees it.")
class BackendHealth:
    """How a backend answers."""

    state: HealthState = strawberry.field(description="State now.")
    since: datetime = strawberry.field(description="Since when it is in this state.")
    last_error: str | None = strawberry.field(
        description="Error code of the last failure; null when none is known."
    )


@strawberry.federation.type(keys=["id"], description="A merchant of the alliance.")
class Merchant(Node):
    """A merchant, as the directory knows it."""

    id: strawberry.ID = strawberry.field(description="TypeID `mer_…`.")
    reference: str | None = strawberry.field(
        description="The alliance's own number for it. Null only with an error."
    )
    name: str | None = strawberry.field(description="Name. Null only with an error.")
    name_en: str | None = strawberry.field(description="English name; null when not given.")
    state: MerchantState | None = strawberry.field(description="State. Null only with an error.")
    redeem_until: datetime | None = strawberry.field(
        description="From when on it sells to no member and its own coupons end; null unless it "
        "is leaving."
    )
    deposit_held_until: datetime | None = strawberry.field(
        description="Until when the deposit of a merchant that is leaving stays; null of others."
    )
    stores: Connection[Store] | None = strawberry.field(
        resolver=resolvers.merchant_stores,
        description="Points of sale, by name. Null only with an error.",
    )
    backend: Backend | None = strawberry.federation.field(
        resolver=resolvers.merchant_backend,
        requires_scopes=[["admin"], ["merchant"]],
        description="Where its data lives. Null only with an error.",
    )
    health: BackendHealth | None = strawberry.federation.field(
        resolver=resolvers.merchant_health,
        requires_scopes=[["admin"], ["merchant"]],
        description="How its backend answers now. Null only with an error.",
    )

    @classmethod
    def of(cls, merchant: entries.Merchant) -> Merchant:
        """The merchant as it is kept."""
        return cls(
            id=strawberry.ID(merchant.id),
            reference=merchant.reference,
            name=merchant.name,
            name_en=merchant.name_en,
            state=merchant.state,
            redeem_until=merchant.redeem_until,
            deposit_held_until=merchant.deposit_held_until,
        )

    @classmethod
    def resolve_reference(cls, info: AllianceInfo, id: strawberry.ID) -> Merchant | None:
        """The merchant of a key; None when there is none."""
        return resolvers.merchant_by_id(info.context, id)


@strawberry.federation.type(keys=["id"], description="A point of sale of one merchant.")
class Store(Node):
    """A store, as the directory knows it."""

    id: strawberry.ID = strawberry.field(description="TypeID `sto_…`.")
    reference: str | None = strawberry.field(
        description="The merchant's own number for it. Null only with an error."
    )
    name: str | None = strawberry.field(description="Name. Null only with an error.")
    channel: ChannelKind | None = strawberry.field(
        description="Kind of point of sale. Null only with an error."
    )
    state: StoreState | None = strawberry.field(description="State. Null only with an error.")
    merchant_id: strawberry.Private[str]
    merchant: Merchant | None = strawberry.field(
        resolver=resolvers.store_merchant, description="Its merchant. Null only with an error."
    )

    @classmethod
    def of(cls, store: entries.Store) -> Store:
        """The store as it is kept."""
        return cls(
            id=strawberry.ID(store.id),
            reference=store.reference,
            name=store.name,
            channel=store.channel,
            state=store.state,
            merchant_id=store.merchant_id,
        )

    @classmethod
    def resolve_reference(cls, info: AllianceInfo, id: strawberry.ID) -> Store | None:
        """The store of a key; None when there is none."""
        return resolvers.store_by_id(info.context, id)
