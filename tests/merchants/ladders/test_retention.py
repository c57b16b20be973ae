"""Tiers over time: kept, ended, revoked, by the rules alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from merchants.ladders.evaluation import Cause, Deed, Held, Reduction, Rule, evaluate
from merchants.ladders.tiers import Downgrade, Ladder, TierMetric, TierWindow
from tests.merchants.shop import ladder

SHANGHAI = ZoneInfo("Asia/Shanghai")
MARCH = datetime(2026, 3, 15, 4, tzinfo=UTC)
STEPS = (("银牌", 10_000), ("金牌", 50_000), ("钻石", 100_000))


def rolling(**more: Any) -> Ladder:
    given = {"window": TierWindow.ROLLING_12_MONTHS, "effective_from": MARCH - timedelta(days=900)}
    return ladder(TierMetric.AMOUNT, *STEPS, **(given | more))


def bought(amount: int, days: float = 0, *refunds: tuple[float, int]) -> Deed:
    """An order so many days after the middle of March, and what refunds left of it how long after.

    A refund that leaves nothing ends the order.
    """
    at = MARCH + timedelta(days=days)
    return Deed(
        f"order-{amount}-{days}",
        at,
        amount_minor=amount,
        reductions=tuple(
            Reduction(f"r-{index}", at + timedelta(days=later), int(left > 0), left)
            for index, (later, left) in enumerate(refunds)
        ),
    )


def rank(made: Ladder, deeds: Sequence[Deed], days: float) -> int:
    verdict = evaluate(
        [Rule(made.effective_from, made)],
        deeds,
        until=MARCH + timedelta(days=days),
        zone=SHANGHAI,
    )
    assert verdict is not None
    return verdict.held.rank


def test_a_tier_is_reached_at_once_and_kept_to_the_end_of_the_month_a_year_later() -> None:
    made, history = rolling(), [bought(60_000)]
    [reached] = evaluate(
        [Rule(made.effective_from, made)], history, until=MARCH, zone=SHANGHAI
    ).evaluations  # type: ignore[union-attr]
    end = datetime(2027, 3, 31, 16, tzinfo=UTC)

    assert (reached.rank_after, reached.valid_until) == (2, end)
    assert rank(made, history, -1) == 0
    last = evaluate(
        [Rule(made.effective_from, made)],
        history,
        until=end - timedelta(microseconds=1),
        zone=SHANGHAI,
    )
    assert last is not None
    assert (last.held.rank, last.figure) == (2, 60_000)


@pytest.mark.parametrize(
    ("downgrade", "ranks"), [(Downgrade.ONE_DOWN, (2, 1, 0)), (Downgrade.TO_METRIC, (0, 0, 0))]
)
def test_a_tier_that_is_not_reached_again_goes_down_by_the_ladders_policy(
    downgrade: Downgrade, ranks: tuple[int, int, int]
) -> None:
    made, history = rolling(downgrade=downgrade), [bought(100_000)]

    assert rank(made, history, 381) == 3
    assert tuple(rank(made, history, days) for days in (382, 748, 1_113)) == ranks


def test_what_was_bought_in_the_last_twelve_months_keeps_the_tier_for_twelve_more() -> None:
    history = [bought(60_000), bought(30_000, 100), bought(20_000, 200)]

    two_steps = replace(rolling(), steps=rolling().steps[:2])

    assert [rank(two_steps, history, days) for days in (381, 383, 747, 749)] == [2, 2, 2, 1]


def test_an_upgrade_while_a_tier_is_kept_counts_from_then_on() -> None:
    history = [bought(60_000), bought(45_000, 150)]

    assert [rank(rolling(), history, days) for days in (149, 150, 500, 535)] == [2, 3, 3, 2]


def test_a_calendar_years_tier_is_kept_to_the_end_of_the_next_year() -> None:
    made = rolling(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.TO_METRIC)
    spent_again = [bought(60_000), bought(20_000, 300 + 60)]

    assert rank(made, [bought(60_000)], 656) == 2
    assert rank(made, [bought(60_000)], 657) == 0
    assert rank(made, spent_again, 657) == 1


def test_a_window_of_three_months_counts_three_months() -> None:
    made = rolling(window=TierWindow.ROLLING_MONTHS, window_months=3, retention_months=1)

    assert rank(made, [bought(6_000), bought(4_000, 100)], 100) == 1
    assert rank(made, [bought(6_000), bought(4_000, 120)], 120) == 0


def test_a_refund_inside_the_return_window_revokes_what_only_its_order_gave() -> None:
    history = [bought(20_000), bought(40_000, 30, (5, 0))]

    assert [rank(rolling(), history, days) for days in (34, 36)] == [2, 1]


def test_a_refund_after_the_return_window_costs_the_tier_only_when_its_time_is_over() -> None:
    history = [bought(20_000), bought(40_000, 30, (8, 0))]

    assert [rank(rolling(), history, days) for days in (39, 400, 412)] == [2, 2, 1]


def test_a_refund_of_what_was_not_needed_changes_nothing() -> None:
    history = [bought(55_000), bought(40_000, 30, (5, 0))]

    assert rank(rolling(), history, 36) == 2


def test_a_later_order_reaches_the_tier_that_a_refund_revoked() -> None:
    history = [bought(50_000, 0, (2, 10_000)), bought(40_000, 20)]

    assert [rank(rolling(), history, days) for days in (1, 3, 20)] == [2, 1, 2]


def test_a_new_version_lets_nobody_fall_before_the_tiers_time_is_over() -> None:
    harder = ladder(
        TierMetric.AMOUNT,
        ("银牌", 20_000),
        ("金牌", 90_000),
        ("钻石", 900_000),
        window=TierWindow.ROLLING_12_MONTHS,
        effective_from=MARCH + timedelta(days=10),
        version=2,
    )
    rules = [Rule(rolling().effective_from, rolling()), Rule(harder.effective_from, harder)]

    def at(days: float) -> tuple[int, int]:
        verdict = evaluate(
            rules, [bought(60_000)], until=MARCH + timedelta(days=days), zone=SHANGHAI
        )
        assert verdict is not None
        return verdict.held.rank, verdict.held.version

    assert [at(9)[0], at(11)[0], at(381)[0], at(383)[0]] == [2, 2, 2, 1]


def test_from_lifetime_to_a_window_a_tier_is_kept_as_if_it_was_reached_then() -> None:
    lifetime = rolling(window=TierWindow.LIFETIME)
    windowed = rolling(version=2, effective_from=MARCH + timedelta(days=800))
    rules = [Rule(lifetime.effective_from, lifetime), Rule(windowed.effective_from, windowed)]
    verdict = evaluate(rules, [bought(60_000)], until=MARCH + timedelta(days=801), zone=SHANGHAI)

    assert verdict is not None
    assert (verdict.held.rank, verdict.figure) == (2, 0)
    assert verdict.held.valid_until == datetime(2029, 5, 31, 16, tzinfo=UTC)


def test_evaluations_tell_what_was_measured_from_when_and_why() -> None:
    made = rolling(downgrade=Downgrade.TO_METRIC)
    verdict = evaluate(
        [Rule(made.effective_from, made)],
        [bought(60_000), bought(12_000, 300)],
        until=MARCH + timedelta(days=400),
        zone=SHANGHAI,
    )

    assert verdict is not None
    assert [
        (each.cause, each.figure, each.rank_before, each.rank_after) for each in verdict.evaluations
    ] == [(Cause.ORDER, 60_000, 0, 2), (Cause.DUE, 12_000, 2, 1)]
    assert verdict.evaluations[1].window_from == datetime(2026, 3, 31, 16, tzinfo=UTC)


def held_under(old: Ladder, new: Ladder, deeds: Sequence[Deed], *, days: float) -> Held:
    """What the history gives when the new version came after the old one."""
    verdict = evaluate(
        [Rule(old.effective_from, old), Rule(new.effective_from, new)],
        deeds,
        until=MARCH + timedelta(days=days),
        zone=SHANGHAI,
    )
    assert verdict is not None
    return verdict.held


def version_two(*steps: tuple[str, int], days: float, **more: Any) -> Ladder:
    given = {
        "window": TierWindow.ROLLING_12_MONTHS,
        "effective_from": MARCH + timedelta(days=days),
        "version": 2,
    }
    return ladder(TierMetric.AMOUNT, *steps, **(given | more))


def test_who_falls_to_the_tier_that_everybody_has_keeps_it_without_an_end() -> None:
    made = ladder(
        TierMetric.AMOUNT,
        ("普通", 0),
        ("银牌", 10_000),
        window=TierWindow.ROLLING_12_MONTHS,
        effective_from=MARCH - timedelta(days=900),
    )
    verdict = evaluate(
        [Rule(made.effective_from, made)],
        [bought(20_000)],
        until=MARCH + timedelta(days=1_500),
        zone=SHANGHAI,
    )

    assert verdict is not None
    assert (verdict.held.rank, verdict.held.valid_until) == (1, None)
    assert [(each.cause, each.rank_after) for each in verdict.evaluations] == [
        (Cause.RULE, 1),
        (Cause.ORDER, 2),
        (Cause.DUE, 1),
    ]


def test_a_new_version_does_not_prolong_what_is_kept() -> None:
    harder = version_two(("银牌", 20_000), ("金牌", 90_000), days=40)

    held = held_under(rolling(), harder, [bought(60_000)], days=41)
    later = held_under(rolling(), harder, [bought(60_000)], days=383)

    assert (held.rank, held.valid_until) == (2, datetime(2027, 3, 31, 16, tzinfo=UTC))
    assert later.rank == 1


def test_a_tier_that_a_new_version_gives_everybody_is_not_kept_until_an_instant() -> None:
    easier = version_two(("银牌", 0), ("金牌", 90_000), days=10)

    before = held_under(rolling(), easier, [bought(20_000)], days=9)
    after = held_under(rolling(), easier, [bought(20_000)], days=10)

    assert (before.rank, before.valid_until) == (1, datetime(2027, 3, 31, 16, tzinfo=UTC))
    assert (after.rank, after.valid_until) == (1, None)


def test_a_tier_that_everybody_had_is_kept_for_as_long_as_any_when_it_has_to_be_reached() -> None:
    everybodys = replace(version_two(("银牌", 0), ("金牌", 90_000), days=-900), version=1)
    harder = version_two(("银牌", 10_000), ("金牌", 90_000), days=40)

    held = held_under(everybodys, harder, [], days=41)
    later = held_under(everybodys, harder, [], days=412)

    assert (held.rank, held.valid_until) == (1, datetime(2027, 4, 30, 16, tzinfo=UTC))
    assert (later.rank, later.valid_until) == (0, None)


def test_from_a_window_to_lifetime_nothing_is_kept_beyond_what_is_measured() -> None:
    lifetime = version_two(*STEPS, days=40, window=TierWindow.LIFETIME)
    history = [bought(60_000), bought(45_000, 300)]

    reached = held_under(rolling(), lifetime, history, days=41)
    risen = held_under(rolling(), lifetime, history, days=900)
    revoked = held_under(rolling(), lifetime, [bought(60_000, 0, (8, 0))], days=41)

    assert (reached.rank, reached.valid_until) == (2, None)
    assert (risen.rank, risen.valid_until) == (3, None)
    assert (revoked.rank, revoked.valid_until) == (0, None)
