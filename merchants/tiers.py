"""Ladders of tiers: which step a figure reaches, and how far the next one is. Pure.

Source: docs/rules/tiers.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from kernel.text import is_title
from kernel.units import AMOUNT_MAX, WHOLE_BP

STEPS_MAX = 50
BENEFITS_MAX = 20
NAME_MAX = 100
MULTIPLIER_BPS_MAX = 100 * WHOLE_BP


class TierMetric(StrEnum):
    """What a ladder measures."""

    PURCHASE_COUNT = "PURCHASE_COUNT"
    AMOUNT = "AMOUNT"
    GROWTH = "GROWTH"


class TierWindow(StrEnum):
    """Over which time a ladder measures."""

    LIFETIME = "LIFETIME"
    ROLLING_12_MONTHS = "ROLLING_12_MONTHS"
    CALENDAR_YEAR = "CALENDAR_YEAR"


@dataclass(frozen=True, slots=True)
class Benefit:
    """A right that a tier gives; None for what its kind does not have."""

    kind: str
    title: str
    percent_off_bps: int | None = None
    points_multiplier_bps: int | None = None
    entitlement: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a ladder; `threshold` is inclusive."""

    name: str
    name_en: str | None
    rank: int
    threshold: int
    benefits: tuple[Benefit, ...] = ()


@dataclass(frozen=True, slots=True)
class Ladder:
    """One version of a ladder, steps lowest first."""

    name: str
    version: int
    is_primary: bool
    metric: TierMetric
    window: TierWindow
    steps: tuple[Step, ...]
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands in one ladder.

    Attributes:
        is_primary: whether it is the merchant's primary ladder.
        name: None below the first step.
        rank: 0 below the first step.
        valid_until: when it is evaluated again; None for a LIFETIME ladder.
        current: reached so far, in the metric's unit.
        next: where the next tier begins; None at the top, as `next_name`.
    """

    ladder: str
    is_primary: bool
    name: str | None
    rank: int
    valid_until: datetime | None
    metric: TierMetric
    current: int
    next: int | None
    next_name: str | None
    benefits: tuple[Benefit, ...]

    @property
    def remaining(self) -> int | None:
        """How far the next tier is; None at the top."""
        return None if self.next is None else self.next - self.current


def standing_in(ladder: Ladder, figure: int, *, valid_until: datetime | None = None) -> Standing:
    """Where a member whose metric is `figure` stands.

    Bands are half-open: a threshold belongs to the higher tier.

    Source: docs/rules/tiers.md, rules 1 and 2.
    """
    reached = None
    following = None
    for step in ladder.steps:
        if step.threshold > figure:
            following = step
            break
        reached = step
    return Standing(
        ladder=ladder.name,
        is_primary=ladder.is_primary,
        name=reached.name if reached else None,
        rank=reached.rank if reached else 0,
        valid_until=valid_until,
        metric=ladder.metric,
        current=figure,
        next=following.threshold if following else None,
        next_name=following.name if following else None,
        benefits=reached.benefits if reached else (),
    )


def window_start(window: TierWindow, now: datetime, zone: ZoneInfo) -> datetime | None:
    """From when on orders count; None when all do.

    Source: docs/rules/tiers.md, rule 5.
    """
    local = now.astimezone(zone)
    if window is TierWindow.ROLLING_12_MONTHS:
        return datetime(local.year - 1, local.month, 1, tzinfo=zone).astimezone(UTC)
    if window is TierWindow.CALENDAR_YEAR:
        return datetime(local.year, 1, 1, tzinfo=zone).astimezone(UTC)
    return None


def window_end(window: TierWindow, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the window moves next; None when it never does.

    Source: docs/rules/tiers.md, rule 5.
    """
    local = now.astimezone(zone)
    if window is TierWindow.ROLLING_12_MONTHS:
        year, month = divmod(local.year * 12 + local.month, 12)
        return datetime(year, month + 1, 1, tzinfo=zone).astimezone(UTC)
    if window is TierWindow.CALENDAR_YEAR:
        return datetime(local.year + 1, 1, 1, tzinfo=zone).astimezone(UTC)
    return None


def ladder_problems(name: str, steps: Sequence[Step]) -> list[list[str]]:
    """Every fault of a ladder as (path, sentence), in input order; empty when there is none.

    Source: docs/rules/tiers.md, rule 4.
    """
    problems = _name_problems("name", name)
    if not 1 <= len(steps) <= STEPS_MAX:
        problems.append(["steps", f"1 to {STEPS_MAX} steps."])
    before: Step | None = None
    names: set[str] = set()
    for index, step in enumerate(steps[:STEPS_MAX]):
        path = f"steps.{index}"
        problems.extend(_name_problems(f"{path}.name", step.name))
        if step.name in names:
            problems.append([f"{path}.name", "Each tier has a name of its own."])
        names.add(step.name)
        if step.name_en is not None:
            problems.extend(_name_problems(f"{path}.nameEn", step.name_en))
        if step.rank < 1 or (before is not None and step.rank <= before.rank):
            problems.append([f"{path}.rank", "Ranks start at 1 or more and rise with each step."])
        if not 0 <= step.threshold <= AMOUNT_MAX:
            problems.append([f"{path}.threshold", "The threshold is 0 or more."])
        if before is not None and step.threshold <= before.threshold:
            problems.append([f"{path}.threshold", "Thresholds rise with each step."])
        problems.extend(_benefit_problems(path, step.benefits))
        before = step
    return problems


def _name_problems(path: str, name: str) -> list[list[str]]:
    if not is_title(name, longest=NAME_MAX):
        return [[path, f"1 to {NAME_MAX} characters, no control character."]]
    return []


def _benefit_problems(path: str, benefits: Sequence[Benefit]) -> list[list[str]]:
    problems = []
    if len(benefits) > BENEFITS_MAX:
        problems.append([f"{path}.benefits", f"At most {BENEFITS_MAX} benefits."])
    for index, benefit in enumerate(benefits[:BENEFITS_MAX]):
        at = f"{path}.benefits.{index}"
        problems.extend(_name_problems(f"{at}.kind", benefit.kind))
        problems.extend(_name_problems(f"{at}.title", benefit.title))
        off, multiplier = benefit.percent_off_bps, benefit.points_multiplier_bps
        if (benefit.kind == "PERCENT_OFF" or off is not None) and not 1 <= (off or 0) <= WHOLE_BP:
            problems.append([f"{at}.percentOffBps", f"1 to {WHOLE_BP}, for PERCENT_OFF."])
        if (benefit.kind == "POINTS_MULTIPLIER" or multiplier is not None) and not (
            WHOLE_BP <= (multiplier or 0) <= MULTIPLIER_BPS_MAX
        ):
            problems.append(
                [
                    f"{at}.pointsMultiplierBps",
                    f"{WHOLE_BP} to {MULTIPLIER_BPS_MAX}, for POINTS_MULTIPLIER.",
                ]
            )
        if benefit.entitlement is not None:
            problems.extend(_name_problems(f"{at}.entitlement", benefit.entitlement))
    return problems
