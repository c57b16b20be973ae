from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alliance.settings import PointsExpiry
from gateway.checkout.lifetimes import LifetimeTerms, lifetime_of

SHANGHAI = "Asia/Shanghai"


def terms(
    expiry: PointsExpiry = PointsExpiry.MONTHS, months: int | None = 12, *, days: int = 0
) -> LifetimeTerms:
    return LifetimeTerms(SHANGHAI, days, expiry, months)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_points_of_a_shop_can_be_spent_at_once() -> None:
    earned_at = at("2026-03-10T12:00:00+08:00")

    assert lifetime_of(earned_at, terms()).active_at == earned_at


def test_points_earned_online_wake_a_week_later_at_the_same_hour() -> None:
    lifetime = lifetime_of(at("2026-03-10T12:00:00+08:00"), terms(days=7))

    assert lifetime.active_at == at("2026-03-17T12:00:00+08:00")


@pytest.mark.parametrize(
    ("earned", "months", "expires"),
    [
        ("2026-03-10T12:00:00+08:00", 12, "2027-04-01T00:00:00+08:00"),
        ("2026-03-31T23:59:59+08:00", 12, "2027-04-01T00:00:00+08:00"),
        # Already April in Shanghai, still March in UTC.
        ("2026-03-31T17:00:00+00:00", 12, "2027-05-01T00:00:00+08:00"),
        ("2026-12-01T00:00:00+08:00", 1, "2027-02-01T00:00:00+08:00"),
        ("2024-01-31T00:00:00+08:00", 1, "2024-03-01T00:00:00+08:00"),
    ],
)
def test_points_live_some_months_to_the_end_of_the_month(
    earned: str, months: int, expires: str
) -> None:
    assert lifetime_of(at(earned), terms(months=months)).expires_at == at(expires)


@pytest.mark.parametrize(
    ("earned", "expires"),
    [
        ("2026-03-10T12:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ("2026-10-02T12:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ("2026-10-03T12:00:00+08:00", "2028-01-01T00:00:00+08:00"),
        ("2026-12-31T23:00:00+08:00", "2028-01-01T00:00:00+08:00"),
    ],
)
def test_points_end_with_the_year_unless_they_were_earned_near_its_end(
    earned: str, expires: str
) -> None:
    lifetime = lifetime_of(at(earned), terms(PointsExpiry.YEAR_END, None))

    assert lifetime.expires_at == at(expires)


def test_points_may_live_for_ever() -> None:
    lifetime = lifetime_of(at("2026-03-10T12:00:00+08:00"), terms(PointsExpiry.NONE, None))

    assert lifetime.expires_at is None


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 365),
    st.integers(1, 120),
)
def test_points_never_expire_before_they_wake(earned: datetime, days: int, months: int) -> None:
    lifetime = lifetime_of(earned, terms(months=months, days=days))

    assert earned <= lifetime.active_at <= (lifetime.expires_at or lifetime.active_at)
