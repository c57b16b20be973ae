"""Members, their card, and the merchants they joined."""

from __future__ import annotations

from datetime import datetime

import strawberry

from gateway.membership import people
from gateway.membership.identities import IdentityKind
from gateway.membership.people import CardStatus, MemberStatus
from gateway.resolvers import cards as card_resolvers
from gateway.resolvers import members as member_resolvers
from gateway.resolvers import memberships as membership_resolvers
from gateway.schema.merchants import Merchant, Store
from gateway.schema.nodes import Node
from kernel.graphql import ChannelKind
from kernel.pages import Connection

strawberry.enum(
    MemberStatus,
    description=(
        "State of a member. ACTIVE: joins, buys and spends. FROZEN: an admin stopped it for now; "
        "nothing of it is lost. MERGED: it is one with another member, which its id leads to. "
        "ERASED: it was forgotten at its own wish, and nothing leads to it."
    ),
)
strawberry.enum(
    CardStatus,
    description=(
        "State of a card; a replaced card stays the same card, with another number. ISSUED: it "
        "waits to be used. ACTIVE: it can be used. LOST: it is used no more."
    ),
)
strawberry.enum(
    IdentityKind,
    description=(
        "How a credential names a member. PHONE, EMAIL: by an address. WECHAT_UNION_ID: good at "
        "every merchant. WECHAT_OPEN_ID: good in one app. CARD_TOKEN: by what the member app shows"
        " as a QR code. CARD_NUMBER: by the number of the card. MERCHANT_REFERENCE: by a "
        "merchant's own number for a customer."
    ),
)


@strawberry.type(description="One way to recognise a member.")
class Identity:
    """One way to recognise a member."""

    kind: IdentityKind = strawberry.field(description="Kind of credential.")
    verified: bool = strawberry.field(
        description="Whether the member proved it; otherwise a merchant asserted it."
    )
    masked: str = strawberry.field(
        description="Enough of the value to recognise it: `138****1234`."
    )
    issuer: str | None = strawberry.field(
        description="The issuing app or scheme; null for kinds without one."
    )
    asserted_by: Merchant | None = strawberry.field(
        description="Merchant that asserted it; null when the member gave it."
    )


@strawberry.type(description="What a member allows one merchant.")
class Consent:
    """What a member allows one merchant."""

    merchant: Merchant = strawberry.field(description="The merchant.")
    purpose: str = strawberry.field(description="What the data may be used for.")
    granted: bool = strawberry.field(description="Granted, or withdrawn.")
    since: datetime = strawberry.field(description="Since when.")


