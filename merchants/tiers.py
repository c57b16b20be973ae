"""Ladders of tiers: which step a figure reaches, and how far the next one is. Pure.

Source: docs/rules/tiers.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
        name: None below the first step.
        rank: 0 below the first step.
        valid_until: when it is evaluated again; None for a LIFETIME ladder.
        current: reached so far, in the metric's unit.
        next: where the next tier begins; None at the top, as `next_name`.
    """

    ladder: str
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
        name=reached.name if reached else None,
        rank=reached.rank if reached else 0,
        valid_until=valid_until,
        metric=ladder.metric,
        current=figure,
        next=following.threshold if following else None,
        next_name=following.name if following else None,
        benefits=reached.benefits if reached else (),
    )
