"""A sweep that is killed at a statement leaves nothing half done, and the next one ends it."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kernel.database.sqlite_dialect import connect
from tests.ledger.book import MARCH, Books

ROOT = Path(__file__).parents[2]
LATER = MARCH + timedelta(days=60)


async def make(path: Path) -> None:
    """Lots of three cards that are due, partly spent, held or owed."""
    books = await Books.open(path)
    for number in range(6):
        days = timedelta(days=10 + number % 3)
        card = f"m{number % 3}"
        await books.order(f"o{number}", "A", card, earned=50 + number, expires_in=days)
    await books.order("spent", "B", "m0", spent=30)
    await books.hold("t1", "m1", 20)
    await books.refund("o2", "r1", kept=0)
    await books.close()
    raw = connect(path)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # All of it in the one file.
    raw.close()


async def killed_at(path: Path, now: datetime, statement: int) -> bool:
    """Whether the sweep got as far as that statement, and was killed there."""
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.sweep_victim", str(path), now.isoformat(),
        str(statement), cwd=ROOT,
    )  # fmt: skip
    code = await asyncio.wait_for(victim.wait(), 60)
    assert code in (0, -signal.SIGKILL)
    return code != 0


async def swept(path: Path) -> list[tuple[object, ...]]:
    """What is there once a whole sweep ran."""
    books = await Books.open(path)
    try:
        assert (await books.verify()).is_sound
        books.clock.set(LATER)
        await books.sweep()
        assert (await books.verify()).is_sound
        return await books.rows(
            "SELECT card_id, kind, points, points_after FROM card_entry "
            "ORDER BY card_id, points_after, points"
        ) + await books.rows("SELECT id, remaining, held FROM lot ORDER BY id")
    finally:
        await books.close()


async def kill_at_each(room: Path, statements: range) -> int:
    """How many of the statements the sweep has."""
    await make(room / "seed.sqlite")
    whole = room / "whole.sqlite"
    shutil.copy(room / "seed.sqlite", whole)
    expected = await swept(whole)
    for number in statements:
        path = room / f"killed-{number}.sqlite"
        shutil.copy(room / "seed.sqlite", path)
        if not await killed_at(path, LATER, number):
            return number - 1
        assert await swept(path) == expected
    return statements[-1]


@pytest.mark.slow
async def test_a_sweep_killed_here_and_there_is_finished_by_the_next(tmp_path: Path) -> None:
    assert await kill_at_each(tmp_path, range(3, 24, 10)) > 0


@pytest.mark.soak
async def test_a_sweep_killed_at_each_statement_is_finished_by_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statements = await kill_at_each(tmp_path, range(1, 1_000))

    with capsys.disabled():
        print(f"killed at each of {statements} statements")
    assert statements > 20
