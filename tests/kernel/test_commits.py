"""Numbered rows are read in an order in which none can still appear before one that was read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert

from kernel.database import Database, open_database
from kernel.database.commits import commit_horizon, commit_mark
from kernel.statements import Prepared
from tests.places import Places

METADATA = MetaData()
CAUSE = Table("cause", METADATA, Column("name", Text, primary_key=True))
EFFECT = Table(
    "effect",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    commit_mark("written_by"),
)
ADD = Prepared("INSERT INTO effect (name) VALUES (:name) RETURNING number")
READ = Prepared("SELECT name FROM effect WHERE written_by < :horizon ORDER BY number")


@pytest.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    opened = await open_database(places.address("effects"), METADATA)
    yield opened
    await opened.close()


def add(connection: Connection, name: str) -> int:
    connection.execute(insert(CAUSE).values(name=name))
    number: int = connection.execute(ADD, {"name": name}).scalar_one()
    return number


def read(connection: Connection) -> list[str]:
    rows = connection.execute(READ, {"horizon": commit_horizon(connection)})
    return list(rows.scalars())


@pytest.mark.both_databases
async def test_what_was_committed_is_read_in_order(database: Database) -> None:
    for name in ("first", "second"):
        await database.transaction(lambda connection, name=name: add(connection, name))

    assert await database.snapshot(read) == ["first", "second"]


@pytest.mark.postgresql
async def test_a_later_number_waits_for_an_earlier_one_that_is_not_committed(
    database: Database,
) -> None:
    loop = asyncio.get_running_loop()
    seen: list[list[str]] = []

    def work(connection: Connection) -> int:
        number = add(connection, "slow")
        other = loop.create_task(_quick())
        while not other.done():
            connection.exec_driver_sql("SELECT 1")
        assert other.result() > number
        return number

    async def _quick() -> int:
        number = await database.transaction(lambda connection: add(connection, "quick"))
        seen.append(await database.snapshot(read))
        return number

    await database.transaction(work)

    assert seen == [[]]
    assert await database.snapshot(read) == ["slow", "quick"]
