"""Ladders of tiers: which step a figure reaches, and how far the next one is. Pure.

Source: docs/rules/tiers.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kernel.units import AMOUNT_MAX
from merchants.benefits.terms import NAME_MAX as NAME_MAX
from merchants.benefits.terms import Benefit as Benefit
from merchants.benefits.terms import GivenBenefit as GivenBenefit
from merchants.benefits.terms import benefit_problems as benefit_problems
from merchants.benefits.terms import name_problems

STEPS_MAX = 50
MONTHS_MAX = 60
RETURN_DAYS_MAX = 365
GROWTH_RATE_MAX = 10_000


class TierMetric(StrEnum):
    """What a ladder measures."""

    PURCHASE_COUNT = "PURCHASE_COUNT"
    AMOUNT = "AMOUNT"
    GROWTH = "GROWTH"


class TierWindow(StrEnum):
    """Over which time a ladder measures."""

    LIFETIME = "LIFETIME"
    ROLLING_12_MONTHS = "ROLLING_12_MONTHS"
    ROLLING_MONTHS = "ROLLING_MONTHS"
    CALENDAR_YEAR = "CALENDAR_YEAR"


class Downgrade(StrEnum):
    """What becomes of a tier that ends and is not reached again."""

    ONE_DOWN = "ONE_DOWN"
    TO_METRIC = "TO_METRIC"


class TierGround(StrEnum):
    """Why a member stands where it stands."""

    METRIC = "METRIC"
    RETAINED = "RETAINED"
    FLOOR = "FLOOR"
    ALLIANCE = "ALLIANCE"


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
    """One version of a ladder, steps lowest first.

    Attributes:
        window_months: calendar months of a ROLLING_MONTHS window; None for other windows.
        retention_months: how long a tier is kept at least; for CALENDAR_YEAR whole years.
        return_days: a refund within so many days undoes its order as if it had never been.
        growth_per_major_unit: growth value that a major unit of qualifying amount gives.
    """

    name: str
    version: int
    is_primary: bool
    metric: TierMetric
    window: TierWindow
    steps: tuple[Step, ...]
    effective_from: datetime
    window_months: int | None = None
    retention_months: int = 12
    downgrade: Downgrade = Downgrade.ONE_DOWN
    return_days: int = 7
    growth_per_major_unit: int = 1

    @property
    def rolling_months(self) -> int:
        """Months of a rolling window."""
        return self.window_months or 12

    def rank_of(self, figure: int) -> int:
        """Rank of the highest step that the figure reaches; 0 below the first.

        Bands are half-open: a threshold belongs to the higher tier.

        Source: docs/rules/tiers.md, rules 1 and 2.
        """
        return max((step.rank for step in self.steps if step.threshold <= figure), default=0)

    def step_at(self, rank: int) -> Step | None:
        """The highest step whose rank is at most this one."""
        reached = [step for step in self.steps if step.rank <= rank]
        return reached[-1] if reached else None

    def rank_within(self, rank: int) -> int:
        """The rank that somebody of this rank has in this version: its own, or the next lower."""
        step = self.step_at(rank)
        return step.rank if step else 0

    def rank_below(self, rank: int) -> int:
        """The rank one step down."""
        return self.rank_within(rank - 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands in one ladder.

    Attributes:
        version: of the ladder that decided.
        is_primary: whether it is the merchant's primary ladder.
        name: None below the first step.
        rank: 0 below the first step.
        ground: why the member stands there.
        valid_until: until when the tier is kept, and evaluated again then; None when it is not
            kept beyond what is measured.
        current: reached so far, in the metric's unit.
        next: where the next tier begins; None at the top, as its names.
    """

    ladder: str
    version: int
    is_primary: bool
    name: str | None
    name_en: str | None
    rank: int
    ground: TierGround
    valid_until: datetime | None
    metric: TierMetric
    current: int
    next: int | None
    next_name: str | None
    next_name_en: str | None
    benefits: tuple[Benefit, ...]

    @property
    def remaining(self) -> int | None:
        """How far the next tier is; None at the top."""
        return None if self.next is None else max(0, self.next - self.current)


