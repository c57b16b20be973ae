"""Copies of SQLite files that others write, all as they stood at one instant."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import apsw

from kernel.database.interface import DatabaseUnavailable
from kernel.database.sqlite_dialect import BUSY_TIMEOUT_MS, Connection, connect

OTHERS_WAIT_MS = 200
"""How long those who write one file may wait for another to be free."""

PAUSE_SECONDS = 0.3
"""For them to go on: who waits looks ten times a second whether a file is free."""

ATTEMPTS_MAX = 40


def back_up(copies: Mapping[Path, Path]) -> None:
    """Copies files, each to a path where there is none yet, as all of them stood at one instant.

    Whoever writes them waits while the instant is chosen, some milliseconds, and goes on while the
    pages are copied. What was committed before the call is in the copies, which are on the disk
    when it returns.

    Raises:
        DatabaseUnavailable: a file can not be read, or is busy for long; a copy can not be
            written, or is damaged as its file is. Some copies may lie there.
    """
    try:
        with ExitStack() as stack:
            sources = [stack.enter_context(closing(connect(path))) for path in copies]
            _stand_still(sources, copies)
            for source, target in zip(sources, copies.values(), strict=True):
                _copy(source, target)
    except apsw.Error as error:
        raise DatabaseUnavailable(f"the databases can not be copied: {error}") from error


def _stand_still(sources: Iterable[Connection], paths: Iterable[Path]) -> None:
    """Lets each connection see its file as it is while nobody writes any of them."""
    with ExitStack() as stack:
        _lock([stack.enter_context(closing(connect(path))) for path in paths])
        for source in sources:
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchall()


def _lock(files: Sequence[Connection]) -> None:
    """Locks all files against writing; for one that is busy, others are not kept waiting."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            for number, file in enumerate(files):
                file.set_busy_timeout(OTHERS_WAIT_MS if number else BUSY_TIMEOUT_MS)
                file.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            for file in files:
                file.rollback()
            if attempt == ATTEMPTS_MAX:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _copy(source: Connection, path: Path) -> None:
    with closing(connect(path)) as target:
        target.execute("PRAGMA synchronous=FULL").fetchall()
        with target.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step()
        [(found,)] = target.execute("PRAGMA quick_check(1)")
        if found != "ok":
            raise apsw.CorruptError(f"{path.name}: {found}")
