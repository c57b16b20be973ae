import asyncio
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.feeding.client import FeedFailed
from gateway.feeding.server import FeedServer
from gateway.replay import session
from gateway.replay.figures import differences
from gateway.replay.history import read_history
from gateway.replay.session import replay_history
from tests.gateway.replay.invented_history import expected_figures, invent, write

ROWS = invent()
BRANDS = {"MER1", "MER2", "MER4"}


@pytest.fixture
def history_directory(tmp_path: Path) -> Path:
    write(ROWS, tmp_path / "history")
    return tmp_path / "history"


def orders_in(data: Path) -> int:
    with sqlite3.connect(data / "replay.db") as connection:
        return connection.execute("SELECT count(*) FROM fact WHERE kind = 'order'").fetchone()[0]


@pytest.mark.slow
def test_a_replay_equals_a_recount_of_its_files(history_directory: Path, tmp_path: Path) -> None:
    expect = tmp_path / "expect.json"
    expect.write_bytes(orjson.dumps(expected_figures(ROWS, BRANDS)))
    command = ["replay", str(history_directory), "--top", "3", "--data", str(tmp_path / "data")]

    first = CliRunner().invoke(app, [*command, "--expect", str(expect)])
    again = CliRunner().invoke(app, [*command, "--expect", str(expect)])
    expect.write_bytes(orjson.dumps({**expected_figures(ROWS, BRANDS), "pool_minor": 1}))
    differing = CliRunner().invoke(app, [*command, "--expect", str(expect)])

    assert first.exit_code == 0, first.output
    assert "Every figure equals" in first.output
    assert again.exit_code == 0, again.output
    assert "0 orders and refunds in" in again.output
    assert differing.exit_code != 0
    assert "DIFFERS pool_minor: expected 1" in differing.output


@pytest.mark.slow
def test_a_replay_whose_server_is_killed_goes_on_to_the_same_figures(
    history_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = read_history(history_directory, top=3)
    data = tmp_path / "data"
    killed: list[int] = []

    class MortalServer(FeedServer):
        async def set_clock(self, now: Any) -> None:
            await super().set_clock(now)
            if not killed and (data / "replay.db").exists() and orders_in(data) >= 15:
                assert self.pid is not None
                killed.append(self.pid)
                os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(session, "FeedServer", MortalServer)
    with pytest.raises(BaseException) as died:
        asyncio.run(replay_history(history, data, on_progress=lambda _: None))
    outcome = asyncio.run(replay_history(history, data, on_progress=lambda _: None))

    assert killed
    assert died.group_contains(FeedFailed) or isinstance(died.value, Exception)
    assert differences(expected_figures(ROWS, BRANDS), outcome.figures) == []
    assert 0 < outcome.events < history.order_count + history.refund_count


def test_every_difference_is_told_with_its_path() -> None:
    found = differences(
        {"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 1, "c": 3}, "d": [2], "e": 0}
    )

    assert found == [
        "a.c: expected 2, found 3",
        "d: expected [1], found [2]",
        "e: expected None, found 0",
    ]
