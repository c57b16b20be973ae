from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from kernel.statements import Prepared, run

METADATA = MetaData()
COIN = Table(
    "coin",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("is_rare", Boolean, nullable=True),
)
INSERT = Prepared(insert(COIN))
BY_IDS = Prepared(
    select(COIN).where(COIN.c.id.in_(bindparam("ids", expanding=True))).order_by(COIN.c.id)
)
BY_KEYS = Prepared("SELECT id FROM coin WHERE (id, name) IN :keys ORDER BY id", lists=("keys",))
NAME = Prepared("SELECT name FROM coin WHERE id = :id")


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    with engine.connect() as opened:
        METADATA.create_all(opened)
        opened.execute(
            INSERT,
            [
                {"id": 1, "name": "penny", "is_rare": False},
                {"id": 2, "name": "crown", "is_rare": True},
                {"id": 3, "name": "groat", "is_rare": None},
            ],
        )
        yield opened
    engine.dispose()


def test_rows_have_the_names_and_types_of_their_columns(connection: Connection) -> None:
    penny, crown, groat = connection.execute(BY_IDS, {"ids": [1, 2, 3]})
    assert (penny.id, penny.name) == (1, "penny")
    assert penny.is_rare is False
    assert crown.is_rare is True
    assert groat.is_rare is None


@pytest.mark.parametrize("ids", [[], [2], [1, 3], [1, 2, 3], [3, 9]])
def test_a_list_may_have_any_length(connection: Connection, ids: list[int]) -> None:
    for _ in range(2):
        found = [row.id for row in connection.execute(BY_IDS, {"ids": ids})]
        assert found == [each for each in ids if each < 9]


@pytest.mark.parametrize("keys", [[(1, "penny")], [(1, "penny"), (2, "groat"), (3, "groat")]])
def test_a_list_may_hold_pairs(connection: Connection, keys: list[tuple[int, str]]) -> None:
    found = connection.execute(BY_KEYS, {"keys": keys}).scalars()
    assert list(found) == {1: [1], 3: [1, 3]}[len(keys)]


def test_values_written_in_an_expression_are_kept_and_others_asked_for(
    connection: Connection,
) -> None:
    forget = Prepared(update(COIN).where(COIN.c.id == bindparam("coin_id")).values(is_rare=None))
    assert connection.execute(forget, {"coin_id": 2}).rowcount == 1
    assert connection.execute(BY_IDS, {"ids": [2]}).one().is_rare is None
    with pytest.raises(OperationalError):
        connection.execute(forget)


def test_one_row_is_told_from_none(connection: Connection) -> None:
    assert connection.execute(NAME, {"id": 1}).scalar_one() == "penny"
    assert connection.execute(NAME, {"id": 9}).scalar() is None
    assert connection.execute(NAME, {"id": 9}).one_or_none() is None
    with pytest.raises(NoResultFound):
        connection.execute(NAME, {"id": 9}).one()


def test_a_broken_constraint_is_told_in_the_words_of_the_connection(
    connection: Connection,
) -> None:
    with pytest.raises(IntegrityError):
        connection.execute(INSERT, {"id": 1, "name": "penny", "is_rare": False})


def test_it_runs_in_the_transaction_of_its_connection(connection: Connection) -> None:
    run(connection, "BEGIN")
    connection.execute(INSERT, {"id": 4, "name": "florin", "is_rare": False})
    run(connection, "ROLLBACK")
    assert connection.execute(NAME, {"id": 4}).one_or_none() is None
