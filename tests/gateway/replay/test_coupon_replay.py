import gzip
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.commands import replay_coupons as command
from gateway.feeding.server import FeedServer
from gateway.replay.coupons import session
from gateway.replay.coupons.history import read_coupon_history
from gateway.replay.coupons.reasons import reasons_of
from gateway.replay.coupons.recount import recount_redemptions
from gateway.replay.history import HistoryUnreadable
from tests.gateway.replay.invented_coupons import OUTCOMES, TAKEN_MINOR, write_coupons


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_coupons(tmp_path / "history")
    return tmp_path / "history"


def test_the_recount_finds_what_the_rows_were_made_for(directory: Path) -> None:
    recount = recount_redemptions(directory)

    # Of two coupons of one kind in one basket one applies; which one does not matter.
    assert dict(sorted(recount.outcomes.items())) == OUTCOMES
    assert recount.taken_minor == TAKEN_MINOR
    assert recount.recorded_minor == 80 + 90 + 60
    assert Counter(recount.standings.values()) == {
        "DISCOUNTED": 3,
        "NO_DISCOUNT": 4,
        "NO_PRODUCT": 1,
        "NO_ORDER": 2,
    }


def test_the_history_itself_explains_what_did_not_apply(directory: Path) -> None:
    reasons = reasons_of(directory, recount_redemptions(directory).outcomes)

    assert reasons == {
        ("NO_ORDER", "the nearest basket is 1 day(s) earlier and holds a product of the coupon"): 1,
        ("NO_ORDER", "the household has no basket at all"): 1,
        ("OUT_OF_SCOPE", "the household never buys a product of the coupon"): 1,
    }


@pytest.mark.parametrize(
    ("row", "outcome", "why"),
    [
        (8, "NO_ORDER", "a basket before 5:00 of the next day holds a product of the coupon"),
        (8, "OUT_OF_SCOPE", "a basket before 5:00 of the next day holds a product of the coupon"),
        (1, "OUT_OF_SCOPE", "the household buys one within 7 days, not that day"),
    ],
)
def test_a_basket_of_the_same_night_explains_a_redemption(
    directory: Path, row: int, outcome: str, why: str
) -> None:
    """Redemption 8 is told as of the day before its basket, which is at 00:10."""
    path = directory / "coupon_redemptions.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        text = file.read().replace("dan,jam,2,2017-02-01", "dan,jam,2,2017-01-31")
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)

    assert reasons_of(directory, {row: outcome}) == {(outcome, why): 1}


def test_a_template_has_the_middle_discount_and_the_products_of_the_baskets(
    directory: Path,
) -> None:
    templates = {each.name: each for each in read_coupon_history(directory).templates}

    assert set(templates) == {"tea-1", "jam-1", "jam-2", "oil-2"}
    assert templates["tea-1"].face_minor == 80
    assert templates["jam-1"].face_minor == 100
    assert templates["tea-1"].skus == ("t1", "t2")
    assert templates["oil-2"].skus == ("o1",)
    assert templates["tea-1"].holders == {"ann": 2, "bob": 1, "dan": 2}


@pytest.mark.parametrize("name", ["coupon_redemptions", "campaigns", "coupons", "orders"])
def test_a_missing_or_broken_file_of_coupons_is_told(directory: Path, name: str) -> None:
    path = directory / f"{name}.csv.gz"
    path.write_bytes(b"no gzip at all")
    with pytest.raises(HistoryUnreadable):
        read_coupon_history(directory)
    path.unlink()
    with pytest.raises(HistoryUnreadable):
        read_coupon_history(directory)


@pytest.mark.slow
def test_replayed_redemptions_equal_the_recount_even_after_a_kill(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    class MortalServer(FeedServer):
        instants = 0

        async def set_clock(self, now: Any) -> None:
            await super().set_clock(now)
            MortalServer.instants += 1
            if MortalServer.instants == 5 and self.pid is not None:
                killed.append(self.pid)
                os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(session, "FeedServer", MortalServer)
    arguments = ["replay-coupons", str(directory), "--data", str(tmp_path / "data")]

    died = CliRunner().invoke(app, arguments)
    finished = CliRunner().invoke(app, arguments)

    assert killed
    assert died.exit_code != 0
    assert finished.exit_code == 0, finished.output
    assert "Every count and the sum equal the recount from the files." in finished.output
    rows = [line.split() for line in finished.output.splitlines()]
    for reason, count in Counter(OUTCOMES.values()).items():
        assert [reason, str(count), str(count)] in rows
    assert ["taken,", "minor", str(TAKEN_MINOR), str(TAKEN_MINOR)] in rows

    monkeypatch.setattr(command, "recount_redemptions", _short_by_one)
    differing = CliRunner().invoke(app, arguments)
    assert differing.exit_code != 0
    assert "DIFFERS NO_ORDER: recounted 1, replayed 2" in differing.output


def _short_by_one(directory: Path) -> Any:
    recount = recount_redemptions(directory)
    recount.outcomes.pop(9)
    return recount
