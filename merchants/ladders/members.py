"""A merchant's members as they stand: near the next tier, or in a segment.

Members are gone through by card id, a chunk at a time, up to a limit: a page may be short, or
empty, while more follow.

Source: docs/rules/tiers.md, rule 19, and docs/rules/segments.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.units import WHOLE_BP
from merchants.alliance_facts import AllianceFacts
from merchants.ladders.evaluation import Deed
from merchants.ladders.history_sql import read_deeds
from merchants.ladders.members_sql import Member, read_members
from merchants.ladders.segments import (
    MemberFacts,
    Placement,
    Segment,
    SegmentThresholds,
    placement_of,
)
from merchants.ladders.standings import tiers_of
from merchants.ladders.tiers import Standing

CHUNK = 500
LOOKED_AT_MAX = 5_000
FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True)
class Found(Generic[FoundT]):
    """A member, and what it was found for; or, without that, where looking stopped."""

    member: Member
    what: FoundT | None


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near the next tier: at most so much missing, by either measure that is given.

    Attributes:
        ladder: its name; None for the primary one.
        within: figure that may be missing, in the metric's unit.
        within_bps: part of the next threshold that may be missing.
    """

    ladder: str | None = None
    within: int | None = None
    within_bps: int | None = None

    def holds(self, standing: Standing) -> bool:
        """Whether the standing is that near; never at the top."""
        if standing.remaining is None or standing.next is None:
            return False
        if self.within is not None and standing.remaining <= self.within:
            return True
        return (
            self.within_bps is not None
            and standing.remaining * WHOLE_BP <= standing.next * self.within_bps
        )


def members_near_tier(
    connection: Connection,
    merchant_id: str,
    nearness: Nearness,
    *,
    after: str,
    limit: int,
    now: datetime,
    alliance: AllianceFacts,
) -> list[Found[Standing]]:
    """Members near the next tier, by card id, behind `after`."""

    def look(members: Sequence[Member]) -> list[Standing | None]:
        keys = [(merchant_id, member.card_id) for member in members]
        tiers = tiers_of(connection, keys, now=now, alliance=alliance)
        return [_near(tiers[key].standings, nearness) for key in keys]

    return _search(connection, merchant_id, look, after=after, limit=limit, at=now)


def members_in_segment(
    connection: Connection,
    merchant_id: str,
    segment: Segment,
    thresholds: SegmentThresholds,
    *,
    after: str,
    limit: int,
    at: datetime,
) -> list[Found[Placement]]:
    """Members in the segment at `at`, by card id, behind `after`."""

    def look(members: Sequence[Member]) -> list[Placement | None]:
        deeds = read_deeds(connection, [(merchant_id, member.card_id) for member in members])
        placements = (
            placement_of(
                MemberFacts(
                    member.joined_at, orders_at(deeds.get((merchant_id, member.card_id), ()), at)
                ),
                thresholds,
                at,
            )
            for member in members
        )
        return [each if each.segment is segment else None for each in placements]

    return _search(connection, merchant_id, look, after=after, limit=limit, at=at)


def orders_at(deeds: Sequence[Deed], at: datetime) -> tuple[datetime, ...]:
    """When the orders were placed that counted at that instant."""
    return tuple(
        deed.at
        for deed in deeds
        if deed.orders
        and deed.at <= at
        and not any(each.orders == 0 and each.at <= at for each in deed.reductions)
    )


def _near(standings: Sequence[Standing], nearness: Nearness) -> Standing | None:
    for standing in standings:
        is_meant = (
            standing.is_primary if nearness.ladder is None else standing.ladder == nearness.ladder
        )
        if is_meant and nearness.holds(standing):
            return standing
    return None


def _search(
    connection: Connection,
    merchant_id: str,
    look: Callable[[Sequence[Member]], list[FoundT | None]],
    *,
    after: str,
    limit: int,
    at: datetime,
) -> list[Found[FoundT]]:
    """Up to `limit` members that `look` found; the last one unfound when looking stopped there."""
    found: list[Found[FoundT]] = []
    looked_at = 0
    while len(found) < limit:
        chunk = read_members(connection, merchant_id, after=after, at=to_micros(at), limit=CHUNK)
        for member, what in zip(chunk, look(chunk), strict=True) if chunk else ():
            if what is not None:
                found.append(Found(member, what))
        looked_at += len(chunk)
        if len(chunk) < CHUNK:
            break
        after = chunk[-1].card_id
        if looked_at >= LOOKED_AT_MAX and len(found) < limit:
            return [*found, Found(chunk[-1], None)]
    return found[:limit]
