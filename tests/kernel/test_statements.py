from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, NoResultFound

from kernel.database import Database, DatabaseUnavailable, open_database
from kernel.statements import Prepared, run
from tests.places import Places

pytestmark = pytest.mark.both_databases

METADATA = MetaData()
COIN = Table(
    "coin",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("is_rare", Boolean, nullable=True),
    Column("stamp", LargeBinary, nullable=True),
)
COINS = [
    {"id": 1, "name": "penny", "is_rare": False, "stamp": b"\x00\xff"},
    {"id": 2, "name": "crown", "is_rare": True, "stamp": None},
    {"id": 3, "name": "groat", "is_rare": None, "stamp": b""},
]
INSERT = Prepared(insert(COIN))
BY_IDS = Prepared(
    select(COIN).where(COIN.c.id.in_(bindparam("ids", expanding=True))).order_by(COIN.c.id)
)
BUT_IDS = Prepared(
    select(COIN).where(COIN.c.id.not_in(bindparam("ids", expanding=True))).order_by(COIN.c.id)
)
BY_KEYS = Prepared("SELECT id FROM coin WHERE (id, name) IN :keys ORDER BY id", lists=("keys",))
BY_NAMES = Prepared(
    "SELECT id FROM coin AS c WHERE c.name IN :names AND id < :below ORDER BY id", lists=("names",)
)
NAME = Prepared("SELECT name FROM coin WHERE id = :id")

Work = Callable[[Connection], Any]


@pytest.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    opened = await open_database(places.address("coins"), METADATA)
    await opened.transaction(lambda connection: connection.execute(INSERT, COINS).rowcount)
    yield opened
    await opened.close()


async def ids(database: Database, statement: Prepared, **values: Any) -> list[int]:
    return await database.snapshot(
        lambda connection: [row.id for row in connection.execute(statement, values)]
    )


async def test_rows_have_the_names_and_types_of_their_columns(database: Database) -> None:
    penny, crown, groat = await database.snapshot(
        lambda connection: connection.execute(BY_IDS, {"ids": [1, 2, 3]}).all()
    )
    assert (penny.id, penny.name, penny.stamp) == (1, "penny", b"\x00\xff")
    assert penny.is_rare is False
    assert crown.is_rare is True
    assert groat.is_rare is None
    assert (crown.stamp, groat.stamp) == (None, b"")


@pytest.mark.parametrize("wanted", [[], [2], [1, 3], [1, 2, 3], [3, 9]])
async def test_a_list_may_have_any_length(database: Database, wanted: list[int]) -> None:
    for _ in range(2):
        assert await ids(database, BY_IDS, ids=wanted) == [each for each in wanted if each < 9]
        assert await ids(database, BUT_IDS, ids=wanted) == [
            each for each in (1, 2, 3) if each not in wanted
        ]


@pytest.mark.parametrize("wanted", [[], [(1, "penny")], [(1, "penny"), (2, "no"), (3, "groat")]])
async def test_a_list_may_hold_pairs(database: Database, wanted: list[tuple[int, str]]) -> None:
    expected = [number for number, name in wanted if name != "no"]
    assert await ids(database, BY_KEYS, keys=wanted) == expected


@pytest.mark.parametrize("wanted", [[], ["penny"], ["penny", "crown", "groat"]])
async def test_a_list_stands_beside_other_values(database: Database, wanted: list[str]) -> None:
    found = await ids(database, BY_NAMES, names=wanted, below=3)
    assert found == [1, 2][: len(wanted)]


async def test_values_written_in_an_expression_are_kept_and_others_asked_for(
    database: Database,
) -> None:
    forget = Prepared(update(COIN).where(COIN.c.id == bindparam("coin_id")).values(is_rare=None))
    changed = await database.transaction(
        lambda connection: connection.execute(forget, {"coin_id": 2}).rowcount
    )
    assert changed == 1
    crown = await database.snapshot(
        lambda connection: connection.execute(BY_IDS, {"ids": [2]}).one()
    )
    assert crown.is_rare is None
    with pytest.raises(DatabaseUnavailable):
        await database.transaction(lambda connection: connection.execute(forget))


async def test_one_row_is_told_from_none(database: Database) -> None:
    def work(connection: Connection) -> list[Any]:
        with pytest.raises(NoResultFound):
            connection.execute(NAME, {"id": 9}).one()
        return [
            connection.execute(NAME, {"id": 1}).scalar_one(),
            connection.execute(NAME, {"id": 9}).scalar(),
            connection.execute(NAME, {"id": 9}).one_or_none(),
        ]

    assert await database.snapshot(work) == ["penny", None, None]


@pytest.mark.parametrize(
    "broken", [{"id": 1, "name": "penny"}, {"id": 7, "name": None}], ids=["a duplicate", "a null"]
)
async def test_a_broken_constraint_is_told_in_the_words_of_the_connection(
    database: Database, broken: dict[str, Any]
) -> None:
    row = {"is_rare": False, "stamp": None, **broken}
    with pytest.raises(IntegrityError):
        await database.transaction(lambda connection: connection.execute(INSERT, row))


async def test_it_runs_in_the_transaction_of_its_connection(database: Database) -> None:
    row = {"id": 4, "name": "florin", "is_rare": False, "stamp": None}

    def work(connection: Connection) -> None:
        run(connection, "SAVEPOINT florin")
        connection.execute(INSERT, row)
        run(connection, "ROLLBACK TO florin")
        connection.execute(INSERT, {**row, "id": 5})

    await database.transaction(work)

    assert await ids(database, BY_IDS, ids=[4, 5]) == [5]


async def test_whole_numbers_have_64_bits_and_their_sums_are_whole(database: Database) -> None:
    large = 2**62
    row = {"id": large, "name": "talent", "is_rare": None, "stamp": None}
    await database.transaction(lambda connection: connection.execute(INSERT, row))
    total = Prepared("SELECT SUM(id) AS total FROM coin")

    def work(connection: Connection) -> list[Any]:
        return [
            connection.execute(total).scalar_one(),
            connection.execute(select(func.sum(COIN.c.id))).scalar_one(),
            connection.execute(select(COIN.c.id).where(COIN.c.id == large)).scalar_one(),
        ]

    found = await database.snapshot(work)
    assert found == [large + 6, large + 6, large]
    assert {type(each) for each in found} == {int}


async def test_text_is_ordered_by_its_bytes(database: Database) -> None:
    names = ["Zebra", "apple", "Äpfel", "_", "苹果", "apple pie", "a-b", "aB"]
    rows = [
        {"id": number, "name": name, "is_rare": None, "stamp": None}
        for number, name in enumerate(names, start=10)
    ]
    await database.transaction(lambda connection: connection.execute(INSERT, rows).rowcount)
    ordered = Prepared("SELECT name FROM coin WHERE id >= 10 ORDER BY name")

    found = await database.snapshot(lambda connection: connection.execute(ordered).scalars())

    assert found == sorted(names, key=lambda name: name.encode())
