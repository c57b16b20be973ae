"""Root mutation fields of the alliance subgraph, by group."""

from __future__ import annotations

import strawberry

from gateway.resolvers import administration, claims, enrolment
from gateway.schema.administration import (
    AdmitMerchantResult,
    ChangeMerchantStateResult,
    ConfigureAllianceResult,
    OpenStoreResult,
)
from gateway.schema.checkout_fields import CheckoutMutations
from gateway.schema.claims import ClaimCouponResult
from gateway.schema.enrolment import JoinResult


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
    change_merchant_state: ChangeMerchantStateResult | None = strawberry.federation.field(
        resolver=administration.change_merchant_state,
        requires_scopes=[["admin"]],
        description="Suspends a merchant, lets it sell again, or lets it leave.",
    )


@strawberry.type
class MembershipMutations:
    """What tills and members change."""

    join: JoinResult | None = strawberry.federation.field(
        resolver=enrolment.join,
        requires_scopes=[["merchant"]],
        description="Makes a member, a card and a membership as far as they lack, in one call.",
    )
    claim_coupon: ClaimCouponResult | None = strawberry.federation.field(
        resolver=claims.claim_coupon,
        requires_scopes=[["member"], ["merchant"]],
        description="Gives a friend the coupon of a share code, once; who is no member yet "
        "becomes one in the same call. Somebody who joins and then loses the race for the code "
        "stays a member.",
    )


@strawberry.type
class Mutation(MembershipMutations, AdministrationMutations, CheckoutMutations):
    """Every mutation; a further group of fields is a further base class."""
