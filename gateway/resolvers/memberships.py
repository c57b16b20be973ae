"""Fills memberships. Who may see what: docs/rules/identity.md, rule 9."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from gateway.membership.people import Membership as KeptMembership
from gateway.resolvers import merchants
from gateway.resolvers.context import AllianceContext, AllianceInfo
from gateway.schema import members as types
from kernel.graphql import Forbidden

if TYPE_CHECKING:
    from gateway.schema.members import Card, Membership
    from gateway.schema.merchants import Merchant


async def membership_merchant(
    root: strawberry.Parent[Membership], info: AllianceInfo
) -> Merchant | None:
    """The merchant."""
    kept = await _visible_membership(root, info)
    return merchants.known_merchant(info.context, kept.merchant_id)


async def membership_card(root: strawberry.Parent[Membership], info: AllianceInfo) -> Card | None:
    """The member's card, whose standing its merchant may see."""
    kept = await _visible_membership(root, info)
    return types.Card(id=strawberry.ID(kept.card_id), is_shown=True)


async def membership_joined_at(
    root: strawberry.Parent[Membership], info: AllianceInfo
) -> datetime | None:
    """When the member joined the merchant."""
    return (await _visible_membership(root, info)).joined_at


async def membership_if_visible(
    context: AllianceContext, membership_id: str
) -> KeptMembership | None:
    """The membership; None when there is none that the caller may see."""
    kept = await context.loaders.membership.load(membership_id)
    caller = context.caller
    if kept is None or not (
        caller.may_act_for(kept.merchant_id) or caller.is_member(kept.member_id)
    ):
        return None
    return kept


async def _visible_membership(root: Membership, info: AllianceInfo) -> KeptMembership:
    kept = await membership_if_visible(info.context, root.id)
    if kept is None or kept.merchant_id != root.merchant_id:
        raise Forbidden
    return kept
