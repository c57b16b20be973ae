"""An old ledger is opened: every row stays, what is missing comes, and nothing else happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from kernel.database import Database, History, open_database
from ledger.migrations import HISTORY
from tests.ledger.book import Books
from tests.migrations.histories import open_as_it_is, revision_of
from tests.migrations.old_ledgers import FIRST, make_old, rows_of
from tests.places import Places
from tests.structure import structure_of


@asynccontextmanager
async def opened(address: str | Path, history: History | None = None) -> AsyncIterator[Database]:
    """The database; as it is, when no history is given."""
    database = await (open_database(address, history) if history else open_as_it_is(address))
    try:
        yield database
    finally:
        await database.close()


@pytest.mark.both_databases
async def test_an_upgrade_keeps_every_row_and_the_books_are_sound(places: Places) -> None:
    address = places.address("old")
    rows = await make_old(address, places.address("source"))
    async with opened(address) as old:
        assert await old.snapshot(revision_of) == FIRST
        assert "outbox" not in await old.snapshot(structure_of)

    books = await Books.open(address)
    report = await books.verify()
    await books.order("after", "A", "m1", earned=7)
    after = await books.verify()
    await books.close()

    assert report.is_sound
    assert after.is_sound
    assert (report.transactions, after.transactions) == (15, 16)
    async with opened(address) as upgraded, opened(places.address("source")) as new:
        kept = await upgraded.snapshot(rows_of)
        assert all(set(rows[name]) <= set(kept[name]) for name in ("entry", "lot_move", "block"))
        assert await upgraded.snapshot(revision_of) == HISTORY.head
        assert await upgraded.snapshot(structure_of) == await new.snapshot(structure_of)


@pytest.mark.both_databases
async def test_an_upgrade_changes_no_row_of_the_tables_it_finds(places: Places) -> None:
    rows = await make_old(places.address("old"), places.address("source"))

    async with opened(places.address("old"), HISTORY) as upgraded:
        assert await upgraded.snapshot(rows_of) == rows
        with pytest.raises(IntegrityError, match="for ever"):
            await upgraded.transaction(
                lambda connection: connection.exec_driver_sql("DELETE FROM entry").close()
            )


@pytest.mark.postgresql
async def test_gateways_that_open_at_once_upgrade_once(places: Places) -> None:
    rows = await make_old(places.address("old"), places.address("source"))

    gateways = await asyncio.gather(
        *(open_database(places.address("old"), HISTORY) for _ in range(4))
    )

    for gateway in gateways:
        assert await gateway.snapshot(revision_of) == HISTORY.head
        assert await gateway.snapshot(rows_of) == rows
        await gateway.close()
