"""Root mutation fields of the alliance subgraph, by group."""

from __future__ import annotations

import strawberry

from gateway.resolvers import (
    administration,
    claims,
    enrolment,
    merging,
    proving,
    stuck_events,
)
from gateway.schema.administration import (
    AdmitMerchantResult,
    ChangeMerchantStateResult,
    ConfigureAllianceResult,
    OpenStoreResult,
)
from gateway.schema.checkout_fields import CheckoutMutations
from gateway.schema.claims import ClaimCouponResult
from gateway.schema.enrolment import JoinResult
from gateway.schema.merging import MergeMembersResult, UnmergeMembersResult
from gateway.schema.proving import (
    EraseMemberResult,
    FreezeMemberResult,
    LinkIdentityResult,
    ReplaceCardResult,
    RequestVerificationCodeResult,
    SetConsentResult,
)
from gateway.schema.stuck_events import ResumeEventResult


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
    resume_event: ResumeEventResult | None = strawberry.federation.field(
        resolver=stuck_events.resume_event,
        requires_scopes=[["admin"]],
        description="Lets a parked event, and what waits with it, be tried again.",
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
class MemberMutations:
    """What members change of themselves, and admins of them."""

    request_verification_code: RequestVerificationCodeResult | None = strawberry.federation.field(
        resolver=proving.request_verification_code,
        requires_scopes=[["member"], ["merchant"]],
        description="Sends a one-time code of six digits to a phone number or an e-mail address, "
        "known or not. It is good once, for five minutes and five tries, until a newer one is "
        "asked for. At most 5 codes an hour for one address; beyond that RATE_LIMITED.",
    )
    link_identity: LinkIdentityResult | None = strawberry.federation.field(
        resolver=proving.link_identity,
        requires_scopes=[["member"]],
        description="Adds another way to be recognised. With the code that was sent to it, a phone "
        "number or an e-mail address names the member at every merchant from now on; without one "
        "it is only noted.",
    )
    set_consent: SetConsentResult | None = strawberry.federation.field(
        resolver=proving.set_consent,
        requires_scopes=[["member"]],
        description="Grants or withdraws one merchant's use of the member's data for a purpose. "
        "What was said before is kept; the last word counts.",
    )
    replace_card: ReplaceCardResult | None = strawberry.federation.field(
        resolver=proving.replace_card,
        requires_scopes=[["member"], ["admin"]],
        description="Gives the card a new number and token; the old ones stop at once. Its id, "
        "and whatever hangs on it, stays.",
    )
    freeze_member: FreezeMemberResult | None = strawberry.federation.field(
        resolver=proving.freeze_member,
        requires_scopes=[["admin"]],
        description="Freezes or unfreezes a member. A frozen member joins nowhere and buys and "
        "spends nothing as a member; what was paid or refunded is booked all the same.",
    )
    erase_member: EraseMemberResult | None = strawberry.federation.field(
        resolver=proving.erase_member,
        requires_scopes=[["member"], ["admin"]],
        description="Erases a member for ever: identities, name, profile and card numbers go; "
        "orders and bookings stay under an id that names nobody. Points and coins that are left "
        "must be forfeited. Whoever was erased may join anew, as a new member.",
    )
    merge_members: MergeMembersResult | None = strawberry.federation.field(
        resolver=merging.merge_members,
        requires_scopes=[["admin"]],
        description="Merges two members that are one person; previews unless `dryRun` is false. "
        "Points, coins, debts, coupons, orders, memberships and identities become the survivor's; "
        "every id, number and identity of the other names the survivor for ever.",
    )
    unmerge_members: UnmergeMembersResult | None = strawberry.federation.field(
        resolver=merging.unmerge_members,
        requires_scopes=[["admin"]],
        description="Undoes a merge within 30 days, while nothing that moved was used.",
    )


@strawberry.type
class Mutation(MembershipMutations, MemberMutations, AdministrationMutations, CheckoutMutations):
    """Every mutation; a further group of fields is a further base class."""
