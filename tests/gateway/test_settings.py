"""Settings that are mistyped, and data directories that are none, are told in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.settings import unknown_variables
from kernel.database import DatabaseUnavailable, DirectoryLock


@pytest.fixture(autouse=True)
def _no_other_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("ALLIANCE_"):
            monkeypatch.delenv(name)


def alliance(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from gateway.cli import main; main()", *words],
        cwd=Path(__file__).parents[2],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_variable_that_no_setting_reads_is_named_with_the_setting_it_resembles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALLIANCE_GRANT_BUGDET_MINOR", "5")
    monkeypatch.setenv("ALLIANCE_QQQ", "5")
    monkeypatch.setenv("ALLIANCE_COST_MAX", "5")

    assert unknown_variables() == {
        "ALLIANCE_GRANT_BUGDET_MINOR": "ALLIANCE_GRANT_BUDGET_MINOR",
        "ALLIANCE_QQQ": None,
    }


def test_what_kubernetes_says_of_a_service_called_alliance_is_no_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALLIANCE_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("ALLIANCE_SERVICE_PORT_HTTP", "80")
    monkeypatch.setenv("ALLIANCE_PORT_80_TCP_ADDR", "10.0.0.1")

    assert unknown_variables() == {}


def test_every_command_warns_of_a_mistyped_setting_and_does_its_work() -> None:
    ended = alliance("schema", "--subgraph", "ledger", ALLIANCE_GRANT_BUGDET_MINOR="5")

    assert ended.returncode == 0
    assert ended.stderr == (
        "alliance: ALLIANCE_GRANT_BUGDET_MINOR is no setting and changes nothing; "
        "ALLIANCE_GRANT_BUDGET_MINOR is\n"
    )


def test_a_data_directory_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")

    ended = alliance("serve", "--port", "0", "--data", str(tmp_path / "file"))

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        f"alliance: can not write to the data directory {tmp_path / 'file'}: File exists"
    )
    assert "Traceback" not in ended.stderr


def test_a_data_directory_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")

    with pytest.raises(DatabaseUnavailable, match="Not a directory"):
        DirectoryLock(tmp_path / "file" / "data")
