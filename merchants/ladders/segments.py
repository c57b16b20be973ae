"""Which segment a member of a merchant is in at an instant, and why. Pure.

Source: docs/rules/segments.md.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ORDERS_MAX = 1_000
DAYS_MAX = 3_650
MONTHS_MAX = 120


class Segment(StrEnum):
    """How a member buys; each member is in exactly one at any instant."""

    KEY = "KEY"
    LIGHT = "LIGHT"
    DORMANT = "DORMANT"
    ZOMBIE = "ZOMBIE"
    NEWCOMER = "NEWCOMER"


@dataclass(frozen=True, slots=True)
class SegmentThresholds:
    """Where segments part.

    Attributes:
        key_orders: orders within the window that make a key member; fewer, at least one: light.
        window_months: calendar months that orders are counted over.
        zombie_days: a member who never bought is a newcomer for so many days.
    """

    key_orders: int = 4
    window_months: int = 12
    zombie_days: int = 30


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What a segment depends on.

    Attributes:
        joined_at: when the member joined the merchant.
        orders_at: instants of the orders that count now (paid, not fully refunded), in any order.
    """

    joined_at: datetime
    orders_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """A member's segment, and what put it there.

    Attributes:
        orders_in_window: orders from `window_from` on.
        orders: orders ever.
        last_order_at: None for one who never bought.
        window_from: first instant of the window.
    """

    segment: Segment
    orders_in_window: int
    orders: int
    joined_at: datetime
    last_order_at: datetime | None
    window_from: datetime


def placement_of(facts: MemberFacts, thresholds: SegmentThresholds, now: datetime) -> Placement:
    """The member's segment at `now`, and the figures that decided; later events have no part in it.

    Source: docs/rules/segments.md, rules 1 to 3.
    """
    window_from = months_before(now, thresholds.window_months)
    orders_at = [at for at in facts.orders_at if at <= now]
    in_window = sum(1 for at in orders_at if at >= window_from)
    return Placement(
        segment=segment_by(
            thresholds,
            now,
            joined_at=facts.joined_at,
            orders=len(orders_at),
            orders_in_window=in_window,
        ),
        orders_in_window=in_window,
        orders=len(orders_at),
        joined_at=facts.joined_at,
        last_order_at=max(orders_at, default=None),
        window_from=window_from,
    )


def segment_by(
    thresholds: SegmentThresholds,
    now: datetime,
    *,
    joined_at: datetime,
    orders: int,
    orders_in_window: int,
) -> Segment:
    """The segment of who joined then and has so many orders by `now`.

    Source: docs/rules/segments.md, rules 1 to 3.
    """
    if orders_in_window >= thresholds.key_orders:
        return Segment.KEY
    if orders_in_window:
        return Segment.LIGHT
    if orders:
        return Segment.DORMANT
    is_old = now - joined_at > timedelta(days=thresholds.zombie_days)
    return Segment.ZOMBIE if is_old else Segment.NEWCOMER


def months_before(now: datetime, months: int) -> datetime:
    """The same time of day so many calendar months earlier, at most the month's last day."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


def threshold_problems(thresholds: SegmentThresholds) -> Sequence[list[str]]:
    """Every fault of the thresholds as (path, sentence); empty when there is none."""
    return [
        [path, f"must be 1 to {highest}"]
        for path, value, highest in (
            ("keyOrders", thresholds.key_orders, ORDERS_MAX),
            ("windowMonths", thresholds.window_months, MONTHS_MAX),
            ("zombieDays", thresholds.zombie_days, DAYS_MAX),
        )
        if not 1 <= value <= highest
    ]
