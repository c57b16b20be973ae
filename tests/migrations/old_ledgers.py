"""A ledger with history, as the first revision of its tables kept it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from kernel.database import Database
from ledger.migrations import HISTORY
from tests.ledger.book import Books
from tests.migrations.histories import make_at, open_as_it_is

FIRST = "ledger_0001"
LATER = {
    "card_alias",
    "deposit_entry",
    "expiry_notice",
    "merged_part",
    "outbox",
    "outbox_cursor",
    "statement_step",
}
Rows = dict[str, list[tuple[Any, ...]]]


def tables() -> list[Table]:
    """Those of the first revision; where lanes stand comes last, since it closes months."""
    kept = [table for table in HISTORY.metadata.sorted_tables if table.name not in LATER]
    return sorted(kept, key=lambda table: table.name == "lane_head")


def rows_of(connection: Connection) -> Rows:
    """Every row of those tables."""
    return {
        table.name: [
            tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
        ]
        for table in tables()
    }


def entries_of(connection: Connection) -> int:
    """How many entries there are."""
    entry = HISTORY.metadata.tables["entry"]
    count: int = connection.execute(select(func.count()).select_from(entry)).scalar_one()
    return count


async def book_history(address: str | Path) -> None:
    """Orders, a refund, coins, a hold and a closed month."""
    books = await Books.open(address)
    for number in range(12):
        await books.order(f"o{number}", "ABC"[number % 3], f"m{number % 4}", earned=100 + number)
    await books.grant("thanks", "m1", 500)
    await books.hold("open", "m2", 50)
    await books.order("spent", "B", "m1", spent=60, coins=20, earned=5)
    books.clock.set(books.now + timedelta(days=40))
    await books.refund("o3", "r1", kept=20)
    await books.close()


async def make_old(address: str | Path, source: str | Path) -> Rows:
    """A ledger at the first revision, with the rows of the one at `source`."""
    await book_history(source)
    new = await open_as_it_is(source)
    rows = await new.snapshot(rows_of)
    await new.close()
    old = await make_at(address, HISTORY, FIRST)
    await copy_into(old, rows)
    await old.close()
    return rows


async def copy_into(database: Database, rows: Rows) -> None:
    """Writes the rows as the first revision's triggers allow it."""

    def copy(connection: Connection) -> None:
        for table in tables():
            names = [column.name for column in table.columns]
            if rows[table.name]:
                connection.execute(
                    insert(table), [dict(zip(names, row, strict=True)) for row in rows[table.name]]
                )

    await database.transaction(copy)
