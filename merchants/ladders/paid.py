"""Paid memberships: an overlay of benefits for a price, for some months. Pure.

Source: docs/rules/paid-memberships.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.units import AMOUNT_MAX
from merchants.ladders.growth import code_problems
from merchants.ladders.segments import months_before
from merchants.ladders.tiers import MONTHS_MAX, NAME_MAX, Benefit, benefit_problems

PLANS_MAX = 20
GRACE_DAYS_MAX = 365
RANK_MAX = 1_000_000
DAY = timedelta(days=1)
PaidChange = tuple[str, tuple[int, ...], tuple[int, int, int | None]]
"""What a merge made of one that was not refunded: id; what was, and what is then.

Before: start, end and, unless kept long ago, the amount that had gone back. After: start, end and
refund. Instants in microseconds. The two are alike where a merge left one as it was.
"""


class PaidState(StrEnum):
    """State of a paid membership at an instant."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    GRACE = "GRACE"
    EXPIRED = "EXPIRED"
    REFUNDED = "REFUNDED"


@dataclass(frozen=True, slots=True)
class PaidPlan:
    """What a merchant sells.

    Attributes:
        version: counts from 1.
        price_minor: what it costs; the merchant's own sale collects it.
        months: calendar months that it lasts.
        grace_days: days that its benefits go on after its end, renewed or not.
        rank: rank in the primary ladder that it gives at least; None for none.
    """

    code: str
    version: int
    title: str
    title_en: str | None
    price_minor: int
    months: int
    grace_days: int = 0
    rank: int | None = None
    benefits: tuple[Benefit, ...] = ()
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class PaidMembership:
    """A plan that a card bought, with the terms of then.

    Attributes:
        refunded_minor: what went back: when it was refunded or, while `refunded_at` is None, by
            merges that were undone.
    """

    id: str
    merchant_id: str
    card_id: str
    plan: PaidPlan
    starts_at: datetime
    ends_at: datetime
    refunded_at: datetime | None = None
    refunded_minor: int | None = None

    @property
    def grace_until(self) -> datetime:
        """Last instant of its benefits, exclusive, unless it is refunded."""
        return self.ends_at + timedelta(days=self.plan.grace_days)

    def state_at(self, now: datetime) -> PaidState:
        """Its state at that instant."""
        if self.refunded_at is not None and self.refunded_at <= now:
            return PaidState.REFUNDED
        if now < self.starts_at:
            return PaidState.PENDING
        if now < self.ends_at:
            return PaidState.ACTIVE
        return PaidState.GRACE if now < self.grace_until else PaidState.EXPIRED

    def gives_at(self, now: datetime) -> bool:
        """Whether its benefits are in force."""
        return self.state_at(now) in (PaidState.ACTIVE, PaidState.GRACE)


def paid_until(starts_at: datetime, months: int) -> datetime:
    """When a plan that begins then ends: so many calendar months later."""
    return months_before(starts_at, -months)


def pro_rata_minor(bought: PaidMembership, now: datetime) -> int:
    """What of the price is for whole days that are left; rounded down, less what went back before.

    Source: docs/rules/paid-memberships.md, rules 4 and 5.
    """
    left = (bought.ends_at - max(now, bought.starts_at)) // DAY
    whole = (bought.ends_at - bought.starts_at) // DAY
    share_minor = bought.plan.price_minor * max(0, left) // whole
    return max(0, share_minor - (bought.refunded_minor or 0))


def united(bought: Sequence[PaidMembership], *, now: datetime) -> list[PaidMembership]:
    """Those that change when two cards become one, as they are then: none of a plan overlap.

    Of one plan the later end counts; what else runs is refunded for its days, and what had not
    begun begins after what runs, one after the other. What one card bought never overlaps.

    Source: docs/rules/paid-memberships.md, rule 5.
    """
    changed = []
    for code in sorted({each.plan.code for each in bought}):
        of_plan = [each for each in bought if each.plan.code == code]
        running = [each for each in of_plan if each.state_at(now) is PaidState.ACTIVE]
        running.sort(key=lambda each: (each.ends_at, each.id))
        changed += [
            replace(each, refunded_at=now, refunded_minor=pro_rata_minor(each, now))
            for each in running[:-1]
        ]
        free_from = running[-1].ends_at if running else now
        waiting = [each for each in of_plan if each.state_at(now) is PaidState.PENDING]
        for each in sorted(waiting, key=lambda each: (each.starts_at, each.id)):
            starts_at = max(each.starts_at, free_from)
            free_from = paid_until(starts_at, each.plan.months)
            if starts_at != each.starts_at:
                changed.append(replace(each, starts_at=starts_at, ends_at=free_from))
    return changed


def moved_up(
    bought: Sequence[PaidMembership], *, fixed: Collection[str], now: datetime
) -> list[PaidMembership]:
    """Those that change once nothing is in their way any more, as they are then: no gap before any.

    What has not begun begins when what runs of its plan ends, one after the other, never in the
    past. What has begun goes on, unless something `fixed` of its plan still runs: then it waits
    for that one's end.

    Args:
        bought: what one card bought.
        fixed: ids of those that stay as they are.

    Source: docs/rules/paid-memberships.md, rules 4 and 5.
    """
    changed = []
    for code in sorted({each.plan.code for each in bought}):
        of_plan = [each for each in bought if each.plan.code == code and each.refunded_at is None]
        running = [each for each in of_plan if each.ends_at > now]
        late = [each for each in running if each.id not in fixed]
        free_from = max((each.ends_at for each in running if each.id in fixed), default=None)
        for each in sorted(late, key=lambda each: (each.starts_at, each.id)):
            earliest = min(each.starts_at, now)
            starts_at = earliest if free_from is None else max(earliest, free_from)
            free_from = paid_until(starts_at, each.plan.months)
            if starts_at != each.starts_at:
                changed.append(replace(each, starts_at=starts_at, ends_at=free_from))
    return changed


def plan_problems(plan: PaidPlan) -> list[list[str]]:
    """Every fault of a plan as (path, sentence); empty when there is none."""
    problems = code_problems("code", plan.code)
    for path, text in (("title", plan.title), ("titleEn", plan.title_en)):
        if text is not None and (not text.strip() or len(text) > NAME_MAX):
            problems.append([path, f"must have 1 to {NAME_MAX} characters"])
    if not 0 <= plan.price_minor <= AMOUNT_MAX:
        problems.append(["price", "must be 0 or more"])
    if not 1 <= plan.months <= MONTHS_MAX:
        problems.append(["months", f"must be 1 to {MONTHS_MAX}"])
    if not 0 <= plan.grace_days <= GRACE_DAYS_MAX:
        problems.append(["graceDays", f"must be 0 to {GRACE_DAYS_MAX}"])
    if plan.rank is not None and not 1 <= plan.rank <= RANK_MAX:
        problems.append(["rank", f"must be 1 to {RANK_MAX}, or left out"])
    return problems + benefit_problems("", plan.benefits)
