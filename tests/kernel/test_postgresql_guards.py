"""What tables on PostgreSQL refuse to have written, by guards and partial indexes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, update
from sqlalchemy.exc import IntegrityError

from kernel.database import Database, open_database
from kernel.database.columns import forbid, partial_index
from tests.places import Places

pytestmark = pytest.mark.postgresql

METADATA = MetaData()
NOTE = Table("note", METADATA, Column("id", Integer, primary_key=True), Column("kind", Text))
partial_index("note_one_red", NOTE.c.kind, where="kind = 'red'", unique=True)
STONE = Table("stone", METADATA, Column("id", Integer, primary_key=True), Column("weight", Integer))
forbid(METADATA, "stone", "DELETE", message="stones are 100% for ever")
forbid(METADATA, "stone", "UPDATE", message="it is too heavy", when="NEW.weight > OLD.weight")
PEBBLE = Table(
    "pebble", METADATA, Column("id", Integer, primary_key=True), Column("weight", Integer)
)
for action in ("INSERT", "UPDATE"):
    forbid(
        METADATA, "pebble", action, message="no stone is as heavy",
        when="NEW.weight > (SELECT max(weight) FROM stone)",
    )  # fmt: skip


@pytest.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    opened = await open_database(places.address("guarded"), METADATA)
    yield opened
    await opened.close()


async def test_rows_that_are_for_ever_stay(database: Database) -> None:
    await database.transaction(lambda c: c.execute(insert(STONE).values(id=1, weight=5)).rowcount)

    with pytest.raises(IntegrityError, match="stones are 100% for ever"):
        await database.transaction(lambda c: c.execute(STONE.delete()))
    with pytest.raises(IntegrityError, match="too heavy"):
        await database.transaction(lambda c: c.execute(update(STONE).values(weight=6)))

    changed = await database.transaction(
        lambda c: c.execute(update(STONE).values(weight=4)).rowcount
    )
    assert changed == 1


async def test_rows_that_are_for_ever_are_not_truncated_either(database: Database) -> None:
    await database.transaction(lambda c: c.execute(insert(STONE).values(id=1, weight=5)).rowcount)

    with pytest.raises(IntegrityError, match="stones are 100% for ever"):
        await database.transaction(lambda c: c.exec_driver_sql("TRUNCATE stone").rowcount)


async def test_a_condition_that_asks_another_table_guards_every_row_of_a_statement(
    database: Database,
) -> None:
    def write(statement: Any) -> Any:
        return database.transaction(lambda c: c.execute(statement).rowcount)

    def pebbles(*weights: int) -> Any:
        return insert(PEBBLE).values(
            [{"id": key, "weight": weight} for key, weight in enumerate(weights)]
        )

    await write(insert(STONE).values(id=1, weight=5))

    with pytest.raises(IntegrityError, match="no stone is as heavy"):
        await write(pebbles(1, 6, 2))
    assert await write(pebbles(1, 5, 2)) == 3
    with pytest.raises(IntegrityError, match="no stone is as heavy"):
        await write(update(PEBBLE).values(weight=PEBBLE.c.weight + 1))


async def test_no_guard_runs_a_function_for_a_row_that_is_written_rightly(
    database: Database,
) -> None:
    found = await database.snapshot(
        lambda c: c.exec_driver_sql(
            "SELECT tgname FROM pg_trigger JOIN pg_class kept ON kept.oid = tgrelid "
            "WHERE kept.relnamespace = current_schema()::regnamespace AND NOT tgisinternal "
            "AND tgtype & 1 = 1 AND tgqual IS NULL ORDER BY tgname"
        ).all()
    )

    assert [name for (name,) in found] == ["stone_no_delete"]


async def test_a_partial_index_guards_its_rows_alone(database: Database) -> None:
    rows = [{"id": 1, "kind": "red"}, {"id": 2, "kind": "blue"}, {"id": 3, "kind": "blue"}]
    await database.transaction(lambda c: c.execute(insert(NOTE), rows).rowcount)

    with pytest.raises(IntegrityError):
        await database.transaction(lambda c: c.execute(insert(NOTE).values(id=4, kind="red")))
