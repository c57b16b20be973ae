"""Runs what members, and admins for them, ask for."""

from __future__ import annotations

import strawberry

from gateway.membership import erasure, member_changes, proving
from gateway.resolvers import members
from gateway.resolvers.context import AllianceInfo
from gateway.resolvers.enrolment import stated
from gateway.schema.inputs import given
from gateway.schema.members import Card, Member
from gateway.schema.proving import (
    CardReplaced,
    ConsentSet,
    EraseMemberInput,
    FreezeMemberInput,
    IdentityLinked,
    LinkIdentityInput,
    MemberErased,
    MemberFrozen,
    ReplaceCardInput,
    RequestVerificationCodeInput,
    SetConsentInput,
    VerificationCodeSent,
)


async def request_verification_code(
    info: AllianceInfo, input: RequestVerificationCodeInput
) -> VerificationCodeSent:
    """Sends a code."""
    sent = await info.context.alliance.proving.request_code(
        info.context.caller,
        proving.RequestCode(request_id=input.request_id, credential=stated(input.credential)),
    )
    return VerificationCodeSent(replayed=sent.replayed, expires_at=sent.expires_at)


async def link_identity(info: AllianceInfo, input: LinkIdentityInput) -> IdentityLinked:
    """Links an identity."""
    linked = await info.context.alliance.proving.link(
        info.context.caller,
        proving.LinkIdentity(
            request_id=input.request_id,
            member_id=input.member_id,
            credential=stated(input.credential),
            code=given(input.verification_code),
        ),
    )
    return IdentityLinked(
        replayed=linked.replayed,
        member=Member(id=strawberry.ID(linked.member_id), is_shown=True),
    )


async def set_consent(info: AllianceInfo, input: SetConsentInput) -> ConsentSet:
    """Records a consent."""
    done = await info.context.alliance.member_changes.set_consent(
        info.context.caller,
        member_changes.SetConsent(
            request_id=input.request_id,
            merchant_id=input.merchant_id,
            purpose=input.purpose,
            granted=input.granted,
        ),
    )
    return ConsentSet(
        replayed=done.replayed, consents=await members.consents_of(info.context, done.id)
    )


async def replace_card(info: AllianceInfo, input: ReplaceCardInput) -> CardReplaced:
    """Gives a card a new number."""
    done = await info.context.alliance.member_changes.replace_card(
        info.context.caller,
        member_changes.ReplaceCard(
            request_id=input.request_id, card_id=input.card_id, reason=input.reason
        ),
    )
    return CardReplaced(replayed=done.replayed, card=Card(id=strawberry.ID(done.id), is_shown=True))


async def freeze_member(info: AllianceInfo, input: FreezeMemberInput) -> MemberFrozen:
    """Freezes a member, or unfreezes."""
    done = await info.context.alliance.member_changes.freeze(
        info.context.caller,
        member_changes.FreezeMember(
            request_id=input.request_id,
            member_id=input.member_id,
            frozen=input.frozen,
            reason=input.reason,
        ),
    )
    return MemberFrozen(
        replayed=done.replayed, member=Member(id=strawberry.ID(done.id), is_shown=True)
    )


async def erase_member(info: AllianceInfo, input: EraseMemberInput) -> MemberErased:
    """Erases a member."""
    done = await info.context.alliance.erasure.erase(
        info.context.caller,
        erasure.EraseMember(
            request_id=input.request_id, member_id=input.member_id, forfeit=input.forfeit
        ),
    )
    return MemberErased(replayed=done.replayed, member_id=strawberry.ID(done.member_id))
