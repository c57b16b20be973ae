from __future__ import annotations

from gateway.assembly.override_labels import labels_holding

IDS = [f"req_{number}" for number in range(2_000)]


def share(label: str, *, named: tuple[str, ...] = ()) -> int:
    """How many of the requests a label holds for."""
    return sum(bool(labels_holding({label}, named=named, request_id=name)) for name in IDS)


def test_a_percent_label_holds_for_about_that_share_of_requests() -> None:
    assert share("percent(0)") == 0
    assert 400 <= share("percent(25)") <= 600
    assert 1 <= share("percent(0.5)") <= 30
    assert share("percent(100)") == len(IDS)


def test_a_percent_label_holds_for_the_same_requests_every_time() -> None:
    first = [labels_holding({"percent(50)"}, named=(), request_id=name) for name in IDS]
    again = [labels_holding({"percent(50)"}, named=(), request_id=name) for name in IDS]

    assert first == again


def test_a_named_label_holds_when_it_is_named_and_known() -> None:
    assert share("stock:new", named=("stock:new",)) == len(IDS)
    assert share("stock:new", named=("other",)) == 0
    assert labels_holding((), named=("stock:new",), request_id="r") == frozenset()
