"""Somebody, or the disk, changes a ledger's file: it shows, and the first wrong place is named."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest
from sqlalchemy.exc import DBAPIError

from kernel.database import DatabaseUnavailable
from kernel.database.sqlite_dialect import connect
from tests.ledger.book import Books

TABLES = ("entry", "lot_move", "ledger_tx")


async def make(path: Path) -> None:
    books = await Books.open(path)
    for number in range(40):
        card = f"m{number % 5}"
        await books.order(f"o{number}", "ABC"[number % 3], card, earned=20 + number)
        if number % 4 == 3:
            await books.refund(f"o{number - 1}", "r1", kept=3)
    await books.close()
    raw = connect(path)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # All of it in the one file.
    raw.close()


async def look(path: Path) -> tuple[str | None, list[tuple[object, ...]]]:
    """What is wrong with a file, None when nothing shows; and what its books say."""
    books = await Books.open(path)
    try:
        [(integrity,)] = await books.rows("PRAGMA integrity_check(1)")
        if integrity != "ok":
            return integrity, []
        report = await books.verify()
        wrong = str(report.findings[0]) if report.findings else None
        entries = await books.rows("SELECT * FROM entry ORDER BY 1, 2, 3")
        return wrong, entries + await books.rows("SELECT * FROM ledger_tx ORDER BY 1, 2")
    finally:
        await books.close()


async def flip_bits(room: Path, flips: int, chance: Random) -> int:
    """How many of so many flipped bits changed something, and were all found."""
    path = room / "ledger.sqlite"
    await make(path)
    _, expected = await look(path)
    whole = path.read_bytes()
    found = 0
    for number in range(flips):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        flipped = room / f"flipped-{number}.sqlite"
        flipped.write_bytes(damaged)
        try:
            wrong, books = await look(flipped)
        except (DatabaseUnavailable, DBAPIError, apsw.Error, ValueError):
            found += 1  # It can not even be read.
            continue
        found += wrong is not None
        assert wrong is not None or books == expected, "the books changed, and nothing shows"
    return found


@pytest.mark.slow
async def test_a_flipped_bit_shows_or_changed_nothing(tmp_path: Path) -> None:
    assert await flip_bits(tmp_path, 40, Random("bits")) > 0


@pytest.mark.soak
async def test_a_thousand_flipped_bits_show_or_changed_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await flip_bits(tmp_path, 1_000, Random("many bits"))

    with capsys.disabled():
        print(f"{found} of 1000 flipped bits showed; the others changed nothing in the books")


@pytest.mark.parametrize("table", TABLES)
async def test_every_column_of_a_booked_row_is_sealed(tmp_path: Path, table: str) -> None:
    path = tmp_path / "ledger.sqlite"
    await make(path)
    whole = path.read_bytes()
    raw = connect(path)
    columns = [(row[1], row[2]) for row in raw.execute(f"PRAGMA table_info({table})")]
    raw.close()

    for name, kind in columns:
        path.write_bytes(whole)
        raw = connect(path)
        raw.execute(f"DROP TRIGGER {table}_no_update")
        changed = (
            f"coalesce({name}, 0) + 1" if kind == "INTEGER" else f"coalesce({name}, '') || 'x'"
        )
        row = raw.execute(f"SELECT max(seq) FROM {table}").fetchone()
        try:
            raw.execute(f"UPDATE {table} SET {name} = {changed} WHERE seq = ?", row)
            assert raw.changes() > 0
        except apsw.ConstraintError:
            raw.close()
            continue  # The table itself objects.
        raw.close()

        wrong, _ = await look(path)

        assert wrong is not None, f"{table}.{name} can be changed unseen"
