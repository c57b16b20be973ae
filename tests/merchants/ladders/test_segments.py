from datetime import UTC, datetime, timedelta

import pytest

from merchants.ladders.segments import (
    MemberFacts,
    Segment,
    SegmentThresholds,
    months_before,
    placement_of,
    threshold_problems,
)

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
USUAL = SegmentThresholds()
LONG_AGO = NOW - timedelta(days=1_000)


def bought(*days_ago: int) -> MemberFacts:
    return MemberFacts(LONG_AGO, tuple(NOW - timedelta(days=days) for days in days_ago))


@pytest.mark.parametrize(
    ("facts", "segment"),
    [
        (bought(1, 2, 3, 4), Segment.KEY),
        (bought(1, 2, 3), Segment.LIGHT),
        (bought(364), Segment.LIGHT),
        (bought(367), Segment.DORMANT),
        (bought(1, 2, 3, 367), Segment.LIGHT),
        (bought(), Segment.ZOMBIE),
        (MemberFacts(NOW - timedelta(days=30)), Segment.NEWCOMER),
        (MemberFacts(NOW - timedelta(days=30, microseconds=1)), Segment.ZOMBIE),
        (MemberFacts(NOW, (NOW,)), Segment.LIGHT),
    ],
)
def test_a_member_is_in_the_segment_that_its_orders_put_it_in(
    facts: MemberFacts, segment: Segment
) -> None:
    assert placement_of(facts, USUAL, NOW).segment is segment


def test_what_happens_later_does_not_change_a_segment_of_the_past() -> None:
    facts = bought(1, 2, 3, 10, 20)

    assert placement_of(facts, USUAL, NOW - timedelta(days=5)).segment is Segment.LIGHT
    assert placement_of(facts, USUAL, NOW - timedelta(days=30)).segment is Segment.ZOMBIE
    assert placement_of(facts, USUAL, NOW).segment is Segment.KEY


def test_a_placement_tells_the_figures_that_decided() -> None:
    placement = placement_of(bought(5, 400), USUAL, NOW)

    assert (placement.orders_in_window, placement.orders) == (1, 2)
    assert placement.last_order_at == NOW - timedelta(days=5)
    assert placement.window_from == datetime(2025, 3, 31, 12, tzinfo=UTC)


def test_months_are_calendar_months_and_end_with_the_month() -> None:
    assert months_before(NOW, 1) == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert months_before(datetime(2024, 2, 29, tzinfo=UTC), 12) == datetime(2023, 2, 28, tzinfo=UTC)


def test_every_fault_of_thresholds_is_told() -> None:
    faults = threshold_problems(SegmentThresholds(0, 121, 3_651))

    assert [path for path, _ in faults] == ["keyOrders", "windowMonths", "zombieDays"]
