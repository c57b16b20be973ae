"""Growth value from tasks: what a task gives, and how often. Pure.

Source: docs/rules/tiers.md, rule 18.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from merchants.ladders.tiers import NAME_MAX

TASKS_MAX = 100
GROWTH_MAX = 1_000_000
TIMES_MAX = 1_000
REFERENCE_MAX = 128
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,49}")


@dataclass(frozen=True, slots=True)
class GrowthTask:
    """Something that members do for growth value: check-in, survey, sharing, review.

    Attributes:
        growth: what doing it once gives.
        per_day: how often it counts on one day of the alliance's time zone.
        per_month: how often in one calendar month; None without a limit.
    """

    code: str
    title: str
    title_en: str | None
    growth: int
    per_day: int = 1
    per_month: int | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class TaskDay:
    """A day as tasks count it: days since year 1 in the alliance's time zone.

    Attributes:
        month_start: the first day of its month.
    """

    day: int
    month_start: int


def task_day(at: datetime, zone: ZoneInfo) -> TaskDay:
    """The day that the instant lies in."""
    day = at.astimezone(zone).date()
    return TaskDay(day.toordinal(), day.replace(day=1).toordinal())


def reached_cap(task: GrowthTask, *, done_today: int, done_this_month: int) -> str | None:
    """Which cap the task has reached already: DAY or MONTH; None when it counts once more."""
    if done_today >= task.per_day:
        return "DAY"
    if task.per_month is not None and done_this_month >= task.per_month:
        return "MONTH"
    return None


def task_problems(task: GrowthTask) -> list[list[str]]:
    """Every fault of a task as (path, sentence); empty when there is none."""
    problems = code_problems("code", task.code)
    for path, text in (("title", task.title), ("titleEn", task.title_en)):
        if text is not None and (not text.strip() or len(text) > NAME_MAX):
            problems.append([path, f"must have 1 to {NAME_MAX} characters"])
    for path, value, highest in (
        ("growth", task.growth, GROWTH_MAX),
        ("perDay", task.per_day, TIMES_MAX),
        ("perMonth", task.per_month, TIMES_MAX * 31),
    ):
        if value is not None and not 1 <= value <= highest:
            problems.append([path, f"must be 1 to {highest}"])
    return problems


def code_problems(path: str, code: str) -> list[list[str]]:
    """The fault of a code that a merchant chose."""
    if _CODE.fullmatch(code):
        return []
    return [[path, "must be 1 to 50 capital letters, digits or _, a letter first: CHECK_IN"]]
