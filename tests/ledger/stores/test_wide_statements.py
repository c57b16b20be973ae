"""Many rows to a statement: SQLite takes every statement as wide as it is ever written."""

import apsw
import pytest
from sqlalchemy import create_engine

from ledger.booking import writes
from ledger.stores import sqlite
from ledger.stores.port import Write
from ledger.tables import metadata

WRITES = {name: each for name, each in vars(writes).items() if isinstance(each, Write)}


@pytest.fixture(scope="module")
def raw() -> apsw.Connection:
    connection = create_engine("sqlite+apsw://").connect()
    metadata.create_all(connection)
    driver = connection.connection.driver_connection
    assert isinstance(driver, apsw.Connection)
    return driver


@pytest.mark.parametrize("name", WRITES)
def test_sqlite_takes_the_statement_of_every_width(raw: apsw.Connection, name: str) -> None:
    write = WRITES[name]

    for width in (*(sqlite._CHANGES if write.is_update else sqlite._ROWS), 1):
        values = [None] * (width * len(write.columns))
        assert raw.execute(f"EXPLAIN {sqlite.statement_of(write, 0, width)}", values).fetchone()