def standing_in(
    ladder: Ladder,
    figure: int,
    *,
    rank: int | None = None,
    ground: TierGround = TierGround.METRIC,
    valid_until: datetime | None = None,
) -> Standing:
    """Where a member whose metric is `figure` stands.

    Args:
        rank: a rank that is held otherwise than by the figure, at least what the figure reaches.

    Source: docs/rules/tiers.md, rules 1 and 2.
    """
    held = ladder.rank_of(figure) if rank is None else ladder.rank_within(rank)
    reached = ladder.step_at(held)
    following = next((step for step in ladder.steps if step.rank > held), None)
    return Standing(
        ladder=ladder.name,
        version=ladder.version,
        is_primary=ladder.is_primary,
        name=reached.name if reached else None,
        name_en=reached.name_en if reached else None,
        rank=held,
        ground=ground,
        valid_until=valid_until,
        metric=ladder.metric,
        current=figure,
        next=following.threshold if following else None,
        next_name=following.name if following else None,
        next_name_en=following.name_en if following else None,
        benefits=reached.benefits if reached else (),
    )


def terms_problems(ladder: Ladder) -> list[list[str]]:
    """Every fault of a ladder's window and retention as (path, sentence).

    Source: docs/rules/tiers.md, rule 4.
    """
    problems = []
    if (ladder.window is TierWindow.ROLLING_MONTHS) != (ladder.window_months is not None):
        problems.append(["windowMonths", "must be given for ROLLING_MONTHS, and for nothing else"])
    elif ladder.window_months is not None and not 1 <= ladder.window_months <= MONTHS_MAX:
        problems.append(["windowMonths", f"must be 1 to {MONTHS_MAX}"])
    if not 1 <= ladder.retention_months <= MONTHS_MAX:
        problems.append(["retentionMonths", f"must be 1 to {MONTHS_MAX}"])
    elif ladder.window is TierWindow.CALENDAR_YEAR and ladder.retention_months % 12:
        problems.append(["retentionMonths", "must be whole years for CALENDAR_YEAR"])
    if not 0 <= ladder.return_days <= RETURN_DAYS_MAX:
        problems.append(["returnDays", f"must be 0 to {RETURN_DAYS_MAX}"])
    if not 0 <= ladder.growth_per_major_unit <= GROWTH_RATE_MAX:
        problems.append(["growthPerMajorUnit", f"must be 0 to {GROWTH_RATE_MAX}"])
    return problems


def ladder_problems(name: str, steps: Sequence[Step]) -> list[list[str]]:
    """Every fault of a ladder as (path, sentence), in input order; empty when there is none.

    Source: docs/rules/tiers.md, rule 4.
    """
    problems = name_problems("name", name)
    if not 1 <= len(steps) <= STEPS_MAX:
        problems.append(["steps", f"must have 1 to {STEPS_MAX} steps"])
    before: Step | None = None
    names: set[str] = set()
    for index, step in enumerate(steps[:STEPS_MAX]):
        path = f"steps.{index}"
        problems.extend(name_problems(f"{path}.name", step.name))
        if step.name in names:
            problems.append([f"{path}.name", "must be no other tier's"])
        names.add(step.name)
        if step.name_en is not None:
            problems.extend(name_problems(f"{path}.nameEn", step.name_en))
        if step.rank < 1 or (before is not None and step.rank <= before.rank):
            problems.append([f"{path}.rank", "must be 1 or more, and rise with each step"])
        if not 0 <= step.threshold <= AMOUNT_MAX:
            problems.append([f"{path}.threshold", "must be 0 or more"])
        if before is not None and step.threshold <= before.threshold:
            problems.append([f"{path}.threshold", "must rise with each step"])
        problems.extend(benefit_problems(f"{path}.", step.benefits))
        before = step
    return problems
