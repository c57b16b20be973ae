"""SQL of a merchant's members as they stand: near a tier, in a segment. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from merchants.ladders.segments import Segment, SegmentThresholds, months_before

# Nobody looks for members who were erased.
_NOT_FORGOTTEN = (
    " AND NOT EXISTS (SELECT 1 FROM forgotten_card AS f"
    " WHERE f.merchant_id = m.merchant_id AND f.card_id = m.card_id)"
)
_PAGE = Prepared(
    "SELECT m.card_id, m.membership_id, m.joined_at FROM membership AS m"
    " WHERE m.merchant_id = :merchant_id AND m.card_id > :after AND m.joined_at <= :at"
    f"{_NOT_FORGOTTEN} ORDER BY m.card_id LIMIT :limit"
)
_COUNTS = Prepared(
    "SELECT b.segment, COUNT(*) AS members FROM ("
    "SELECT CASE WHEN COALESCE(s.in_window, 0) >= :key_orders THEN 'KEY'"
    " WHEN COALESCE(s.in_window, 0) > 0 THEN 'LIGHT'"
    " WHEN COALESCE(s.orders, 0) > 0 THEN 'DORMANT'"
    " WHEN m.joined_at < :joined_before THEN 'ZOMBIE' ELSE 'NEWCOMER' END AS segment"
    " FROM membership AS m LEFT JOIN ("
    "SELECT card_id, COUNT(*) AS orders,"
    " SUM(CASE WHEN placed_at >= :window_from THEN 1 ELSE 0 END) AS in_window"
    " FROM sale WHERE merchant_id = :merchant_id AND card_id IS NOT NULL"
    " AND placed_at <= :at AND state <> 'REFUNDED' GROUP BY card_id"
    ") AS s ON s.card_id = m.card_id WHERE m.merchant_id = :merchant_id"
    f"{_NOT_FORGOTTEN}"
    ") AS b GROUP BY b.segment ORDER BY b.segment"
)


@dataclass(frozen=True, slots=True)
class Member:
    """A card that joined a merchant; the alliance's own members have no membership id."""

    card_id: str
    membership_id: str | None
    joined_at: datetime


def read_members(
    connection: Connection, merchant_id: str, *, after: str, at: int, limit: int
) -> list[Member]:
    """Members who had joined by `at` (microseconds), by card id, behind `after`."""
    rows = connection.execute(
        _PAGE, {"merchant_id": merchant_id, "after": after, "at": at, "limit": limit}
    )
    return [Member(row.card_id, row.membership_id, from_micros(row.joined_at)) for row in rows]


def count_segments(
    connection: Connection, merchant_id: str, *, thresholds: SegmentThresholds, now: datetime
) -> Mapping[Segment, int]:
    """How many members are in each segment now, as `segments.placement_of` says."""
    rows = connection.execute(
        _COUNTS,
        {
            "merchant_id": merchant_id,
            "key_orders": thresholds.key_orders,
            "window_from": to_micros(months_before(now, thresholds.window_months)),
            "joined_before": to_micros(now - timedelta(days=thresholds.zombie_days)),
            "at": to_micros(now),
        },
    )
    found = {Segment(row.segment): int(row.members) for row in rows}
    return {segment: found.get(segment, 0) for segment in Segment}
