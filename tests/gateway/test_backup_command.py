"""`alliance backup`, as people type it."""

import asyncio
import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.access.signing_keys import DEVELOPMENT_KEY_FILE
from gateway.assembly.data_directory import open_alliance
from gateway.cli import app
from gateway.commands.failures import CommandFailed
from kernel.clock import SetClock
from kernel.database import DatabaseUnavailable
from kernel.ids import SeededIds
from tests.ledger.book import MARCH, Books


async def run(*words: str | Path) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, [*map(str, words)])


def names_in(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    """Of an alliance with one order and a key."""
    made = tmp_path / "alliance"
    async with open_alliance(made, clock=SetClock(MARCH), ids=SeededIds("made")):
        pass
    books = await Books.open(made / "ledger.db")
    await books.order("o1", "A", "m1", earned=500)
    await books.close()
    await run("token", "--as", "admin", "--subject", "ada", "--data", made)
    return made


async def test_a_copy_taken_beside_a_server_opens_and_proves_as_the_original(
    directory: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    async with open_alliance(directory, clock=SetClock(MARCH), ids=SeededIds("server")):
        told = await run("backup", copy, "--data", directory)
        original = await run("verify", "--data", directory)

    assert told.exit_code == 0, told.exception
    assert told.stdout.startswith(f"{copy} holds the alliance as it stood after 20")
    assert names_in(copy) == ["alliance.db", DEVELOPMENT_KEY_FILE, "ledger.db", "merchants.db"]
    assert os.stat(copy / DEVELOPMENT_KEY_FILE).st_mode & 0o777 == 0o600
    proved = await run("verify", "--data", copy)
    assert "1 transactions" in proved.stdout
    assert proved.stdout == original.stdout
    async with open_alliance(copy, clock=SetClock(MARCH), ids=SeededIds("restored")):
        pass


async def test_nothing_is_written_over_a_backup(directory: Path, tmp_path: Path) -> None:
    await run("backup", tmp_path / "copy", "--data", directory)

    again = await run("backup", tmp_path / "copy", "--data", directory)

    assert isinstance(again.exception, CommandFailed)
    assert "exists: nothing is written over a backup" in str(again.exception)


async def test_a_backup_that_fails_leaves_nothing(directory: Path, tmp_path: Path) -> None:
    (directory / "merchants.db").write_bytes(b"no database" * 1_000)

    told = await run("backup", tmp_path / "copy", "--data", directory)

    assert isinstance(told.exception, DatabaseUnavailable)
    assert names_in(tmp_path) == ["alliance"]


async def test_a_place_that_is_missing_is_told(directory: Path, tmp_path: Path) -> None:
    told = await run("backup", tmp_path / "no" / "copy", "--data", directory)

    assert isinstance(told.exception, CommandFailed)
    assert str(told.exception).endswith("copy: No such file or directory")


async def test_databases_on_a_server_are_left_to_its_own_tools(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLIANCE_LEDGER_DATABASE_URL", "postgresql://host/ledger")

    told = await run("backup", tmp_path / "copy", "--data", directory)

    assert isinstance(told.exception, CommandFailed)
    assert "PostgreSQL" in str(told.exception)
