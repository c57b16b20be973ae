from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.graphql import (
    BadUserInput,
    MoneyInput,
    format_datetime,
    input_as_json,
    parse_date,
    parse_datetime,
    parse_long,
    parse_ratio,
)
from kernel.pages import connection_of, decode_cursor, encode_cursor, page_args


@pytest.mark.parametrize("value", [2**53, -(2**53), 1.0, "1", True, None, float("nan")])
def test_what_is_no_long_is_refused(value: object) -> None:
    with pytest.raises(BadUserInput):
        parse_long(value)


@pytest.mark.parametrize("value", [2**53 - 1, -(2**53) + 1, 0])
def test_a_long_reaches_to_what_json_holds_exactly(value: int) -> None:
    assert parse_long(value) == value


@pytest.mark.parametrize(
    "value", ["2026-03-01", "2026-03-01T00:00:00", "soon", 5, "0001-01-01T00:00:00+23:59"]
)
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(BadUserInput):
        parse_datetime(value)


def test_an_instant_is_told_in_utc() -> None:
    assert parse_datetime("2026-03-01T08:00:00+08:00") == datetime(2026, 3, 1, tzinfo=UTC)
    assert format_datetime(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize("value", ["2026-02-30", "20260301", 1, "2026-3-1"])
def test_what_is_no_day_is_refused(value: object) -> None:
    with pytest.raises(BadUserInput):
        parse_date(value)


@pytest.mark.parametrize("value", [1, "0.5", "1/0"])
def test_what_is_no_ratio_is_refused(value: object) -> None:
    with pytest.raises(BadUserInput):
        parse_ratio(value)


@given(
    st.lists(st.one_of(st.integers(-(2**53), 2**53), st.text(max_size=50), st.none()), max_size=4)
)
def test_a_cursor_gives_back_its_key(key: list[object]) -> None:
    assert decode_cursor(encode_cursor(key), key_length=len(key)) == tuple(key)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "é",
        "W10",
        "x" * 2_000,
        encode_cursor([[1]]),
        encode_cursor([1, 2]),
        encode_cursor([2**63]),
    ],
)
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadUserInput):
        decode_cursor(cursor, key_length=1)


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_page_has_one_to_a_hundred_items(first: int) -> None:
    with pytest.raises(BadUserInput, match="1 to 100"):
        page_args(first, None, key_length=1)


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    rows = list(range(25))
    seen: list[int] = []
    after: str | None = None
    while True:
        page = page_args(10, after, key_length=1)
        start = 0 if page.after is None else page.after[0] + 1
        connection = connection_of(
            rows[start : start + page.limit], page, key=lambda row: (row,), node=lambda row: row
        )
        seen += connection.nodes
        after = connection.page_info.end_cursor
        if not connection.page_info.has_next_page:
            break

    assert seen == rows


def test_an_input_is_hashed_without_its_request_id() -> None:
    money = MoneyInput(amount_minor=5, currency="CNY")  # type: ignore[arg-type]

    assert input_as_json([money]) == [{"amount_minor": 5, "currency": "CNY"}]
