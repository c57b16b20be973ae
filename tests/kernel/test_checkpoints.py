"""The log of a file is copied back beside the commits, and never grows for ever."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Engine, Integer, LargeBinary, MetaData, Table, event
from sqlalchemy.exc import OperationalError

from kernel.database import Database, checkpoints, open_database
from kernel.database import sqlite as rooms

METADATA = MetaData()
NOTE = Table(
    "note",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("text", LargeBinary, nullable=False),
)
PAGE = 4_096


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(tmp_path / "notes.sqlite", METADATA)
    yield opened
    await opened.close()


def write(key: int) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        connection.execute(NOTE.insert().values(id=key, text=bytes(PAGE)))

    return work


def notes_without_log(path: Path) -> int:
    """How many notes are in the file itself."""
    copy = path.with_name("copy.sqlite")
    shutil.copy(path, copy)
    raw = sqlite3.connect(copy)
    try:
        [[count]] = raw.execute("SELECT count(*) FROM note").fetchall()
    except sqlite3.DatabaseError:  # Copied while it was written, or before its tables were.
        return 0
    finally:
        raw.close()
    return int(count)


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_a_commit_reaches_the_file_itself_though_its_log_is_short(
    file: Database, tmp_path: Path
) -> None:
    await file.transaction(write(1))

    await until(lambda: notes_without_log(tmp_path / "notes.sqlite") == 1)


async def test_a_log_that_a_reader_held_is_copied_once_the_reader_is_gone(
    file: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAUSE_S", 0.01)
    reading, letting_go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(connection: Connection) -> None:
        connection.execute(NOTE.select()).all()
        loop.call_soon_threadsafe(reading.set)
        asyncio.run_coroutine_threadsafe(letting_go.wait(), loop).result()

    reader = asyncio.create_task(file.snapshot(hold))
    await reading.wait()
    for key in range(1, 6):
        await file.transaction(write(key))
    assert notes_without_log(tmp_path / "notes.sqlite") == 0
    letting_go.set()
    await reader
    await file.transaction(write(6))

    await until(lambda: notes_without_log(tmp_path / "notes.sqlite") == 6)


async def test_commits_that_never_pause_begin_the_log_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "LOG_PAGES", 50)
    file = await open_database(tmp_path / "notes.sqlite", METADATA)

    for key in range(300):
        await file.transaction(write(key))

    log = (tmp_path / "notes.sqlite-wal").stat().st_size // PAGE
    await file.close()
    assert log < 100, "300 notes are 900 pages and more"


async def test_a_checkpoint_that_fails_is_told_and_tried_again_after_the_next_commit(
    file: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(checkpoints, "PAUSE_S", 0.01)
    is_broken = True

    def break_checkpoints(_c: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if is_broken and "wal_checkpoint" in statement:
            raise OperationalError(statement, None, sqlite3.OperationalError("disk I/O error"))

    event.listen(Engine, "before_cursor_execute", break_checkpoints)
    try:
        await file.transaction(write(1))
        await until(lambda: "can not checkpoint notes: disk I/O error" in caplog.text)
        assert notes_without_log(tmp_path / "notes.sqlite") == 0

        is_broken = False
        await file.transaction(write(2))

        await until(lambda: notes_without_log(tmp_path / "notes.sqlite") == 2)
    finally:
        event.remove(Engine, "before_cursor_execute", break_checkpoints)
