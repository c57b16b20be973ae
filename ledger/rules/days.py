"""Days and months of the alliance's time zone. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from kernel.clock import to_micros


def month_of(instant: datetime, time_zone: str) -> int:
    """The month that an instant falls in, counted as year · 12 + month − 1."""
    local = instant.astimezone(_zone(time_zone))
    return local.year * 12 + local.month - 1


@lru_cache(maxsize=512)
def span_of_month(month: int, time_zone: str) -> tuple[int, int]:
    """The first microsecond of a month and the first behind it."""
    return to_micros(first_instant(month, time_zone)), last_micros(month, time_zone) + 1


def first_instant(month: int, time_zone: str) -> datetime:
    """The first instant of a month, in UTC; the month before it ends there."""
    year, index = divmod(month, 12)
    return start_of_day(date(year, index + 1, 1), time_zone)


def last_micros(month: int, time_zone: str) -> int:
    """The last microsecond of a month, counted as `kernel.clock.to_micros` does."""
    return to_micros(first_instant(month + 1, time_zone)) - 1


def local_day(instant: datetime, time_zone: str) -> date:
    """The calendar day that an instant falls in."""
    return instant.astimezone(_zone(time_zone)).date()


def start_of_day(day: date, time_zone: str) -> datetime:
    """The first instant of a day, in UTC."""
    local = datetime(day.year, day.month, day.day, tzinfo=_zone(time_zone))
    return local.astimezone(UTC)


@lru_cache(maxsize=64)
def _zone(time_zone: str) -> ZoneInfo:
    return ZoneInfo(time_zone)
