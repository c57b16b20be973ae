from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import SetClock, SystemClock, from_micros, to_micros


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_survives_the_database_to_the_microsecond(instant: datetime) -> None:
    assert from_micros(to_micros(instant)) == instant


def test_a_set_clock_stands_still_and_tells_utc() -> None:
    clock = SetClock(datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=8))))

    assert clock.now() == clock.now() == datetime(2026, 3, 1, tzinfo=UTC)
    clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert clock.now().year == 2020


def test_waiting_is_measured_apart_from_business_time() -> None:
    clock = SetClock(datetime(2026, 3, 1, tzinfo=UTC))
    before = clock.monotonic()
    clock.set(datetime(1999, 1, 1, tzinfo=UTC))

    assert clock.monotonic() >= before
    assert SystemClock().now().tzinfo is UTC
