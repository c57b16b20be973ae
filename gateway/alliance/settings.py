"""The alliance's settings and their limits. See docs/rules/settings.md."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from kernel.graphql import ChannelKind
from kernel.refusals import InvalidInput
from kernel.units import WHOLE_BP, Ratio
from ledger.contract import DebtPolicy

EARN_POINTS_MAX = 10_000
ACTIVATION_DAYS_MAX = 365
EXPIRY_MONTHS_MAX = 120
POINT_VALUE_MAX = 1_000_000


class PointsExpiry(StrEnum):
    """How points expire."""

    NONE = "NONE"
    MONTHS = "MONTHS"
    YEAR_END = "YEAR_END"


class DepositPolicy(StrEnum):
    """Whether net payers of a settlement leave a deposit."""

    OFF = "OFF"
    REQUIRED = "REQUIRED"


@dataclass(frozen=True, slots=True)
class SettingValues:
    """What an admin may set.

    Attributes:
        currency: ISO 4217 code.
        time_zone: IANA name; days and periods are counted in it.
        earn_points_per_major_unit: points per whole major unit of cash, 0 to 10 000.
        member_point_value: minor units that a point takes off, over 0.
        activation_days_store, activation_days_online: days until earned points can be spent.
        expiry_months: 1 to 120 when `expiry` is MONTHS, else None.
        points_cap_bps: largest share of an order that points may pay, basis points.
    """

    currency: str = "CNY"
    time_zone: str = "Asia/Shanghai"
    earn_points_per_major_unit: int = 1
    member_point_value: Ratio = Ratio(1, 1)
    activation_days_store: int = 0
    activation_days_online: int = 7
    expiry: PointsExpiry = PointsExpiry.MONTHS
    expiry_months: int | None = 12
    debt_policy: DebtPolicy = DebtPolicy.DEBT
    deposit_policy: DepositPolicy = DepositPolicy.OFF
    points_cap_bps: int = 5_000


@dataclass(frozen=True, slots=True)
class AllianceSettings:
    """One version of the settings.

    Attributes:
        version: counts from 1.
        effective_from: in force from then on.
    """

    version: int
    effective_from: datetime
    values: SettingValues

    def activation_days(self, channel: ChannelKind) -> int:
        """Days until points earned in this kind of store can be spent."""
        if channel is ChannelKind.STORE_POS:
            return self.values.activation_days_store
        return self.values.activation_days_online


def check_settings(values: SettingValues) -> None:
    """Accepts settings within their limits.

    Raises:
        InvalidInput: every fault found, in the order of the fields.

    Source: docs/rules/settings.md, rule 2.
    """
    problems: list[list[str]] = []
    if values.time_zone not in _time_zones():
        problems.append(["timeZone", "must be an IANA name like Asia/Shanghai"])
    _check_range(
        problems,
        "earnPointsPerMajorUnit",
        values.earn_points_per_major_unit,
        lowest=0,
        highest=EARN_POINTS_MAX,
    )
    value = values.member_point_value
    if value.numerator < 1 or value.numerator > POINT_VALUE_MAX * value.denominator:
        problems.append(["memberPointValue", f"must be over 0 and at most {POINT_VALUE_MAX}"])
    _check_range(
        problems,
        "activationDaysStore",
        values.activation_days_store,
        lowest=0,
        highest=ACTIVATION_DAYS_MAX,
    )
    _check_range(
        problems,
        "activationDaysOnline",
        values.activation_days_online,
        lowest=0,
        highest=ACTIVATION_DAYS_MAX,
    )
    _check_expiry(problems, values)
    _check_range(problems, "pointsCapBps", values.points_cap_bps, lowest=0, highest=WHOLE_BP)
    if problems:
        raise InvalidInput(problems)


def check_change(values: SettingValues, *, in_force: SettingValues, anything_booked: bool) -> None:
    """Accepts a change that leaves what was booked as it is.

    Raises:
        InvalidInput: another currency after the first booking.

    Source: docs/rules/settings.md, rule 3.
    """
    if anything_booked and values.currency != in_force.currency:
        raise InvalidInput.at(
            "currency", f"stays {in_force.currency}, because something was booked in it"
        )


def _check_expiry(problems: list[list[str]], values: SettingValues) -> None:
    if values.expiry is not PointsExpiry.MONTHS:
        if values.expiry_months is not None:
            problems.append(["expiryMonths", "must be left out unless expiry is MONTHS"])
    elif values.expiry_months is None:
        problems.append(["expiryMonths", "is needed when expiry is MONTHS"])
    else:
        _check_range(
            problems, "expiryMonths", values.expiry_months, lowest=1, highest=EXPIRY_MONTHS_MAX
        )


def _check_range(
    problems: list[list[str]], field: str, value: int, *, lowest: int, highest: int
) -> None:
    if not lowest <= value <= highest:
        problems.append([field, f"must be {lowest} to {highest}"])


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
