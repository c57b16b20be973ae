"""The parts that `verify` counts seal and sum what was booked, whatever stands in its texts."""

from __future__ import annotations

import sqlite3

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from ledger.chain import leaf, leaf_of_json
from ledger.port import Booked
from ledger.sqlite import SqliteCursor

ROW = Booked("booked", "seq, leg, word, amount")
ONE = Booked("booked", "seq, word, amount", is_one=True)
WORDS = st.text(st.characters(codec="utf-8")) | st.none()
AMOUNTS = st.integers(-(2**62), 2**62)


@given(st.lists(st.tuples(WORDS, AMOUNTS), min_size=1, max_size=5), st.text(max_size=5))
def test_rows_that_the_database_writes_as_json_give_the_leaf_that_was_sealed(
    values: list[tuple[str | None, int]], request_hash: str
) -> None:
    rows = [(1, leg, word, amount) for leg, (word, amount) in enumerate(values)]
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.execute(
            "CREATE TABLE booked (lane INTEGER, seq INTEGER, leg INTEGER, word TEXT, "
            "amount INTEGER, PRIMARY KEY (lane, seq, leg)) STRICT, WITHOUT ROWID"
        )
        raw.executemany("INSERT INTO booked VALUES (0, ?, ?, ?, ?)", reversed(rows))
        raw.execute("INSERT INTO booked VALUES (0, 2, 0, 'behind the span', 0)")
        written = SqliteCursor(connection).as_json(ROW, 0, 0, 1)
        alone = SqliteCursor(connection).as_json(ONE, 0, 1, 2)
        raw.close()
    engine.dispose()

    assert written.keys() == {1}
    assert alone == {2: b'[2,"behind the span",0]'}
    assert leaf_of_json(request_hash, b"[1]", written[1], b"[]") == leaf(
        request_hash, (1,), rows, []
    )