@strawberry.type(description="Where and how a member joined.")
class JoinedVia:
    """Where and how a member joined."""

    merchant: Merchant = strawberry.field(description="The merchant that recruited.")
    store: Store | None = strawberry.field(description="The store; null when it no longer exists.")
    channel: ChannelKind = strawberry.field(description="Kind of point of sale.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="How many friends a member invited, by how far each referral is.")
class Referrals:
    """Friends by state."""

    pending: int = strawberry.field(description="Joined, and have not bought yet.")
    qualified: int = strawberry.field(description="Bought, and may still return their first order.")
    rewarded: int = strawberry.field(description="Earned the member a reward.")
    reversed: int = strawberry.field(
        description="Returned their first order, or turned out to be the member."
    )


@strawberry.type(description="A short-lived code that stands for the card.")
class DisplayToken:
    """A short-lived code that stands for the card."""

    token: str = strawberry.field(description="Content of the QR code.")
    expires_at: datetime = strawberry.field(description="From when it is refused.")


@strawberry.federation.type(keys=["id"], description="One person in the alliance.")
class Member(Node):
    """A member. `is_shown` when a till has just been told whom it has before it."""

    id: strawberry.ID = strawberry.field(description="TypeID `mem_…`.")
    is_shown: strawberry.Private[bool] = False
    status: MemberStatus | None = strawberry.field(
        resolver=member_resolvers.member_status, description="State. Null only with an error."
    )
    display_name: str | None = strawberry.field(
        resolver=member_resolvers.member_display_name,
        description="Name to greet by; null when not given. To a merchant without the member's "
        "consent for PROFILE it is null with the error CONSENT_REQUIRED.",
    )
    identities: list[Identity] | None = strawberry.field(
        resolver=member_resolvers.member_identities,
        description="Ways to recognise the member, oldest first; a merchant sees only those it "
        "asserted.",
    )
    consents: list[Consent] | None = strawberry.federation.field(
        resolver=member_resolvers.member_consents,
        requires_scopes=[["member"], ["admin"]],
        description="What the member allows merchants; grants and withdrawals, newest first.",
    )
    referral_code: str | None = strawberry.federation.field(
        resolver=member_resolvers.member_referral_code,
        requires_scopes=[["member"], ["admin"]],
        description="What friends give as `referralCode` when they join; null once erased.",
    )
    referrals: Referrals | None = strawberry.federation.field(
        resolver=member_resolvers.member_referrals,
        requires_scopes=[["member"], ["admin"]],
        description="The friends whom the member invited, counted. Null only with an error.",
    )
    joined_via: JoinedVia | None = strawberry.field(
        resolver=member_resolvers.member_joined_via,
        description="Where the member first joined the alliance; null for another merchant.",
    )
    card: Card | None = strawberry.field(
        resolver=member_resolvers.member_card, description="The one card; null once erased."
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Member:
        """The member of a key."""
        return cls(id=id)


@strawberry.federation.type(
    keys=["id"], description="The member's one card, good at every merchant."
)
class Card(Node):
    """A card. `is_shown` when a till has just been told whom it has before it."""

    id: strawberry.ID = strawberry.field(description="TypeID `card_…`; outlives every number.")
    is_shown: strawberry.Private[bool] = False
    number: str | None = strawberry.field(
        resolver=card_resolvers.card_number,
        description="Number printed now. Null only with an error.",
    )
    status: CardStatus | None = strawberry.field(
        resolver=card_resolvers.card_status, description="State. Null only with an error."
    )
    display_token: DisplayToken | None = strawberry.federation.field(
        resolver=card_resolvers.card_display_token,
        requires_scopes=[["member"], ["admin"]],
        description="Code to show at a till; it serves for a minute at most, so ask anew for each "
        "showing. For the member alone; null for an admin.",
    )
    memberships: Connection[Membership] | None = strawberry.federation.field(
        resolver=card_resolvers.card_memberships,
        requires_scopes=[["member"], ["admin"]],
        description="One per merchant joined, by merchant name. Null only with an error.",
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Card:
        """The card of a key."""
        return cls(id=id)


@strawberry.federation.type(
    keys=["id merchantId"], description="The link between a member and one merchant."
)
class Membership(Node):
    """A membership."""

    id: strawberry.ID = strawberry.field(description="TypeID `mbs_…`; embeds the merchant.")
    merchant_id: strawberry.ID = strawberry.field(
        description="Id of `merchant`; names the backend that holds the wallet."
    )
    merchant: Merchant | None = strawberry.field(
        resolver=membership_resolvers.membership_merchant,
        description="The merchant. Null only with an error.",
    )
    card: Card | None = strawberry.field(
        resolver=membership_resolvers.membership_card,
        description="The member's card. Null only with an error.",
    )
    joined_at: datetime | None = strawberry.field(
        resolver=membership_resolvers.membership_joined_at,
        description="When the member joined this merchant. Null only with an error.",
    )

    @classmethod
    def of(cls, membership: people.Membership) -> Membership:
        """The membership as it is kept."""
        return cls(
            id=strawberry.ID(membership.id), merchant_id=strawberry.ID(membership.merchant_id)
        )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, merchantId: strawberry.ID) -> Membership:
        """The membership of a key."""
        return cls(id=id, merchant_id=merchantId)
