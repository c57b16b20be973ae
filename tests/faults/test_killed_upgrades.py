"""A process that upgrades a ledger is killed in the middle, again and again, on one database."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.migrations import HISTORY
from tests.ledger.book import Books
from tests.migrations.histories import open_as_it_is, revision_of
from tests.migrations.old_ledgers import FIRST, make_old, rows_of
from tests.places import Places
from tests.structure import Structure, structure_of

ROOT = Path(__file__).parents[2]
STATEMENTS = (6, 25, 45, 60, 400)
"""Where it is killed: while triggers go, tables come, triggers come; in the end not at all."""


def upgrade(address: str | Path, last: int) -> int:
    command = [sys.executable, "-m", "tests.faults.upgrade_victim", str(address), str(last)]
    return subprocess.run(command, cwd=ROOT, timeout=120, check=False).returncode


async def state_of(address: str | Path) -> tuple[str, Structure]:
    database = await open_as_it_is(address)
    try:
        return await database.snapshot(revision_of), await database.snapshot(structure_of)
    finally:
        await database.close()


@pytest.mark.slow
@pytest.mark.both_databases
async def test_a_killed_upgrade_leaves_the_old_revision_whole(places: Places) -> None:
    address = places.address("old")
    rows = await make_old(address, places.address("source"))
    old, new = await state_of(address), await state_of(places.address("source"))
    assert (old[0], new[0]) == (FIRST, HISTORY.head)

    ends = []
    for last in STATEMENTS:
        ends.append(upgrade(address, last))
        expected = new if ends[-1] == 0 else old
        assert await state_of(address) == expected

    assert ends == [-signal.SIGKILL] * (len(STATEMENTS) - 1) + [0]
    database = await open_as_it_is(address)
    assert await database.snapshot(rows_of) == rows
    await database.close()
    books = await Books.open(address)
    assert (await books.verify()).is_sound
    await books.close()
