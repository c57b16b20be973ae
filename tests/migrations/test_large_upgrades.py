"""A large ledger is upgraded: nothing of it is lost, and every guard is back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kernel.database import open_database
from ledger.bench.clients import fill
from ledger.bench.workloads import history
from ledger.migrations import HISTORY
from tests.ledger.book import Books
from tests.migrations.histories import open_as_it_is, revision_of
from tests.migrations.old_ledgers import FIRST, LATER, entries_of
from tests.structure import structure_of

SIZES = [2_000, pytest.param(1_000_000, marks=pytest.mark.soak)]


async def set_back(path: Path) -> None:
    """Takes away what the first revision did not have."""
    database = await open_as_it_is(path)
    for statement in (
        *(f"DROP TABLE {table}" for table in sorted(LATER)),
        "DROP INDEX ledger_tx_late",
        "DROP INDEX hold_of_card",
        f"UPDATE alembic_version SET version_num = '{FIRST}'",
    ):
        await database.transaction(lambda c, told=statement: c.exec_driver_sql(told).close())
    await database.close()


@pytest.mark.sqlite
@pytest.mark.parametrize("entries", SIZES)
async def test_a_large_ledger_is_upgraded_whole(
    tmp_path: Path, entries: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ledger.sqlite"
    await fill(path, history(entries * 3 // 2))
    database = await open_as_it_is(path)
    whole, booked = await database.snapshot(structure_of), await database.snapshot(entries_of)
    await database.close()
    await set_back(path)

    begun = time.perf_counter()
    upgraded = await open_database(path, HISTORY)
    seconds = time.perf_counter() - begun
    found = await upgraded.snapshot(structure_of), await upgraded.snapshot(entries_of)
    revision = await upgraded.snapshot(revision_of)
    await upgraded.close()
    books = await Books.open(path)
    report = await books.verify()
    await books.close()

    with capsys.disabled():
        print(f"upgraded {booked:,} entries in {seconds:.1f} s; sound: {report.is_sound}")
    assert booked >= entries
    assert found == (whole, booked)
    assert revision == HISTORY.head
    assert (report.is_sound, report.entries) == (True, booked)
