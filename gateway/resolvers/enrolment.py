"""Recognises people, and lets them join."""

from __future__ import annotations

import strawberry
from graphql import GraphQLError

from gateway.membership.identities import (
    FIELD_BY_KIND,
    IdentityKind,
    StatedCredential,
    credential_of,
)
from gateway.membership.joining import Join
from gateway.membership.people import Profile
from gateway.membership.refusals import CardNumberReplaced
from gateway.resolvers.context import AllianceInfo
from gateway.schema.enrolment import (
    CredentialInput,
    Identification,
    IssuedIdentityInput,
    Joined,
    JoinInput,
)
from gateway.schema.inputs import given
from gateway.schema.members import Member, Membership
from gateway.schema.nodes import Coupon
from kernel.graphql import BadUserInput, Forbidden
from kernel.refusals import InvalidInput, NotFound

_KIND_BY_ATTRIBUTE = {
    "card_token": IdentityKind.CARD_TOKEN,
    "card_number": IdentityKind.CARD_NUMBER,
    "phone": IdentityKind.PHONE,
    "email": IdentityKind.EMAIL,
    "wechat_union_id": IdentityKind.WECHAT_UNION_ID,
    "wechat_open_id": IdentityKind.WECHAT_OPEN_ID,
    "merchant_reference": IdentityKind.MERCHANT_REFERENCE,
}


async def identify(
    info: AllianceInfo, credential: CredentialInput, store_id: strawberry.ID
) -> Identification | None:
    """Whom a credential names at a store; None when it names nobody."""
    try:
        found = await info.context.alliance.recognition.identify(
            info.context.caller, credential_of(stated(credential)), store_id=store_id
        )
    except InvalidInput as refusal:
        raise BadUserInput(refusal.message) from refusal
    except NotFound as refusal:
        raise Forbidden("You may not act for this store.") from refusal
    except CardNumberReplaced as refusal:
        raise GraphQLError(refusal.message, extensions={"code": refusal.code}) from refusal
    if found is None:
        return None
    person = found.person
    return Identification(
        member=Member(id=strawberry.ID(person.member_id), is_shown=True),
        membership=None if person.membership is None else Membership.of(person.membership),
        warnings=list(found.warnings),
    )


async def join(info: AllianceInfo, input: JoinInput) -> Joined:
    """Joins a person to the store's merchant."""
    profile = given(input.profile)
    joined = await info.context.alliance.enrolment.join(
        info.context.caller,
        Join(
            request_id=input.request_id,
            store_id=input.store_id,
            credential=stated(input.credential),
            consents=tuple(input.consents),
            referral_code=given(input.referral_code),
            profile=Profile()
            if profile is None
            else Profile(
                display_name=given(profile.display_name),
                birthday=given(profile.birthday),
                gender=given(profile.gender),
                region=given(profile.region),
            ),
        ),
    )
    return Joined(
        replayed=joined.replayed,
        already_member=joined.already_member,
        member=Member(id=strawberry.ID(joined.member_id), is_shown=True),
        membership=Membership(
            id=strawberry.ID(joined.membership_id), merchant_id=strawberry.ID(joined.merchant_id)
        ),
        first_order_coupon=None if joined.coupon_id is None else Coupon.of(joined.coupon_id),
    )


def stated(credential: CredentialInput) -> StatedCredential:
    """The one credential that was given.

    Raises:
        BadUserInput: none was.
    """
    for attribute, kind in _KIND_BY_ATTRIBUTE.items():
        value = getattr(credential, attribute)
        if isinstance(value, IssuedIdentityInput):
            return StatedCredential(kind, value.value, value.issuer)
        if isinstance(value, str):
            return StatedCredential(kind, value)
    raise BadUserInput(f"credential must have one of {', '.join(FIELD_BY_KIND.values())}.")
