"""What tier a history gives at an instant, and every evaluation on the way. Pure.

A tier at an instant depends on the history until then and on the rules in force until then, on
nothing else: whoever evaluates again, whenever, finds the same.

Source: docs/rules/tiers.md, rules 5, 6 and 9 to 11.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kernel.units import WHOLE_BP
from merchants.ladders.evidence import Cause as Cause
from merchants.ladders.evidence import Deed as Deed
from merchants.ladders.evidence import Evaluation as Evaluation
from merchants.ladders.evidence import Held as Held
from merchants.ladders.evidence import Reduction as Reduction
from merchants.ladders.evidence import Rule as Rule
from merchants.ladders.evidence import Verdict as Verdict
from merchants.ladders.months import (
    first_month,
    first_month_at_end,
    month_of,
    month_start,
    retained_until,
)
from merchants.ladders.tiers import Downgrade, Ladder, TierMetric, TierWindow

MAJOR = 100


@dataclass(frozen=True, slots=True)
class _Movement:
    """What counts from an instant on; `deed` is set where it may raise a tier."""

    at: datetime
    month: int
    source: str
    orders: int
    amount_minor: int
    growth: int
    deed: Deed | None


def evaluate(
    rules: Sequence[Rule], deeds: Sequence[Deed], *, until: datetime, zone: ZoneInfo
) -> Verdict | None:
    """The tier at `until`; None when no rule is in force by then.

    Args:
        rules: oldest first; a rule is in force from its instant until the next one's.
        deeds: in any order; what is later than `until` has no part in it.
    """
    in_force = [rule for rule in rules if rule.at <= until]
    if not in_force:
        return None
    course = _Course(in_force, zone)
    movements = sorted(
        (each for deed in deeds for each in _movements(deed, in_force, until, zone)),
        key=lambda each: (each.at, each.deed is None, each.deed.id if each.deed else ""),
    )
    for movement in movements:
        course.run_to(movement.at)
        course.count(movement)
    course.run_to(until)
    return course.verdict(until)


def raised(ladder: Ladder, held: Held, figure: int, *, at: datetime, zone: ZoneInfo) -> Held:
    """The tier after something was added: a higher one is reached at once.

    Source: docs/rules/tiers.md, rule 9.
    """
    rank = ladder.rank_of(figure)
    if ladder.window is TierWindow.LIFETIME:
        return Held(rank, None, ladder.version)
    if rank > held.rank:
        return Held(rank, _kept_until(ladder, rank, at, zone), ladder.version)
    return replace(held, version=ladder.version)


def ended(ladder: Ladder, held: Held, figure: int, *, zone: ZoneInfo) -> Held:
    """The tier after its time is over, when `figure` was measured over the last window.

    Source: docs/rules/tiers.md, rule 10.
    """
    assert held.valid_until is not None
    rank = ladder.rank_of(figure)
    if rank < held.rank and ladder.downgrade is Downgrade.ONE_DOWN:
        rank = max(rank, ladder.rank_below(held.rank))
    if rank <= ladder.rank_of(0):
        return Held(rank, None, ladder.version)
    month = month_of(held.valid_until, zone) + ladder.retention_months
    return Held(rank, month_start(month, zone), ladder.version)


def ruled(ladder: Ladder, held: Held | None, figure: int, *, at: datetime, zone: ZoneInfo) -> Held:
    """The tier under a new rule: a tier that is kept stays, as far as the new ladder knows it.

    Source: docs/rules/tiers.md, rule 11.
    """
    if held is None or ladder.window is TierWindow.LIFETIME:
        return raised(ladder, Held(-1, None, 0), figure, at=at, zone=zone)
    kept = ladder.rank_within(held.rank)
    after = raised(ladder, Held(kept, held.valid_until, ladder.version), figure, at=at, zone=zone)
    if after.rank == kept and after.valid_until is None:
        return replace(after, valid_until=_kept_until(ladder, kept, at, zone))
    if after.rank <= ladder.rank_of(0):
        return replace(after, valid_until=None)
    return after


def figure_of(ladder: Ladder, *, orders: int, amount_minor: int, growth: int) -> int:
    """What the ladder measures of these sums."""
    if ladder.metric is TierMetric.PURCHASE_COUNT:
        return orders
    if ladder.metric is TierMetric.AMOUNT:
        return amount_minor
    return amount_minor * ladder.growth_per_major_unit // MAJOR + growth


def _kept_until(ladder: Ladder, rank: int, at: datetime, zone: ZoneInfo) -> datetime | None:
    """A tier that everybody has needs no keeping."""
    return None if rank <= ladder.rank_of(0) else retained_until(ladder, at, zone)


def _movements(
    deed: Deed, rules: Sequence[Rule], until: datetime, zone: ZoneInfo
) -> Iterator[_Movement]:
    """A refund inside the return window counts from the beginning, a later one from its instant.

    Source: docs/rules/tiers.md, rule 12.
    """
    if deed.at > until:
        return
    month = month_of(deed.at, zone)
    orders, amount_minor = deed.orders, deed.amount_minor
    late: list[Reduction] = []
    for reduction in deed.reductions:
        if reduction.at > until:
            break
        days = _rule_at(rules, reduction.at).ladder.return_days
        if not late and reduction.at <= deed.at + timedelta(days=days):
            orders, amount_minor = reduction.orders, reduction.amount_minor
        else:
            late.append(reduction)
    yield _Movement(deed.at, month, deed.source, orders, amount_minor, deed.growth, deed)
    for reduction in late:
        yield _Movement(
            reduction.at,
            month,
            deed.source,
            reduction.orders - orders,
            reduction.amount_minor - amount_minor,
            0,
            None,
        )
        orders, amount_minor = reduction.orders, reduction.amount_minor


def _rule_at(rules: Sequence[Rule], at: datetime) -> Rule:
    """The rule in force at that instant; the first one before any was."""
    return next((rule for rule in reversed(rules) if rule.at <= at), rules[0])


class _Course:
    """The tier and the sums as the history passes by."""

    def __init__(self, rules: Sequence[Rule], zone: ZoneInfo) -> None:
        self._coming = list(reversed(rules))
        self._rule = rules[0]
        self._zone = zone
        self._held: Held | None = None
        self._sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._evaluations: list[Evaluation] = []

    def run_to(self, at: datetime) -> None:
        """Lets pass what time alone brings: rules that come into force, tiers that end."""
        while True:
            due = self._held.valid_until if self._held else None
            rule_at = self._coming[-1].at if self._coming else None
            if due is not None and due <= at and (rule_at is None or due <= rule_at):
                self._end(due)
            elif rule_at is not None and rule_at <= at:
                self._change_rule()
            else:
                return

    def count(self, movement: _Movement) -> None:
        """Adds what counts from now on."""
        sums = self._sums[movement.source, movement.month]
        sums[0] += movement.orders
        sums[1] += movement.amount_minor
        sums[2] += movement.growth
        ladder = self._rule.ladder
        if self._held is None:
            return
        if movement.deed is None and ladder.window is not TierWindow.LIFETIME:
            return
        start = first_month(ladder, month_of(movement.at, self._zone))
        after = raised(ladder, self._held, self._figure(start), at=movement.at, zone=self._zone)
        cause = movement.deed.cause if movement.deed else Cause.REFUND
        reference = movement.deed.id if movement.deed else ""
        self._become(after, movement.at, cause, start, reference=reference)

    def verdict(self, until: datetime) -> Verdict:
        """Where all that led."""
        assert self._held is not None
        start = first_month(self._rule.ladder, month_of(until, self._zone))
        return Verdict(self._held, self._figure(start), tuple(self._evaluations))

    def _end(self, due: datetime) -> None:
        assert self._held is not None
        start = first_month_at_end(self._rule.ladder, month_of(due, self._zone))
        after = ended(self._rule.ladder, self._held, self._figure(start), zone=self._zone)
        self._become(after, due, Cause.DUE, start)

    def _change_rule(self) -> None:
        self._rule = self._coming.pop()
        ladder, at = self._rule.ladder, self._rule.at
        start = first_month(ladder, month_of(at, self._zone))
        after = ruled(ladder, self._held, self._figure(start), at=at, zone=self._zone)
        self._become(after, at, Cause.RULE, start)

    def _become(
        self, after: Held, at: datetime, cause: Cause, start: int | None, *, reference: str = ""
    ) -> None:
        before, self._held = self._held, after
        rank_before = before.rank if before else 0
        is_news = rank_before != after.rank or (before and before.valid_until) != after.valid_until
        if not is_news:
            return
        self._evaluations.append(
            Evaluation(
                at=at,
                cause=cause,
                reference=reference,
                version=after.version,
                window_from=None if start is None else month_start(start, self._zone),
                figure=self._figure(start),
                rank_before=rank_before,
                rank_after=after.rank,
                valid_until=after.valid_until,
            )
        )

    def _figure(self, start: int | None) -> int:
        """What the rule's ladder measures of the months from `start` on."""
        totals = [0, 0, 0]
        for (source, month), sums in self._sums.items():
            if start is None or month >= start:
                weight = self._rule.weights.get(source, WHOLE_BP)
                for index, each in enumerate(sums):
                    totals[index] += weight * each
        orders, amount_minor, growth = (total // WHOLE_BP for total in totals)
        return figure_of(self._rule.ladder, orders=orders, amount_minor=amount_minor, growth=growth)
