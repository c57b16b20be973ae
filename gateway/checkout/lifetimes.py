"""From when until when earned points can be spent. Pure. See docs/rules/checkout.md, rule 9."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.alliance.settings import PointsExpiry

YEAR_END_GRACE_DAYS = 90
"""Points earned this close to the end of a year live until the end of the next one."""


@dataclass(frozen=True, slots=True)
class LifetimeTerms:
    """How points earned in one kind of store live.

    Attributes:
        time_zone: IANA name; days, months and years are counted in it.
        activation_days: days until the points can be spent, ≥ 0.
        expiry_months: ≥ 1 when `expiry` is MONTHS, else None.
    """

    time_zone: str
    activation_days: int
    expiry: PointsExpiry
    expiry_months: int | None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """From `active_at` on, and before `expires_at`; None for never."""

    active_at: datetime
    expires_at: datetime | None


def lifetime_of(earned_at: datetime, terms: LifetimeTerms) -> Lifetime:
    """The lifetime of points earned at an instant.

    With activation days the points wake at the same time of day, that many calendar days later;
    a month's and a year's end is midnight after its last day. Points never expire before they
    wake.

    Source: docs/rules/checkout.md, rule 9.
    """
    zone = ZoneInfo(terms.time_zone)
    local = earned_at.astimezone(zone)
    active_at = earned_at
    if terms.activation_days:
        active_at = (local + timedelta(days=terms.activation_days)).astimezone(UTC)
    end = _first_day_after(local.date(), terms)
    if end is None:
        return Lifetime(active_at, None)
    expires_at = datetime.combine(end, time.min, zone).astimezone(UTC)
    return Lifetime(active_at, max(expires_at, active_at))


def _first_day_after(earned_on: date, terms: LifetimeTerms) -> date | None:
    if terms.expiry is PointsExpiry.NONE:
        return None
    if terms.expiry is PointsExpiry.YEAR_END:
        new_year = date(earned_on.year + 1, 1, 1)
        if (new_year - earned_on).days <= YEAR_END_GRACE_DAYS:
            return date(earned_on.year + 2, 1, 1)
        return new_year
    assert terms.expiry_months is not None
    months = earned_on.year * 12 + (earned_on.month - 1) + terms.expiry_months + 1
    return date(months // 12, months % 12 + 1, 1)
