"""SQLite by apsw: what callers and SQLAlchemy rely on that another driver did otherwise."""

import os
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, delete, insert, select

from kernel.database import Database, DatabaseUnavailable, open_database
from kernel.database import sqlite as rooms
from kernel.database.sqlite_dialect import connect
from kernel.statements import Prepared, driver_connection

METADATA = MetaData()
NAME = Table("name", METADATA, Column("id", Integer, primary_key=True), Column("text", String))
ADD = Prepared("INSERT INTO name (id, text) VALUES (:id, :text)")
TEXTS = Prepared("SELECT id, text FROM name ORDER BY id")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "names.sqlite"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    opened = await open_database(path, METADATA)
    yield opened
    await opened.close()


def open_files() -> set[str]:
    return {os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")}


def names_in(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def times_in(path: Path, text: bytes) -> int:
    return path.read_bytes().count(text)


def add(key: int, text: str):  # type: ignore[no-untyped-def]
    return lambda connection: connection.execute(insert(NAME).values(id=key, text=text)).rowcount


async def test_a_file_is_let_go_of_whatever_callers_keep(path: Path) -> None:
    database = await open_database(path, METADATA)
    for number in range(3):
        await database.transaction(add(number, "Ada"))
    kept: list[object] = []

    def read_half(connection: Connection) -> None:
        streaming = connection.execution_options(stream_results=True, max_row_buffer=1)
        rows = streaming.execute(select(NAME))
        prepared = connection.execute(TEXTS)
        kept.extend((rows, rows.fetchone(), prepared))

    await database.snapshot(read_half)
    with pytest.raises(OverflowError) as error:
        await database.transaction(lambda c: c.execute(ADD, {"id": 2**70, "text": "Ada"}).all())
    kept.append(error.value)

    await database.close()

    assert names_in(path.parent) == [path.name]
    assert str(path) not in open_files()


async def test_a_statement_on_the_busy_paths_has_a_cursor_of_the_driver_itself(
    database: Database,
) -> None:
    kinds = await database.snapshot(
        lambda connection: {
            type(connection.execute(TEXTS)._cursor),
            type(driver_connection(connection).execute("SELECT 1")),
        }
    )

    assert kinds == {apsw.Cursor}


async def test_columns_are_known_of_rows_that_are_not_there(database: Database) -> None:
    def look(connection: Connection) -> tuple[object, ...]:
        result = connection.execute(select(NAME))
        prepared = connection.execute(TEXTS)
        return list(result.keys()), result.all(), prepared.all(), prepared.one_or_none()

    assert await database.snapshot(look) == (["id", "text"], [], [], None)


async def test_a_statement_that_gives_no_rows_gives_none(database: Database) -> None:
    given = {"id": 1, "text": "Ada"}

    assert await database.transaction(lambda c: c.execute(ADD, given).all()) == []
    assert await database.transaction(lambda c: c.execute(ADD, {**given, "id": 2}).scalar()) is None


async def test_what_was_deleted_is_not_left_in_the_file(path: Path) -> None:
    database = await open_database(path, METADATA)
    for number in range(100):
        await database.transaction(add(number, f"forget me, {number}"))
    await database.close()
    assert times_in(path, b"forget me") == 100

    database = await open_database(path, METADATA)
    await database.transaction(lambda connection: connection.execute(delete(NAME)).rowcount)
    await database.close()

    assert times_in(path, b"forget me") == 0


@pytest.mark.parametrize("statement", [select(NAME), TEXTS], ids=["by SQLAlchemy", "prepared"])
async def test_damaged_text_is_an_error_of_the_database(
    path: Path, database: Database, statement: object, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(connect(path)) as raw:
        raw.execute("INSERT INTO name VALUES (1, CAST(x'ff' AS TEXT))")

    with pytest.raises(DatabaseUnavailable):
        await database.snapshot(lambda connection: connection.execute(statement).all())

    assert "nothing was read" in caplog.text


async def test_a_library_that_can_lose_commits_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "sqlite_version_info", (3, 51, 2))

    with pytest.raises(DatabaseUnavailable, match=r"3\.51\.3 or newer"):
        await open_database(path, METADATA)

    assert names_in(path.parent) == []


async def test_a_path_that_is_not_utf_8_can_not_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="not UTF-8"):
        await open_database(tmp_path / os.fsdecode(b"\xff.sqlite"), METADATA)


@pytest.mark.parametrize("name", ["a?b.sqlite", "a#b%20.sqlite", "file:ä b.sqlite"])
async def test_a_path_is_a_path_whatever_its_characters(tmp_path: Path, name: str) -> None:
    database = await open_database(tmp_path / name, METADATA)
    await database.transaction(add(1, "Ada"))
    await database.close()

    assert names_in(tmp_path) == [name]
