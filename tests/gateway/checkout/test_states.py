import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.checkout.states import (
    EXTENDED_SECONDS,
    HOLD_SECONDS,
    UNSETTLED,
    CheckoutState,
    Need,
    TimeOuts,
    may_become,
    need_of,
)

S = CheckoutState


@given(st.lists(st.sampled_from(list(S)), max_size=40))
def test_no_path_leaves_one_attempt_both_released_and_captured(path: list[CheckoutState]) -> None:
    state, attempt = S.OPENING, 0
    released: set[int] = set()
    captured: set[int] = set()
    for following in path:
        if not may_become(state, following):
            continue
        if state is S.RELEASED:
            attempt += 1
        state = following
        if state is S.RELEASED:
            released.add(attempt)
        if state is S.CAPTURED:
            captured.add(attempt)

    assert not released & captured
    assert len(captured) <= 1


@given(st.lists(st.sampled_from(list(S)), max_size=40))
def test_a_captured_checkout_stays_captured(path: list[CheckoutState]) -> None:
    assert not any(may_become(S.CAPTURED, following) for following in path)


def test_what_is_being_captured_is_never_released_directly() -> None:
    assert not may_become(S.CAPTURING, S.RELEASING)
    assert not may_become(S.CAPTURING, S.RELEASED)
    assert not may_become(S.RELEASING, S.CAPTURING)


@pytest.mark.parametrize("state", list(S))
def test_a_sweeper_has_something_to_do_for_unsettled_checkouts_alone(state: CheckoutState) -> None:
    assert (need_of(state, seconds_left=0) is not Need.NOTHING) == (state in UNSETTLED)


def test_a_held_checkout_is_left_alone_until_its_time_out() -> None:
    assert need_of(S.HELD, seconds_left=0.5) is Need.NOTHING
    assert need_of(S.HELD, seconds_left=0) is Need.RELEASE


def test_time_is_counted_from_when_this_process_first_saw_the_checkout() -> None:
    time_outs = TimeOuts()

    assert time_outs.seconds_left("chk", monotonic=50, is_extended=False) == HOLD_SECONDS
    assert time_outs.seconds_left("chk", monotonic=60, is_extended=False) == HOLD_SECONDS - 10
    assert time_outs.seconds_left("chk", monotonic=60, is_extended=True) == EXTENDED_SECONDS - 10
    assert time_outs.seconds_left("chk", monotonic=9_999, is_extended=True) == 0
