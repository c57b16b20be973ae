"""Copies of files that are written meanwhile, as all of them stood at one instant."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert

from kernel.database import Database, DatabaseUnavailable, open_database
from kernel.database.backups import back_up
from kernel.database.sqlite_dialect import connect

METADATA = MetaData()
STEP = Table("step", METADATA, Column("id", Integer, primary_key=True))


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Database, Database]]:
    first, second = [await open_database(tmp_path / f"{n}.db", METADATA) for n in ("a", "b")]
    yield first, second
    await first.close()
    await second.close()


def step(number: int):  # type: ignore[no-untyped-def]
    return lambda connection: connection.execute(insert(STEP).values(id=number)).rowcount


def last_in(path: Path) -> int:
    with closing(connect(path)) as raw:
        [(number,)] = raw.execute("SELECT coalesce(max(id), 0) FROM step")
        return number


async def test_copies_show_one_instant_of_files_that_are_written(
    pair: tuple[Database, Database], tmp_path: Path
) -> None:
    """Each step is taken in one file and then in the other."""
    stopping, progress = asyncio.Event(), asyncio.Event()
    files = (tmp_path / "a.db", tmp_path / "b.db")
    taken = 0

    async def walk() -> None:
        nonlocal taken
        while not stopping.is_set():
            for database in pair:
                await database.transaction(step(taken + 1))
            taken += 1
            progress.set()

    walking = asyncio.create_task(walk())
    behind = []
    for number in range(20):
        copies = [file.with_suffix(f".{number}") for file in files]
        before = taken
        await asyncio.to_thread(back_up, dict(zip(files, copies, strict=True)))
        first, second = map(last_in, copies)
        assert before <= second
        behind.append(first - second)
        while taken < before + 10:
            progress.clear()
            await progress.wait()
    stopping.set()
    await walking

    assert set(behind) <= {0, 1}


async def test_who_writes_one_file_is_not_kept_waiting_for_another(
    pair: tuple[Database, Database], tmp_path: Path
) -> None:
    files = (tmp_path / "a.db", tmp_path / "b.db")
    with closing(connect(files[1])) as busy:
        busy.execute("BEGIN IMMEDIATE")
        copies = {file: file.with_suffix(".copy") for file in files}
        copying = asyncio.create_task(asyncio.to_thread(back_up, copies))

        for number in range(1, 4):
            async with asyncio.timeout(8):  # A writer gives up after ten seconds.
                await pair[0].transaction(step(number))
        assert not copying.done()
        busy.execute("ROLLBACK")
    await copying

    assert last_in(copies[files[0]]) == 3


async def test_a_damaged_file_is_not_copied_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database = await open_database(path, METADATA)
    await database.transaction(
        lambda connection: (
            connection.execute(insert(STEP), [{"id": number} for number in range(5_000)]).rowcount
        )
    )
    await database.close()
    whole = bytearray(path.read_bytes())
    whole[-3 * 4_096 : -2 * 4_096] = bytes(4_096)
    path.write_bytes(whole)

    with pytest.raises(DatabaseUnavailable, match="can not be copied"):
        back_up({path: tmp_path / "copy.db"})
