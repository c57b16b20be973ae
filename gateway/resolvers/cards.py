"""Fills cards. Who may see what: docs/rules/identity.md, rule 9."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from gateway.membership import memberships_sql
from gateway.membership.cards import display_token
from gateway.membership.people import Card as KeptCard
from gateway.resolvers.context import AllianceInfo
from gateway.schema import members as types
from kernel.graphql import Forbidden
from kernel.pages import After, Connection, First, connection_of, page_args

if TYPE_CHECKING:
    from gateway.membership.people import CardStatus
    from gateway.schema.members import Card, DisplayToken, Membership


async def card_number(root: strawberry.Parent[Card], info: AllianceInfo) -> str | None:
    """The number, for whoever may see the standing."""
    return (await _visible_card(root, info)).number


async def card_status(root: strawberry.Parent[Card], info: AllianceInfo) -> CardStatus | None:
    """State, for whoever may see the standing."""
    return (await _visible_card(root, info)).status


async def card_display_token(
    root: strawberry.Parent[Card], info: AllianceInfo
) -> DisplayToken | None:
    """A code for a till; for the member alone, and None for an admin."""
    card = await _known_card(root, info)
    if info.context.caller.is_admin:
        return None
    if not info.context.caller.is_member(card.member_id):
        raise Forbidden
    made = display_token(
        card, now=info.context.alliance.clock.now(), secret=info.context.alliance.secret
    )
    return types.DisplayToken(token=made.token, expires_at=made.expires_at)


async def card_memberships(
    root: strawberry.Parent[Card],
    info: AllianceInfo,
    first: First = 20,
    after: After = None,
) -> Connection[Membership] | None:
    """The merchants joined, by name; for the member and admins."""
    page = page_args(first, after, key_length=2)
    card = await _known_card(root, info)
    caller = info.context.caller
    if not (caller.is_admin or caller.is_member(card.member_id)):
        raise Forbidden
    rows = await info.context.alliance.database.snapshot(
        lambda connection: memberships_sql.read_memberships_page(connection, card.id, page)
    )
    info.context.loaders.membership.prime_many({kept.id: kept for _, kept in rows})
    return connection_of(
        rows,
        page,
        key=lambda row: (row[0], row[1].id),
        node=lambda row: types.Membership.of(row[1]),
    )


async def _visible_card(root: Card, info: AllianceInfo) -> KeptCard:
    card = await _known_card(root, info)
    if not (root.is_shown or await info.context.may_see_standing(card.member_id)):
        raise Forbidden
    return card


async def _known_card(root: Card, info: AllianceInfo) -> KeptCard:
    card = await info.context.loaders.card.load(root.id)
    if card is None:
        raise Forbidden
    return card
