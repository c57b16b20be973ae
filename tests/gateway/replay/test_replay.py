import asyncio
import os
import signal
from contextlib import closing
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
from gateway.replay.merchant_tiers import tier_differences
from gateway.replay.recount import CountedTiers, recount_tiers
from gateway.replay.session import replay_history
from kernel.database.sqlite_dialect import connect
from tests.gateway.replay.invented_history import expected_figures, invent, write
from tests.places import PostgresPlaces

ROWS = invent()
BRANDS = {"MER1", "MER2", "MER4"}


@pytest.fixture
def history_directory(tmp_path: Path) -> Path:
    write(ROWS, tmp_path / "history")
    return tmp_path / "history"


def orders_in(data: Path) -> int:
    with closing(connect(data / "replay.db")) as connection:
        return connection.execute("SELECT count(*) FROM fact WHERE kind = 'order'").fetchone()[0]


@pytest.mark.slow
def test_a_replay_equals_a_recount_of_its_files(history_directory: Path, tmp_path: Path) -> None:
    expect = tmp_path / "expect.json"
    expect.write_bytes(orjson.dumps(expected_figures(ROWS, BRANDS)))
    command = ["replay", str(history_directory), "--top", "3", "--data", str(tmp_path / "data")]

    first = CliRunner().invoke(app, [*command, "--expect", str(expect), "--check-tiers"])
    again = CliRunner().invoke(app, [*command, "--expect", str(expect)])
    expect.write_bytes(orjson.dumps({**expected_figures(ROWS, BRANDS), "pool_minor": 1}))
    differing = CliRunner().invoke(app, [*command, "--expect", str(expect)])

    assert first.exit_code == 0, first.output
    assert "Every figure equals" in first.output
    joined = {
        (order["merchant_id"], order["member_id"])
        for order in ROWS.orders
        if order["merchant_id"] in BRANDS
    }
    assert f"Every one of {2 * len(joined)} merchants' tiers is recounted." in first.output
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
    assert 0 < outcome.events < history.order_count + sum(len(day.refunds) for day in history.days)


def test_every_difference_is_told_with_its_path() -> None:
    found = differences(
        {"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 1, "c": 3}, "d": [2], "e": 0}
    )

    assert found == [
        "a.c: expected 2, found 3",
        "d: expected [1], found [2]",
        "e: expected None, found 0",
    ]


def test_tiers_are_recounted_from_the_files_alone(history_directory: Path) -> None:
    counted = recount_tiers(history_directory, BRANDS)
    orders = {o["order_id"]: o for o in ROWS.orders if o["merchant_id"] in BRANDS}
    gross = sum(order["total_minor"] for order in orders.values())
    refunded = expected_figures(ROWS, BRANDS)["refunds_applied_minor"]

    assert sum(each.amount_minor for each in counted.values()) == gross - refunded
    assert {each.count_rank for each in counted.values()} > {1, 2}
    for each in counted.values():
        assert each.count_rank == sum(each.orders >= step for step in (1, 2, 5, 10))
        assert each.amount_rank == sum(
            each.amount_minor >= step for step in (0, 10_000, 50_000, 100_000)
        )


def test_a_member_whose_tier_differs_is_named() -> None:
    one, other = CountedTiers(1, 1, 100, 1), CountedTiers(2, 2, 100, 1)

    assert tier_differences({("MER1", "M1"): one}, {("MER1", "M1"): one}) == []
    assert tier_differences({("MER1", "M1"): one}, {("MER1", "M1"): other}) == [
        f"MER1 M1: expected {one}, found {other}"
    ]
    assert tier_differences({("MER1", "M1"): one}, {}) == [f"MER1 M1: expected {one}, found None"]


@pytest.mark.slow
@pytest.mark.postgresql
def test_two_gateways_on_one_postgresql_come_to_the_same_figures(
    history_directory: Path,
    tmp_path: Path,
    places: PostgresPlaces,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, name in (
        ("ALLIANCE_DATABASE_URL", "alliance"),
        ("ALLIANCE_LEDGER_DATABASE_URL", "ledger"),
        ("ALLIANCE_MERCHANTS_DATABASE_URL", "merchants"),
    ):
        monkeypatch.setenv(variable, places.address(name))
    expect = tmp_path / "expect.json"
    expect.write_bytes(orjson.dumps(expected_figures(ROWS, BRANDS)))
    command = ["replay", str(history_directory), "--top", "3", "--data", str(tmp_path / "data")]
    command += ["--expect", str(expect), "--check-tiers", "--gateways", "2"]

    whole = CliRunner().invoke(app, command)
    monkeypatch.setenv("ALLIANCE_LEDGER_LANES", "16")
    with_as_many_lanes = CliRunner().invoke(app, command)
    verified = CliRunner().invoke(app, ["verify", "--data", str(tmp_path / "data")])
    monkeypatch.setenv("ALLIANCE_LEDGER_LANES", "4")
    with_other_lanes = CliRunner().invoke(app, command)

    assert whole.exit_code == 0, whole.output
    assert "Every figure equals" in whole.output
    assert with_as_many_lanes.exit_code == 0, with_as_many_lanes.output
    assert verified.exit_code == 0, verified.output
    assert with_other_lanes.exit_code == 1
    assert "made with lanes: 16" in str(with_other_lanes.exception)


def test_several_gateways_need_a_database_that_they_can_share(
    history_directory: Path, tmp_path: Path
) -> None:
    command = ["replay", str(history_directory), "--data", str(tmp_path / "data")]

    refused = CliRunner().invoke(app, [*command, "--gateways", "2"])

    assert refused.exit_code == 1
    assert "ALLIANCE_" in str(refused.exception)
    assert not (tmp_path / "data").exists()


async def test_a_server_that_can_not_be_made_leaves_nothing_open(
    history_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    class Watched(session.Journal):
        def close(self) -> None:
            super().close()
            done.append("journal closed")

    class SecondFails:
        made = 0

        def __init__(self, directory: Path, **_: object) -> None:
            SecondFails.made += 1
            if SecondFails.made == 2:
                raise OSError("no more processes")

        def stop(self) -> None:
            done.append("server stopped")

    monkeypatch.setattr(session, "Journal", Watched)
    monkeypatch.setattr(session, "FeedServer", SecondFails)

    with pytest.raises(OSError, match="no more processes"):
        await replay_history(
            read_history(history_directory, top=3),
            tmp_path / "data",
            on_progress=lambda _: None,
            gateways=2,
        )

    assert done == ["server stopped", "journal closed"]
