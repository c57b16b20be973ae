import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import apsw
import pytest
from sqlalchemy import CheckConstraint, Column, Connection, Integer, MetaData, Table, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from kernel.database import (
    Database,
    DatabaseUnavailable,
    DirectoryInUse,
    DirectoryLock,
    open_database,
    sqlite_checkpoints,
)
from kernel.database import sqlite as rooms
from tests.places import Places

METADATA = MetaData()
NOTE = Table(
    "note",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("amount", Integer, CheckConstraint("amount >= 0"), nullable=False),
)


on_both = pytest.mark.both_databases


@pytest.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    opened = await open_database(places.address("notes"), METADATA)
    yield opened
    await opened.close()


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(tmp_path / "notes.sqlite", METADATA)
    yield opened
    await opened.close()


def write(key: int, amount: int = 1):  # type: ignore[no-untyped-def]
    def work(connection: Connection) -> int:
        connection.execute(NOTE.insert().values(id=key, amount=amount))
        return key

    return work


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(NOTE)).scalar_one()


@on_both
async def test_what_was_written_is_read(database: Database) -> None:
    assert await database.transaction(write(1)) == 1
    assert await database.snapshot(count) == 1


@on_both
async def test_a_failed_write_costs_only_itself_among_many_that_commit_together(
    database: Database,
) -> None:
    keys = [*range(100), 50, 51]

    results = await asyncio.gather(
        *(database.transaction(write(key)) for key in keys), return_exceptions=True
    )

    assert [r for r in results if isinstance(r, IntegrityError)] == results[100:]
    assert await database.snapshot(count) == 100


@on_both
async def test_a_constraint_rolls_back_all_that_its_work_wrote(database: Database) -> None:
    def work(connection: Connection) -> None:
        write(1)(connection)
        write(2, -1)(connection)

    with pytest.raises(IntegrityError):
        await database.transaction(work)

    assert await database.snapshot(count) == 0


@on_both
async def test_a_reader_can_not_write(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="nothing was read"):
        await database.snapshot(write(1))


@on_both
async def test_a_database_answers_until_it_is_closed(database: Database) -> None:
    assert await database.answers_within(10)

    await database.close()

    assert not await database.answers_within(10)


async def test_a_database_whose_readers_are_all_busy_does_not_answer(file: Database) -> None:
    letting_go = threading.Event()
    reading = [file.snapshot(lambda _: letting_go.wait(60)) for _ in range(rooms.READERS)]
    readers = [asyncio.create_task(each) for each in reading]
    await asyncio.sleep(0)

    answered_when_busy = await file.answers_within(0.05)
    letting_go.set()
    await asyncio.gather(*readers)

    assert not answered_when_busy
    assert await file.answers_within(10)


@on_both
async def test_what_a_failure_tells_clients_names_no_table(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable) as failed:
        await database.snapshot(lambda c: c.exec_driver_sql("SELECT * FROM secret_table"))

    assert "secret_table" not in str(failed.value)
    assert failed.value.extensions == {"code": "SUBGRAPH_UNAVAILABLE"}


async def test_a_full_disk_keeps_nothing_of_the_batch_and_service_resumes(
    file: Database,
) -> None:
    await file.transaction(write(0))
    pages = await file.transaction(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one())
    await file.transaction(
        lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar_one()
    )

    def fill(connection: Connection) -> None:
        for key in range(1, 5_000):
            write(key)(connection)

    results = await asyncio.gather(
        file.transaction(fill), file.transaction(fill), return_exceptions=True
    )

    assert all(isinstance(result, DatabaseUnavailable) for result in results)
    assert await file.snapshot(count) == 1
    await file.transaction(
        lambda c: c.exec_driver_sql("PRAGMA max_page_count=1000000").scalar_one()
    )
    assert await file.transaction(write(7)) == 7


