import pytest

from kernel.text import is_clean, is_label, is_title


@pytest.mark.parametrize("text", ["银牌会员", "Tea & Co", "👨‍👩‍👧 家庭卡", "naïve", "a\u00a0b"])
def test_what_people_type_is_clean(text: str) -> None:
    assert is_clean(text)
    assert is_title(text, longest=100)


@pytest.mark.parametrize(
    "text",
    ["nul\x00", "line\nfeed", "tab\t", "bell\x07", "del\x7f", "c1\x85", "ps\u2029", "\ud800"],
)
def test_a_control_character_is_not(text: str) -> None:
    assert not is_clean(text)
    assert not is_label(text, longest=100)


def test_a_mark_that_turns_the_reading_direction_is_not() -> None:
    assert not is_clean("abc\u202egnp.exe")


def test_a_blank_title_names_nothing() -> None:
    assert not is_title("   ", longest=10)
    assert not is_title("", longest=10)


def test_the_longest_text_is_accepted_and_one_more_is_not() -> None:
    assert is_title("n" * 10, longest=10)
    assert not is_title("n" * 11, longest=10)
    assert is_label("n" * 10, longest=10)
    assert not is_label("n" * 11, longest=10)
