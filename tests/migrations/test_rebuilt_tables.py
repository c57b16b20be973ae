"""A revision that rebuilds a table keeps its rows, its references and its guards."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.exc import IntegrityError

from kernel.database import DatabaseUnavailable, History, open_database
from kernel.database.columns import forbid
from kernel.database.migrating import upgrading
from tests.migrations.histories import make_at, open_as_it_is, revision_of
from tests.places import Places
from tests.structure import structure_of

METADATA = MetaData()
Table(
    "shelf",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("room", Text, nullable=False),
    Column("width", Integer, nullable=False),
    CheckConstraint("id > 0", name="shelf_id"),
    CheckConstraint("width > 0", name="shelf_width"),
    sqlite_strict=True,
)
Table(
    "book",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("shelf_id", Integer, ForeignKey("shelf.id", name="book_shelf"), nullable=False),
)
forbid(METADATA, "shelf", "UPDATE", message="shelves are for ever")
LIBRARY = History("library", METADATA, Path(__file__).parent / "library")
ROWS = ("INSERT INTO shelf VALUES (1, 'hall')", "INSERT INTO book VALUES (7, 1)")


async def make_old(address: str | Path, *statements: str) -> None:
    """A library at the first revision."""
    old = await make_at(address, LIBRARY, "library_0001")
    for statement in statements:
        await old.transaction(lambda c, told=statement: c.exec_driver_sql(told).close())
    await old.close()


def shelves(connection: Connection) -> list[tuple[object, ...]]:
    read = connection.exec_driver_sql
    query = "SELECT shelf.id, room, width, book.id FROM shelf JOIN book ON shelf_id = shelf.id"
    return [tuple(row) for row in read(query)]


@pytest.mark.both_databases
async def test_rows_and_references_survive_and_the_guards_are_back(places: Places) -> None:
    await make_old(places.address("old"), *ROWS)
    new = await open_database(places.address("new"), LIBRARY)

    upgraded = await open_database(places.address("old"), LIBRARY)

    try:
        assert await upgraded.snapshot(shelves) == [(1, "HALL", 1, 7)]
        assert await upgraded.snapshot(structure_of) == await new.snapshot(structure_of)
        for statement in ("UPDATE shelf SET width = 2", "INSERT INTO book VALUES (8, 9)"):
            with pytest.raises(IntegrityError):
                await upgraded.transaction(
                    lambda c, told=statement: c.exec_driver_sql(told).close()
                )
    finally:
        await upgraded.close()
        await new.close()


@pytest.mark.sqlite
async def test_a_reference_that_leads_nowhere_undoes_the_upgrade(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = places.address("old")
    await make_old(address, *ROWS)
    old = await open_as_it_is(address)
    before = await old.snapshot(structure_of)
    await old.close()
    make_guards = upgrading._make_guards

    def lose_a_shelf(connection: Connection, metadata: MetaData) -> None:
        connection.exec_driver_sql("DELETE FROM shelf")
        make_guards(connection, metadata)

    monkeypatch.setattr(upgrading, "_make_guards", lose_a_shelf)

    with pytest.raises(DatabaseUnavailable, match="is gone"):
        await open_database(address, LIBRARY)

    old = await open_as_it_is(address)
    assert await old.snapshot(structure_of) == before
    assert await old.snapshot(revision_of) == "library_0001"
    await old.close()
