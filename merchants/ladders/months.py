"""Calendar months of the alliance's time zone: windows of ladders, and how long tiers last. Pure.

A month is counted as `year * 12 + month - 1`.

Source: docs/rules/tiers.md, rules 5 and 9.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from merchants.ladders.tiers import Ladder, TierWindow

YEAR = 12


def month_of(at: datetime, zone: ZoneInfo) -> int:
    """The month that the instant lies in."""
    local = at.astimezone(zone)
    return local.year * YEAR + local.month - 1


def month_start(month: int, zone: ZoneInfo) -> datetime:
    """The month's first instant, in UTC."""
    year, number = divmod(month, YEAR)
    return datetime(year, number + 1, 1, tzinfo=zone).astimezone(UTC)


def first_month(ladder: Ladder, month: int) -> int | None:
    """The first month that counts at an instant of `month`; None when all do."""
    if ladder.window is TierWindow.LIFETIME:
        return None
    if ladder.window is TierWindow.CALENDAR_YEAR:
        return month - month % YEAR
    return month - ladder.rolling_months


def first_month_at_end(ladder: Ladder, month: int) -> int:
    """The first month that counts when a tier ends with the first instant of `month`."""
    if ladder.window is TierWindow.CALENDAR_YEAR:
        return month - YEAR
    return month - ladder.rolling_months


def retained_until(ladder: Ladder, reached_at: datetime, zone: ZoneInfo) -> datetime:
    """How long a tier reached at that instant is kept at least; exclusive.

    A rolling ladder's: the retention, to the end of that month. A calendar year's: to the end of
    the year that comes so many months later.
    """
    month = month_of(reached_at, zone) + ladder.retention_months
    if ladder.window is TierWindow.CALENDAR_YEAR:
        month += YEAR - 1 - month % YEAR
    return month_start(month + 1, zone)
