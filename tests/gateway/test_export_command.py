"""`alliance export`, as people type it."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.assembly.data_directory import open_alliance
from gateway.assembly.databases import Databases
from gateway.cli import app
from gateway.commands.failures import CommandFailed
from kernel.clock import SetClock
from kernel.database import DirectoryInUse, DirectoryLock
from kernel.database.sqlite_dialect import connect
from kernel.ids import SeededIds
from tests.ledger.book import MARCH, Books


async def run(directory: Path, *words: str) -> Result:
    command = ["export", "--data", str(directory), *words]
    return await asyncio.to_thread(CliRunner().invoke, app, command)


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    books = await Books.open(Databases.in_files_of(tmp_path).ledger)
    await books.order("o1", "A", "m1", earned=500)
    await books.close()
    return tmp_path


async def test_a_period_is_written_to_the_output_or_to_a_file(directory: Path) -> None:
    shown = await run(directory, "--period", "2026-03")
    file = directory / "march.ndjson"
    kept = await run(directory, "--period", "2026-03", "--output", str(file))

    assert (shown.exit_code, kept.exit_code, kept.stdout) == (0, 0, "")
    assert shown.stdout_bytes == file.read_bytes()
    header = json.loads(shown.stdout.splitlines()[0])
    assert header["nets"] == {"A": -525, "ALLIANCE": 25, "POOL": 500}


async def test_one_merchants_part_is_written_as_csv(directory: Path) -> None:
    told = await run(directory, "--period", "2026-03", "--format", "csv", "--merchant", "A")

    header, columns, *rows = told.stdout.splitlines()
    assert json.loads(header.removeprefix("# "))["totals"]["sum"] == -525
    assert columns.startswith("id,effective_at,")
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--period", "March"], "--period: not a month like 2026-03: 'March'"),
        (["--period", "2026-03", "--merchant", "B"], "B has no entries in 2026-03"),
        (["--period", "2062-03"], "there are no entries in 2062-03"),
    ],
)
async def test_what_can_not_be_exported_is_told_and_leaves_the_file_as_it_was(
    directory: Path, words: list[str], told: str
) -> None:
    file = directory / "march.ndjson"
    file.write_text("an earlier export")

    result = await run(directory, *words, "--output", str(file))

    assert isinstance(result.exception, CommandFailed)
    assert str(result.exception) == told
    assert file.read_text() == "an earlier export"
    assert not file.with_name("march.ndjson.part").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
async def test_a_file_that_can_not_be_written_is_told(directory: Path) -> None:
    missing = str(directory / "nowhere" / "march.ndjson")
    answers = [
        await run(directory, "--period", "2026-03", "--output", where)
        for where in ("/dev/full", missing)
    ]

    assert all(isinstance(each.exception, CommandFailed) for each in answers)
    assert [str(each.exception) for each in answers] == [
        "can not write /dev/full: No space left on device",
        f"can not write {missing}: No such file or directory",
    ]


@pytest.mark.parametrize(
    "words",
    [["export", "--period", "2026-03"], ["liability"], ["verify"]],
    ids=lambda words: words[0],
)
async def test_the_ledger_is_read_beside_a_server(directory: Path, words: list[str]) -> None:
    alone = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--data", str(directory)])
    async with open_alliance(directory, clock=SetClock(MARCH), ids=SeededIds("server")):
        beside = await asyncio.to_thread(
            CliRunner().invoke, app, [*words, "--data", str(directory)]
        )

    assert (beside.exit_code, beside.exception) == (0, None)
    assert beside.stdout == alone.stdout


async def test_nothing_is_upgraded_under_a_server(directory: Path) -> None:
    raw = connect(Databases.in_files_of(directory).ledger)
    raw.execute("UPDATE alembic_version SET version_num = 'ledger_0001'")
    raw.close()
    server = DirectoryLock(directory)

    told = await run(directory, "--period", "2026-03")

    server.release()
    assert isinstance(told.exception, DirectoryInUse)
