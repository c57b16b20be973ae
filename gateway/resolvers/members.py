"""Fills members. Who may see what: docs/rules/identity.md, rule 9."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry
from graphql import GraphQLError

from gateway.membership import referrals_sql
from gateway.membership.people import Member as KeptMember
from gateway.resolvers import merchants
from gateway.resolvers.context import AllianceContext, AllianceInfo
from gateway.schema import members as types
from kernel.callers import CallerKind
from kernel.graphql import Forbidden

if TYPE_CHECKING:
    from gateway.membership.people import MemberStatus
    from gateway.schema.members import Card, Consent, Identity, JoinedVia, Member, Referrals

PROFILE_PURPOSE = "PROFILE"


class ConsentRequired(GraphQLError):
    """The member has not allowed the merchant to read this."""

    def __init__(self) -> None:
        super().__init__(
            "The member has not consented to this.",
            extensions={"code": "CONSENT_REQUIRED", "purpose": PROFILE_PURPOSE},
        )


def me(info: AllianceInfo) -> Member | None:
    """The member of the token."""
    caller = info.context.caller
    if caller.kind is not CallerKind.MEMBER:
        raise Forbidden
    return types.Member(id=strawberry.ID(caller.subject))


async def member_status(root: strawberry.Parent[Member], info: AllianceInfo) -> MemberStatus | None:
    """State, for whoever may see the standing."""
    return (await _visible_member(root, info)).status


async def member_display_name(root: strawberry.Parent[Member], info: AllianceInfo) -> str | None:
    """The name, for the member, admins, and merchants with consent."""
    member = await _visible_member(root, info)
    caller = info.context.caller
    if caller.kind is CallerKind.MERCHANT and not await _has_consent(
        info, member.id, merchant_id=caller.subject
    ):
        raise ConsentRequired
    return member.display_name


async def member_identities(
    root: strawberry.Parent[Member], info: AllianceInfo
) -> list[Identity] | None:
    """Ways to recognise the member; for a merchant, those it asserted."""
    member = await _visible_member(root, info)
    caller = info.context.caller
    kept = await info.context.loaders.identities.load(member.id) or []
    return [
        types.Identity(
            kind=identity.kind,
            verified=identity.is_verified,
            masked=identity.masked,
            issuer=identity.issuer,
            asserted_by=None
            if identity.asserted_by is None
            else merchants.known_merchant(info.context, identity.asserted_by),
        )
        for identity in kept
        if caller.kind is not CallerKind.MERCHANT or identity.asserted_by == caller.subject
    ]


async def member_consents(
    root: strawberry.Parent[Member], info: AllianceInfo
) -> list[Consent] | None:
    """What the member allows merchants; for the member and admins."""
    return await consents_of(info.context, (await _own_member(root, info)).id)


async def consents_of(context: AllianceContext, member_id: str) -> list[Consent]:
    """What a member said last to each merchant about each purpose, newest first."""
    kept = await context.loaders.consents.load(member_id) or []
    return [
        types.Consent(
            merchant=merchants.known_merchant(context, consent.merchant_id),
            purpose=consent.purpose,
            granted=consent.granted,
            since=consent.since,
        )
        for consent in kept
    ]


async def member_referral_code(root: strawberry.Parent[Member], info: AllianceInfo) -> str | None:
    """The code by which the member invites friends; for the member and admins."""
    member = await _own_member(root, info)
    return await info.context.alliance.database.snapshot(
        lambda connection: referrals_sql.read_invite_code(connection, member.id)
    )


async def member_referrals(root: strawberry.Parent[Member], info: AllianceInfo) -> Referrals | None:
    """The friends whom the member invited; for the member and admins."""
    member = await _own_member(root, info)
    friends = await info.context.alliance.database.snapshot(
        lambda connection: referrals_sql.count_by_state(connection, member.id)
    )
    return types.Referrals(**{state.value.lower(): count for state, count in friends.items()})


async def member_joined_via(
    root: strawberry.Parent[Member], info: AllianceInfo
) -> JoinedVia | None:
    """Where the member first joined; None for a merchant that did not recruit the member."""
    member = await _visible_member(root, info)
    caller = info.context.caller
    if caller.kind is CallerKind.MERCHANT and not caller.is_merchant(member.joined_merchant_id):
        return None
    return types.JoinedVia(
        merchant=merchants.known_merchant(info.context, member.joined_merchant_id),
        store=merchants.store_by_id(info.context, member.joined_store_id),
        channel=member.joined_channel,
        at=member.joined_at,
    )


async def member_card(root: strawberry.Parent[Member], info: AllianceInfo) -> Card | None:
    """The member's one card."""
    member = await _visible_member(root, info)
    card = await info.context.loaders.card_of_member.load(member.id)
    if card is None:
        return None
    info.context.loaders.card.prime(card.id, card)
    return types.Card(id=strawberry.ID(card.id), is_shown=True)


async def _own_member(root: Member, info: AllianceInfo) -> KeptMember:
    member = await info.context.loaders.member.load(root.id)
    caller = info.context.caller
    if member is None or not (caller.is_admin or caller.is_member(member.id)):
        raise Forbidden
    return member


async def _visible_member(root: Member, info: AllianceInfo) -> KeptMember:
    member = await info.context.loaders.member.load(root.id)
    if member is None or not (root.is_shown or await info.context.may_see_standing(root.id)):
        raise Forbidden
    return member


async def _has_consent(info: AllianceInfo, member_id: str, *, merchant_id: str) -> bool:
    kept = await info.context.loaders.consents.load(member_id) or []
    said = (
        consent.granted
        for consent in kept
        if consent.merchant_id == merchant_id and consent.purpose.upper() == PROFILE_PURPOSE
    )
    return next(said, False)  # The newest word, however the purpose was spelled.
