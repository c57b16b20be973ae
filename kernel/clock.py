"""Where the time comes from."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Tells business time and measures waiting; the two are independent."""

    def now(self) -> datetime:
        """The business instant, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow; for time-outs, whatever business time does."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's instant, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The machine's monotonic seconds."""
        return time.monotonic()


class SetClock:
    """A clock whose business time stands where it was set last."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def set(self, now: datetime) -> None:
        """Moves business time to `now`, forwards or back."""
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._now

    def monotonic(self) -> float:
        """The machine's monotonic seconds: waiting is real."""
        return time.monotonic()


class RunningClock(SetClock):
    """A clock whose business time runs on from where it was set last, as the machine's does.

    Leases of other processes end by it.
    """

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._since = time.monotonic()

    def set(self, now: datetime) -> None:
        """Moves business time to `now`, forwards or back."""
        self._since = time.monotonic()
        super().set(now)

    def now(self) -> datetime:
        """The instant it was set to, and the time since then."""
        return super().now() + timedelta(seconds=time.monotonic() - self._since)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z, exact; how databases hold instants."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant, in UTC, that `to_micros` counted."""
    return _EPOCH + timedelta(microseconds=micros)