async def test_a_log_that_grew_behind_a_long_reader_gives_its_disk_back_little_by_little(
    file: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "CHECKPOINT_PAGES", 10)
    monkeypatch.setattr(sqlite_checkpoints, "PAUSE_S", 0.001)
    monkeypatch.setattr(sqlite_checkpoints, "BYTES_KEPT", 1_000_000)
    monkeypatch.setattr(sqlite_checkpoints, "GIVEN_BACK_MAX", 2_000_000)
    log, letting_go, is_kept = tmp_path / "notes.sqlite-wal", threading.Event(), threading.Event()

    def keep(connection: Connection) -> None:
        count(connection)
        is_kept.set()
        letting_go.wait(60)

    def fill_log(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE filler AS SELECT zeroblob(9000000) AS bytes")

    reader = asyncio.create_task(file.snapshot(keep))
    await asyncio.to_thread(is_kept.wait, 60)
    await file.transaction(fill_log)
    sizes = [log.stat().st_size]
    letting_go.set()
    await reader
    async with asyncio.timeout(60):
        while sizes[-1] > 1_000_000:
            await file.transaction(write(len(sizes)))
            sizes.append(log.stat().st_size)

    assert sizes[0] > 9_000_000
    assert max(before - after for before, after in pairwise(sizes)) <= 2_000_000
    assert await file.snapshot(count) == len(sizes) - 1


async def test_a_rollback_that_fails_leaves_a_writer_that_goes_on(
    file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, failing = rooms.run, ["COMMIT", "ROLLBACK"]

    def fail_once(connection: Connection, statement: str) -> None:
        if statement in failing:
            failing.remove(statement)
            raise OperationalError(statement, None, apsw.FullError("disk I/O error"))
        run(connection, statement)

    monkeypatch.setattr(rooms, "run", fail_once)

    async with asyncio.timeout(10):
        with pytest.raises(DatabaseUnavailable):
            await file.transaction(write(1))
        with pytest.raises(DatabaseUnavailable):
            await file.transaction(write(2))
        assert await file.transaction(write(3)) == 3
    assert await file.snapshot(count) == 1


@on_both
async def test_cancelling_the_caller_does_not_undo_what_was_begun(database: Database) -> None:
    task = asyncio.create_task(database.transaction(write(1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with asyncio.timeout(10):  # On a server it goes on beside what comes later.
        while await database.snapshot(count) == 0:
            pass


async def test_commits_are_durable_before_they_are_answered(file: Database) -> None:
    synchronous = await file.transaction(
        lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar_one()
    )
    mode = await file.snapshot(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar_one())

    assert (synchronous, mode) == (2, "wal")


@on_both
async def test_a_closed_database_says_so(places: Places) -> None:
    database = await open_database(places.address("notes"), METADATA)
    await database.close()
    await database.close()

    with pytest.raises(DatabaseUnavailable, match="closed"):
        await database.transaction(count)


async def test_a_path_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.sqlite").mkdir()

    with pytest.raises(DatabaseUnavailable, match="can not open"):
        await open_database(tmp_path / "notes.sqlite", METADATA)


def test_a_second_server_on_a_directory_is_refused_until_the_first_is_gone(
    tmp_path: Path,
) -> None:
    hold = "import sys; from pathlib import Path; from kernel.database import DirectoryLock\n"
    hold += "lock = DirectoryLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(DirectoryInUse):
            DirectoryLock(tmp_path)
        other.kill()

    DirectoryLock(tmp_path).release()


def test_the_errors_of_the_driver_stay_inside(tmp_path: Path) -> None:
    assert not issubclass(DatabaseUnavailable, OperationalError)


LEAVES_IT_OPEN = """
import asyncio, sys
from sqlalchemy import MetaData, text
from kernel.database import open_database

async def main():
    database = await open_database(sys.argv[1], MetaData())
    await database.snapshot(lambda connection: connection.execute(text("SELECT 1")).all())
    raise SystemExit("left open")

asyncio.run(main())
"""


def test_a_process_that_fails_with_a_database_open_ends(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LEAVES_IT_OPEN, str(tmp_path / "notes.sqlite")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (ended.returncode, ended.stderr) == (1, "left open\n")
