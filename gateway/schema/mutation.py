"""Root mutation fields of the alliance subgraph, by group."""

from __future__ import annotations

import strawberry

from gateway.resolvers import administration
from gateway.schema.administration import (
    AdmitMerchantResult,
    ConfigureAllianceResult,
    OpenStoreResult,
)


@strawberry.type
class AdministrationMutations:
    """What admins change."""

    configure_alliance: ConfigureAllianceResult | None = strawberry.federation.field(
        resolver=administration.configure_alliance,
        requires_scopes=[["admin"]],
        description="Makes a new version of the alliance's settings.",
    )
    admit_merchant: AdmitMerchantResult | None = strawberry.federation.field(
        resolver=administration.admit_merchant,
        requires_scopes=[["admin"]],
        description="Admits a merchant after its backend was checked.",
    )
    open_store: OpenStoreResult | None = strawberry.federation.field(
        resolver=administration.open_store,
        requires_scopes=[["admin"]],
        description="Opens a point of sale of a merchant.",
    )


@strawberry.type
class Mutation(AdministrationMutations):
    """Every mutation; a further group of fields is a further base class."""
