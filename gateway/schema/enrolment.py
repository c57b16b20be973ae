"""How people are recognised, and how they join."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry
from strawberry.schema_directive import Location
from strawberry.schema_directives import OneOf

from gateway.schema.inputs import REPLAYED
from gateway.schema.members import Member, Membership
from gateway.schema.nodes import Coupon
from gateway.schema.refusals import (
    CardNumberReplacedRefusal,
    MemberFrozenRefusal,
    MerchantNotActiveRefusal,
    VerificationFailedRefusal,
)
from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)


@strawberry.federation.schema_directive(
    locations=[Location.INPUT_OBJECT],
    name="oneOf",
    compose=True,
    import_url="https://specs.graphql.org/oneof/v1.0",
)
class ComposedOneOf(OneOf):
    """`@oneOf` that composition keeps."""


@strawberry.input(description="A value that is unique only within its issuer.")
class IssuedIdentityInput:
    """A value of an issuer."""

    issuer: str = strawberry.field(description="App or scheme.")
    value: str = strawberry.field(description="The value there.")


@strawberry.input(directives=[ComposedOneOf()], description="Exactly one way to name a member.")
class CredentialInput:
    """Exactly one credential."""

    card_token: str | None = strawberry.field(
        default=strawberry.UNSET, description="Content of the card's QR code."
    )
    card_number: str | None = strawberry.field(
        default=strawberry.UNSET, description="Number of the card."
    )
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="E.164: +8613800001234."
    )
    email: str | None = strawberry.field(default=strawberry.UNSET, description="E-mail address.")
    wechat_union_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="WeChat unionid."
    )
    wechat_open_id: IssuedIdentityInput | None = strawberry.field(
        default=strawberry.UNSET, description="WeChat openid; issuer is the app."
    )
    merchant_reference: IssuedIdentityInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="A number by which an issuer (an older scheme, a till) knows the member.",
    )


@strawberry.input(description="What a person tells about themselves.")
class ProfileInput:
    """A profile."""

    display_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="Name to greet by."
    )
    birthday: date | None = strawberry.field(default=strawberry.UNSET, description="Day of birth.")
    gender: str | None = strawberry.field(
        default=strawberry.UNSET, description="As the person puts it."
    )
    region: str | None = strawberry.field(
        default=strawberry.UNSET, description="ISO 3166-2 or the person's words."
    )


@strawberry.input(description="Input of `join`.")
class JoinInput:
    """A person who joins."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    store_id: strawberry.ID = strawberry.field(description="Where the person joins.")
    credential: CredentialInput = strawberry.field(description="How to recognise the person.")
    consents: list[str] = strawberry.field(description="Purposes agreed to; may be empty.")
    referral_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="Code of the member who invited."
    )
    profile: ProfileInput | None = strawberry.field(
        default=strawberry.UNSET, description="What the person tells about themselves."
    )


@strawberry.type(description="The person is a member of this merchant now.")
class Joined:
    """Success of `join`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    already_member: bool = strawberry.field(
        description="Whether the person was a member of this merchant before."
    )
    member: Member = strawberry.field(description="The member.")
    membership: Membership = strawberry.field(description="The link to this merchant.")
    first_order_coupon: Coupon | None = strawberry.field(
        description="Good for the order being placed now; null when the merchant gives none."
    )


JoinResult = Annotated[
    Joined
    | MemberFrozenRefusal
    | MerchantNotActiveRefusal
    | VerificationFailedRefusal
    | CardNumberReplacedRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("JoinResult", description="Answer of `join`."),
]


@strawberry.type(description="Who stands in front of a till.")
class Identification:
    """Who stands in front of a till."""

    member: Member = strawberry.field(description="The member.")
    membership: Membership | None = strawberry.field(
        description="The member at this store's merchant; null when not joined there."
    )
    warnings: list[str] = strawberry.field(
        description="Codes in capitals that staff should know: MEMBER_FROZEN, DEBT_OPEN, "
        "DEBT_UNKNOWN, IDENTITY_UNVERIFIED."
    )
