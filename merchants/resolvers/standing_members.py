"""A merchant's members as they stand: near the next tier, in a segment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import strawberry
from sqlalchemy import Connection as Reading
from strawberry import Parent

from kernel.clock import to_micros
from kernel.graphql import BadUserInput, Long
from kernel.pages import After, Connection, First, PageArgs, connection_of, page_args
from kernel.units import AMOUNT_MAX, WHOLE_BP
from merchants.context import MerchantsInfo
from merchants.ladders.members import (
    Found,
    Nearness,
    members_in_segment,
    members_near_tier,
)
from merchants.ladders.members_sql import Member, count_segments
from merchants.ladders.policies_sql import NO_POLICY, read_policies
from merchants.ladders.segments import Placement, Segment, SegmentThresholds
from merchants.ladders.tiers import NAME_MAX, Standing
from merchants.resolvers.parents import KnownById
from merchants.resolvers.references import MembershipReference
from merchants.resolvers.refused import not_yours
from merchants.rights import may_act_for
from merchants.schema.standing_members import MemberNearTier, SegmentCount, SegmentMember
from merchants.schema.tiers import TierStanding

FoundT = TypeVar("FoundT")
NodeT = TypeVar("NodeT")


async def merchant_near_tier(
    merchant: Parent[KnownById],
    info: MerchantsInfo,
    ladder: str | None = None,
    within: Long | None = None,
    within_bps: int | None = None,
    first: First = 20,
    after: After = None,
) -> Connection[MemberNearTier] | None:
    """Members near the next tier."""
    page = page_args(first, after, key_length=1)
    merchant_id, context = _own(merchant, info), info.context
    nearness = _nearness(ladder, within, within_bps)
    facts, now = context.backend.settings().facts, context.backend.clock.now()
    found = await context.backend.database.snapshot(
        lambda connection: members_near_tier(
            connection,
            merchant_id,
            nearness,
            after=_after(page),
            limit=page.limit,
            now=now,
            alliance=facts,
        )
    )

    def node(member: Member, standing: Standing) -> MemberNearTier:
        return MemberNearTier(
            membership=_membership(member, merchant_id),
            card_id=strawberry.ID(member.card_id),
            tier=TierStanding.of(standing, (merchant_id, member.card_id)),
        )

    return _connection(found, page, node)


async def merchant_segments(
    merchant: Parent[KnownById], info: MerchantsInfo
) -> Sequence[SegmentCount] | None:
    """How many members are in each segment now."""
    merchant_id, now = _own(merchant, info), info.context.backend.clock.now()

    def work(connection: Reading) -> list[SegmentCount]:
        thresholds = _thresholds(connection, merchant_id, now)
        counts = count_segments(connection, merchant_id, thresholds=thresholds, now=now)
        return [SegmentCount(segment=each, members=count) for each, count in counts.items()]

    return await info.context.backend.database.snapshot(work)


async def merchant_segment_members(
    merchant: Parent[KnownById],
    info: MerchantsInfo,
    segment: Segment,
    at: datetime | None = None,
    first: First = 20,
    after: After = None,
) -> Connection[SegmentMember] | None:
    """Members in a segment."""
    page = page_args(first, after, key_length=1)
    merchant_id, now = _own(merchant, info), info.context.backend.clock.now()
    if at is not None and at > now:
        raise BadUserInput("at must not be after now.")
    asked = now if at is None else at

    def work(connection: Reading) -> list[Found[Placement]]:
        return members_in_segment(
            connection,
            merchant_id,
            segment,
            _thresholds(connection, merchant_id, asked),
            after=_after(page),
            limit=page.limit,
            at=asked,
        )

    def node(member: Member, placement: Placement) -> SegmentMember:
        return SegmentMember(
            membership=_membership(member, merchant_id),
            card_id=strawberry.ID(member.card_id),
            segment=placement.segment,
            orders_in_window=placement.orders_in_window,
            orders=placement.orders,
            joined_at=placement.joined_at,
            last_order_at=placement.last_order_at,
            window_from=placement.window_from,
        )

    return _connection(await info.context.backend.database.snapshot(work), page, node)


def _own(merchant: KnownById, info: MerchantsInfo) -> str:
    if not may_act_for(info.context.caller, merchant.id):
        raise not_yours()
    return merchant.id


def _nearness(ladder: str | None, within: int | None, within_bps: int | None) -> Nearness:
    if within is None and within_bps is None:
        raise BadUserInput("within or withinBps must be given, or both.")
    if within is not None and not 0 <= within <= AMOUNT_MAX:
        raise BadUserInput("within must be 0 or more.")
    if within_bps is not None and not 0 <= within_bps <= WHOLE_BP:
        raise BadUserInput(f"withinBps must be 0 to {WHOLE_BP}.")
    if ladder is not None and len(ladder) > NAME_MAX:
        raise BadUserInput(f"ladder must have at most {NAME_MAX} characters.")
    return Nearness(ladder, within, within_bps)


def _thresholds(connection: Reading, merchant_id: str, at: datetime) -> SegmentThresholds:
    policies = read_policies(connection, [merchant_id], at=to_micros(at))
    return policies.get(merchant_id, NO_POLICY).segments


def _after(page: PageArgs) -> str:
    """The card id behind which the page begins."""
    return str(page.after[0]) if page.after else ""


def _membership(member: Member, merchant_id: str) -> MembershipReference | None:
    from merchants.schema.wallets import Membership

    if member.membership_id is None:
        return None
    return Membership(
        id=strawberry.ID(member.membership_id), merchant_id=strawberry.ID(merchant_id)
    )


def _connection(
    found: Sequence[Found[FoundT]], page: PageArgs, node: Callable[[Member, FoundT], NodeT]
) -> Connection[NodeT]:
    """The page; where looking stopped short of it, its end is where the next one goes on."""
    shown = [(each.member, each.what) for each in found if each.what is not None]
    connection = connection_of(
        shown, page, key=lambda pair: (pair[0].card_id,), node=lambda pair: node(*pair)
    )
    if found and found[-1].what is None:
        stopped = connection_of(
            [found[-1]], page, key=lambda each: (each.member.card_id,), node=lambda each: each
        )
        connection.page_info.has_next_page = True
        connection.page_info.end_cursor = stopped.page_info.end_cursor
    return connection
