"""Root query fields of the alliance subgraph, by group."""

from __future__ import annotations

import strawberry

from gateway.resolvers import merchants, settings
from gateway.schema.merchants import Merchant
from gateway.schema.settings import AllianceSettings
from kernel.graphql import Connection


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


@strawberry.type
class Query(DirectoryQueries):
    """Every query; a further group of fields is a further base class."""
