from pathlib import Path

import pytest

from gateway.replay.history import HistoryUnreadable, read_history
from tests.gateway.replay.invented_history import invent, write


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write(invent(), tmp_path)
    return tmp_path


def test_top_takes_the_first_brands_by_id(directory: Path) -> None:
    history = read_history(directory, top=2)

    assert [merchant.reference for merchant in history.merchants] == ["MER1", "MER2"]
    assert {order.merchant for day in history.days for order in day.orders} == {"MER1", "MER2"}


def test_days_follow_each_other_and_their_events_are_ordered(directory: Path) -> None:
    history = read_history(directory)

    days = [day.day for day in history.days]
    assert days == sorted(set(days))
    for day in history.days:
        assert [o.number for o in day.orders] == sorted(o.number for o in day.orders)
        assert [r.number for r in day.refunds] == sorted(r.number for r in day.refunds)
    assert history.order_count == 60


def test_refunds_without_an_order_of_these_merchants_are_left_out(directory: Path) -> None:
    history = read_history(directory, merchants=["MER1"])

    numbers = {order.number for day in history.days for order in day.orders}
    refunds = [refund for day in history.days for refund in day.refunds]
    assert refunds
    assert {refund.order for refund in refunds} <= numbers


def test_an_unknown_merchant_is_told(directory: Path) -> None:
    with pytest.raises(HistoryUnreadable, match="unknown merchants: MER77"):
        read_history(directory, merchants=["MER77"])


@pytest.mark.parametrize("name", ["merchants", "orders", "order_lines", "refunds"])
def test_a_missing_or_broken_file_is_told(directory: Path, name: str) -> None:
    path = directory / f"{name}.csv.gz"
    path.write_bytes(b"no gzip at all")
    with pytest.raises(HistoryUnreadable):
        read_history(directory)
    path.unlink()
    with pytest.raises(HistoryUnreadable):
        read_history(directory)
