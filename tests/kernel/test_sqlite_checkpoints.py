"""A log is copied beside the writer, which copies only what was written meanwhile."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import apsw
import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, select

from kernel.database import open_database, sqlite_checkpoints
from kernel.database.sqlite_checkpoints import CHECKPOINT_PAGES, ROUNDS_MAX, Checkpoints
from kernel.database.sqlite_dialect import Connection as SqliteConnection

METADATA = MetaData()
NOTE = Table("note", METADATA, Column("id", Integer, primary_key=True))


class Log:
    """A log that grows with each commit, and begins anew once all of it was copied.

    Attributes:
        kept_from: a reader keeps what is behind this from being copied.
        by_writer: how much there was to copy when the writer copied.
    """

    def __init__(self) -> None:
        self.checkpoints = Checkpoints(Path("test.sqlite"))
        self.pages = 0
        self.copied = 0
        self.kept_from: int | None = None
        self.by_writer: list[int] = []

    def commit(self, pages: int) -> None:
        if self.pages == self.copied and self.kept_from is None:
            self.pages = self.copied = 0
        self.pages += pages
        waiting, before = self.pages - self.copied, self.copied
        assert self.checkpoints.after_commit(self, "main", self.pages) == apsw.SQLITE_OK
        if self.copied > before:
            self.by_writer.append(waiting)

    def copy_beside(self, *, meanwhile: int = 0) -> None:
        """The thread copies what there is while the writer writes so many pages more."""
        self.checkpoints.copy_beside(self)
        self.pages += meanwhile

    def wal_checkpoint(self, *, mode: int) -> tuple[int, int]:
        assert mode == apsw.SQLITE_CHECKPOINT_PASSIVE
        reachable = self.pages if self.kept_from is None else min(self.pages, self.kept_from)
        self.copied = max(self.copied, reachable)
        return self.pages, self.copied

    def pragma(self, name: str, value: int) -> None:
        """It has no room on a disk."""


def test_a_log_is_left_to_the_thread_and_the_rest_of_it_is_not() -> None:
    log = Log()
    for _ in range(10):
        log.commit(CHECKPOINT_PAGES // 10)
    nobody_copied_yet = log.copied
    log.copy_beside(meanwhile=100)
    log.commit(20)
    log.commit(7)

    assert nobody_copied_yet == 0
    assert log.by_writer == [120]
    assert log.pages == 7


def test_what_a_reader_kept_for_long_is_left_to_the_thread_too() -> None:
    log = Log()
    log.kept_from = 10
    for _ in range(20):
        log.commit(CHECKPOINT_PAGES)
    log.kept_from = None
    log.commit(CHECKPOINT_PAGES)
    nobody_copied_yet = log.copied
    log.copy_beside(meanwhile=100)
    log.commit(20)
    log.commit(7)

    assert nobody_copied_yet <= 10
    assert log.by_writer == [120]
    assert log.pages == 7


def test_a_writer_that_outruns_the_thread_waits_for_a_copy_in_the_end() -> None:
    log = Log()

    for _ in range(ROUNDS_MAX + 1):
        log.commit(1)
        log.copy_beside(meanwhile=CHECKPOINT_PAGES)
    log.commit(1)

    assert log.by_writer == [CHECKPOINT_PAGES + 1]


def test_rounds_that_a_reader_cut_short_do_not_count() -> None:
    log = Log()
    log.kept_from = 10
    for _ in range(2 * ROUNDS_MAX):
        log.commit(CHECKPOINT_PAGES)
        log.copy_beside()
    log.kept_from = None

    log.commit(CHECKPOINT_PAGES)

    assert log.by_writer == []


def test_rounds_are_counted_anew_for_a_log_that_began_anew() -> None:
    log = Log()
    for _ in range(2 * ROUNDS_MAX):
        log.commit(CHECKPOINT_PAGES)
        log.copy_beside(meanwhile=0)

    assert log.by_writer == []


def test_what_the_thread_can_not_copy_the_writer_copies() -> None:
    class Broken:
        def wal_checkpoint(self, *, mode: int) -> tuple[int, int]:
            raise apsw.IOError(mode)

        def pragma(self, name: str, value: int) -> None:
            """It has no room on a disk."""

    log = Log()
    log.commit(CHECKPOINT_PAGES)
    log.checkpoints.copy_beside(Broken())
    log.commit(1)
    log.commit(CHECKPOINT_PAGES)

    assert log.by_writer == [CHECKPOINT_PAGES + 1]


@pytest.mark.parametrize("error", [apsw.BusyError, apsw.IOError, apsw.FullError])
@pytest.mark.parametrize("rounds_max", [ROUNDS_MAX, 0])
def test_a_copy_that_fails_does_not_fail_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[apsw.Error], rounds_max: int
) -> None:
    class Broken:
        asked = 0

        def wal_checkpoint(self, *, mode: int) -> tuple[int, int]:
            self.asked += 1
            raise error(mode)

        def pragma(self, name: str, value: int) -> None:
            self.asked += 1
            raise error(value)

    monkeypatch.setattr(sqlite_checkpoints, "ROUNDS_MAX", rounds_max)
    (tmp_path / "test.sqlite-wal").touch()
    checkpoints, broken = Checkpoints(tmp_path / "test.sqlite"), Broken()

    assert checkpoints.after_commit(broken, "main", CHECKPOINT_PAGES) == apsw.SQLITE_OK
    assert broken.asked == (1 if rounds_max else 2)


def test_a_log_that_is_not_found_does_not_fail_the_commit(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "none.sqlite")

    assert checkpoints.after_commit(Log(), "main", CHECKPOINT_PAGES) == apsw.SQLITE_OK


async def test_the_thread_copies_only_what_is_worth_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "CHECKPOINT_PAGES", 50)
    copies: list[tuple[str, int]] = []
    is_copied = threading.Event()
    copy = SqliteConnection.wal_checkpoint

    def watched(self: SqliteConnection, *, mode: int) -> tuple[int, int]:
        pages, copied = copy(self, mode=mode)
        copies.append((threading.current_thread().name, copied))
        is_copied.set()
        return pages, copied

    monkeypatch.setattr(SqliteConnection, "wal_checkpoint", watched)
    database = await open_database(tmp_path / "notes.sqlite", METADATA)
    for _ in range(100):
        await database.transaction(lambda connection: connection.execute(NOTE.insert()))
        if is_copied.is_set():
            break
    was_copied = await asyncio.to_thread(is_copied.wait, 60)
    await database.close()

    assert was_copied
    by, copied = copies[0]
    assert by == "checkpoint-notes"
    assert copied >= 50


async def test_a_commit_does_not_wait_for_what_a_long_reader_left_to_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "CHECKPOINT_PAGES", 10)
    copies: list[tuple[str, int, int]] = []
    is_copied, letting_go, is_kept = threading.Event(), threading.Event(), threading.Event()
    copy = SqliteConnection.wal_checkpoint

    def watched(self: SqliteConnection, *, mode: int) -> tuple[int, int]:
        pages, copied = copy(self, mode=mode)
        copies.append((threading.current_thread().name, pages, copied))
        if pages == copied > 40:
            is_copied.set()
        return pages, copied

    def add(connection: Connection) -> None:
        connection.execute(NOTE.insert())

    def keep(connection: Connection) -> int:
        before = connection.execute(select(func.count()).select_from(NOTE)).scalar_one()
        is_kept.set()
        letting_go.wait(60)
        return before

    monkeypatch.setattr(SqliteConnection, "wal_checkpoint", watched)
    database = await open_database(tmp_path / "notes.sqlite", METADATA)
    await database.transaction(add)
    reader = asyncio.create_task(database.snapshot(keep))
    await asyncio.to_thread(is_kept.wait, 60)
    for _ in range(100):
        await database.transaction(add)
    letting_go.set()
    seen = await reader
    await database.transaction(add)
    was_copied = await asyncio.to_thread(is_copied.wait, 60)
    by, pages, copied = next(each for each in copies if each[1] == each[2] > 40)
    written = 102
    async with asyncio.timeout(60):
        while (lengths := [each[1] for each in copies]) == sorted(lengths):  # Not begun anew.
            await database.transaction(add)
            written += 1
    count = await database.snapshot(keep)
    await database.close()

    assert was_copied
    assert by == "checkpoint-notes"
    assert pages == copied > 100
    assert (seen, count) == (1, written)
