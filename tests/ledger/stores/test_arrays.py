"""Arrays that the ledger spells for PostgreSQL are read there as what they were."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, MetaData

from kernel.database import open_database
from ledger.stores.arrays import array_of
from tests.places import Places

TEXTS = [
    "", "NULL", "null", "a", " a ", '"', "\\", '\\"', "{}", "{a,b}", ",", "'", "\n", "\t\r\b\f",
    "\x01\x1f\x7f", "\\n", "\\u0041", "é", "\u2028", "😀", '{"points":1,"why":"a \\"b\\""}', None,
]  # fmt: skip


@pytest.mark.postgresql
async def test_each_text_is_read_as_it_was(places: Places) -> None:
    database = await open_database(places.address("arrays"), MetaData())
    spelled = [*([text] for text in TEXTS), TEXTS, [], ["a", "b"]]

    def read(connection: Connection) -> list[list[str | None]]:
        run = connection.exec_driver_sql
        asked = [(array_of(texts),) for texts in spelled]
        return [run("SELECT CAST($1 AS text)::text[]", one).scalar_one() for one in asked]

    assert await database.snapshot(read) == spelled
    await database.close()


@pytest.mark.postgresql
async def test_each_number_is_read_as_it_was(places: Places) -> None:
    database = await open_database(places.address("arrays"), MetaData())
    numbers = [0, -1, None, 2**63 - 1, -(2**63)]

    read = await database.snapshot(
        lambda connection: connection.exec_driver_sql(
            "SELECT CAST($1 AS text)::bigint[]", (array_of(numbers),)
        ).scalar_one()
    )

    assert read == numbers
    await database.close()


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**64)])
def test_a_number_beyond_64_bits_is_left_to_the_server(number: int) -> None:
    assert array_of([1, number]) == f"{{1,{number}}}"
