from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.directory.health import HealthBoard, HealthState
from kernel.clock import SetClock

START = datetime(2026, 3, 1, tzinfo=UTC)


def _board() -> tuple[HealthBoard, SetClock]:
    clock = SetClock(START)
    return HealthBoard(clock), clock


def test_a_backend_is_up_until_something_failed() -> None:
    board, clock = _board()
    clock.set(START + timedelta(hours=1))
    board.note_answer("mer")

    health = board.health("mer")
    assert (health.state, health.since, health.last_error) == (HealthState.UP, START, None)


def test_three_failures_in_a_row_bring_a_backend_down() -> None:
    board, clock = _board()
    states = []
    for minute in (1, 2, 3, 4):
        clock.set(START + timedelta(minutes=minute))
        board.note_failure("mer", code="SUBGRAPH_TIMEOUT")
        states.append((board.health("mer").state, board.health("mer").since))

    minute = timedelta(minutes=1)
    assert states == [
        (HealthState.DEGRADED, START + minute),
        (HealthState.DEGRADED, START + minute),
        (HealthState.DOWN, START + 3 * minute),
        (HealthState.DOWN, START + 3 * minute),
    ]


def test_a_good_answer_brings_a_backend_up_and_its_last_error_stays_known() -> None:
    board, clock = _board()
    board.note_failure("mer", code="SUBGRAPH_TIMEOUT")
    clock.set(START + timedelta(minutes=1))
    board.note_answer("mer")
    up = board.health("mer")
    board.note_failure("mer", code="SUBGRAPH_UNAVAILABLE")

    assert (up.state, up.since) == (HealthState.UP, START + timedelta(minutes=1))
    assert up.last_error == "SUBGRAPH_TIMEOUT"
    assert board.health("mer").state is HealthState.DEGRADED


def test_one_merchants_failures_are_its_own() -> None:
    board, _ = _board()
    board.note_failure("mer_1", code="SUBGRAPH_TIMEOUT")

    assert board.health("mer_2").state is HealthState.UP
