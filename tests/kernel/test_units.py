import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.units import Ratio, apportion, half_up, reversed_share, share_bp, units_share

AMOUNTS = st.integers(0, 2**53 - 1)


@given(total=AMOUNTS, weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_apportioned_parts_sum_to_the_whole_and_lie_within_one_of_their_share(
    total: int, weights: list[int]
) -> None:
    parts = apportion(total, weights)

    assert sum(parts) == total
    weight_sum = sum(weights)
    if weight_sum:
        for part, weight in zip(parts, weights, strict=True):
            assert 0 <= part - total * weight // weight_sum <= 1


def test_ties_of_the_remainder_go_to_the_lower_line() -> None:
    assert apportion(500, [3000, 3000, 3000]) == [167, 167, 166]


def test_a_coupon_of_ten_yuan_falls_on_three_lines_by_largest_remainder() -> None:
    assert apportion(1000, [3333, 3333, 3334]) == [333, 333, 334]


def test_nothing_to_weigh_by_puts_the_whole_on_the_first_line() -> None:
    assert apportion(7, [0, 0]) == [7, 0]


@given(amount=AMOUNTS, units=st.integers(1, 500))
def test_the_units_of_a_line_sum_to_the_line(amount: int, units: int) -> None:
    shares = [
        units_share(amount, units=k + 1, of_units=units)
        - units_share(amount, units=k, of_units=units)
        for k in range(units)
    ]

    assert sum(shares) == amount
    assert min(shares) >= 0


@given(
    amount=st.integers(0, 10**12),
    parts=st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
)
def test_partial_reversals_sum_to_the_whole(amount: int, parts: list[int]) -> None:
    whole = sum(parts)
    done = back = 0
    for part in parts:
        done += part
        share = reversed_share(amount, part=done, of_whole=whole) - back
        assert share >= 0
        back += share

    assert back == (amount if whole else 0)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"), [(0, 3, 0), (1, 2, 1), (5, 10, 1), (49, 100, 0)]
)
def test_halves_round_up(numerator: int, denominator: int, rounded: int) -> None:
    assert half_up(numerator, denominator) == rounded


def test_five_percent_of_five_hundred_is_twenty_five() -> None:
    assert share_bp(500, 500) == 25


@pytest.mark.parametrize(("text", "written"), [("1/100", "1/100"), ("2/4", "1/2"), ("3", "3")])
def test_a_ratio_is_written_in_lowest_terms(text: str, written: str) -> None:
    assert str(Ratio.parse(text)) == written


@pytest.mark.parametrize(
    "text", ["", "1/0", "-1/2", "1.5", "1/2/3", "1e3", "９/2", "1" * 10, "0x1"]
)
def test_what_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Ratio.parse(text)
