"""How members prove who they are, and what they and admins change of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from gateway.schema.enrolment import CredentialInput
from gateway.schema.inputs import REPLAYED
from gateway.schema.members import Card, Consent, Member
from gateway.schema.refusals import (
    ErasureBlockedRefusal,
    IdentityBelongsToAnotherRefusal,
    MemberFrozenRefusal,
    VerificationFailedRefusal,
)
from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)


@strawberry.input(description="Input of `requestVerificationCode`.")
class RequestVerificationCodeInput:
    """Where to send a code."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    credential: CredentialInput = strawberry.field(
        description="A phone number or an e-mail address; others are INVALID_INPUT."
    )


@strawberry.type(
    description="A one-time code is on its way; whether anyone is known by the credential is not "
    "told."
)
class VerificationCodeSent:
    """Success of `requestVerificationCode`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    expires_at: datetime = strawberry.field(
        description="From when the code is refused: five minutes after it was made."
    )


RequestVerificationCodeResult = Annotated[
    VerificationCodeSent | InvalidInputRefusal | RequestIdReusedRefusal | RequestInProgressRefusal,
    strawberry.union(
        "RequestVerificationCodeResult", description="Answer of `requestVerificationCode`."
    ),
]


@strawberry.input(description="Input of `linkIdentity`.")
class LinkIdentityInput:
    """Another way to be recognised."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    member_id: strawberry.ID = strawberry.field(
        description="The member of the token; any other is NOT_FOUND."
    )
    credential: CredentialInput = strawberry.field(
        description="The identity: no card; with a code, a phone number or an e-mail address."
    )
    verification_code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="One-time code; without it the identity stays unverified, and names nobody "
        "at a till.",
    )


@strawberry.type(description="The identity is the member's.")
class IdentityLinked:
    """Success of `linkIdentity`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    member: Member = strawberry.field(
        description="The member, read now; the survivor when the proof made two members one."
    )


LinkIdentityResult = Annotated[
    IdentityLinked
    | IdentityBelongsToAnotherRefusal
    | VerificationFailedRefusal
    | MemberFrozenRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("LinkIdentityResult", description="Answer of `linkIdentity`."),
]


@strawberry.input(description="Input of `setConsent`.")
class SetConsentInput:
    """What a member allows."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="The merchant.")
    purpose: str = strawberry.field(
        description="What for, 1 to 64 characters; PROFILE opens the display name."
    )
    granted: bool = strawberry.field(description="Grant, or withdraw.")


@strawberry.type(description="The consent is recorded.")
class ConsentSet:
    """Success of `setConsent`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    consents: list[Consent] = strawberry.field(description="All the member's consents, read now.")


SetConsentResult = Annotated[
    ConsentSet
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("SetConsentResult", description="Answer of `setConsent`."),
]


@strawberry.input(description="Input of `replaceCard`.")
class ReplaceCardInput:
    """A card that was lost."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    card_id: strawberry.ID = strawberry.field(description="The card; it keeps this id.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters.")


@strawberry.type(description="The card has a new number and token.")
class CardReplaced:
    """Success of `replaceCard`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    card: Card = strawberry.field(description="The same card, read now.")


ReplaceCardResult = Annotated[
    CardReplaced
    | MemberFrozenRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ReplaceCardResult", description="Answer of `replaceCard`."),
]


@strawberry.input(description="Input of `eraseMember`.")
class EraseMemberInput:
    """A member that wants to be forgotten."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    member_id: strawberry.ID = strawberry.field(
        description="The member; to a member's token, its own."
    )
    forfeit: bool = strawberry.field(
        description="Whether the member agrees to lose the points and coins that are left."
    )


@strawberry.type(description="The member is erased; only a tombstone is left.")
class MemberErased:
    """Success of `eraseMember`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    member_id: strawberry.ID = strawberry.field(description="The id, which names nobody now.")


EraseMemberResult = Annotated[
    MemberErased
    | ErasureBlockedRefusal
    | MemberFrozenRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("EraseMemberResult", description="Answer of `eraseMember`."),
]


@strawberry.input(description="Input of `freezeMember`.")
class FreezeMemberInput:
    """A member to freeze, or to unfreeze."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    member_id: strawberry.ID = strawberry.field(description="The member.")
    frozen: bool = strawberry.field(description="Freeze, or unfreeze.")
    reason: str = strawberry.field(description="Why, 1 to 200 characters.")


@strawberry.type(description="The member is frozen, or no longer so.")
class MemberFrozen:
    """Success of `freezeMember`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    member: Member = strawberry.field(description="The member, read now.")


FreezeMemberResult = Annotated[
    MemberFrozen
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("FreezeMemberResult", description="Answer of `freezeMember`."),
]
