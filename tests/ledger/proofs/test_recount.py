"""The parts that `verify` counts seal and sum what was booked, whatever stands in its texts."""

from __future__ import annotations

from contextlib import closing

import apsw
from hypothesis import given
from hypothesis import strategies as st

from ledger.proofs.recount import Part, Recount
from ledger.stores.chain import leaf, leaf_of_json
from ledger.stores.port import Booked, Row
from ledger.stores.sealed import ENTRIES, MOVES, TX, sealed_in_file

WORDS = st.text(st.characters(codec="utf-8")) | st.none()
AMOUNTS = st.integers(-(2**62), 2**62)
TABLES = {TX: ("seq",), ENTRIES: ("seq", "leg"), MOVES: ("seq", "leg")}


def written_by(raw: apsw.Connection, rows: dict[Booked, list[Row]]) -> list[list[bytes]]:
    """What the first two transactions of these rows are sealed as, each by itself."""
    for booked, key in TABLES.items():
        raw.execute(
            f"CREATE TABLE {booked.table} (lane, {booked.columns}, "
            f"PRIMARY KEY (lane, {', '.join(key)})) WITHOUT ROWID"
        )
        seats = ", ?" * len(booked.columns.split(", "))
        raw.executemany(
            f"INSERT INTO {booked.table} (lane, {booked.columns}) VALUES (0{seats})", rows[booked]
        )
    return [sealed_in_file(raw, 0, after, after + 1) for after in range(3)]


@given(st.lists(st.tuples(WORDS, AMOUNTS), min_size=1, max_size=5), st.text(max_size=5))
def test_rows_that_the_database_writes_as_json_give_the_leaf_that_was_sealed(
    values: list[tuple[str | None, int]], request_hash: str
) -> None:
    (word, amount), *_ = values
    tx = (1, word, word, None, word, amount, amount, 7, None, word)
    entries = [
        (1, leg, word, word, word, amount, amount, 7, None, word)
        for leg, (word, amount) in enumerate(values)
    ]
    moves = [(1, leg, amount, amount, amount, 7) for leg, (_, amount) in enumerate(values)]
    rows = {
        TX: [tx, (2, "behind the span", *tx[2:])],
        ENTRIES: [*reversed(entries), (2, *entries[0][1:])],
        MOVES: list(reversed(moves)),
    }
    with closing(apsw.Connection(":memory:")) as raw:
        [written], [alone], none = written_by(raw, rows)

    assert leaf_of_json(request_hash, written) == leaf(request_hash, tx, entries, moves)
    assert alone.startswith(b'[2,"behind the span",')
    assert alone.endswith(b",[]")
    assert none == []


def test_a_part_that_is_read_again_is_counted_once() -> None:
    recount, part = Recount(), Part(0, 0, 1)
    sealed = [
        b'[1,"GRANT","m1",null,null,5,5,7,null,null],[[1,0,"coins:m1","COINS","GRANT",3,0,7,null,'
        b'null],[1,1,"coins:issued","COINS","GRANT",-3,0,7,null,null]],[[1,0,1,3,0,7]]'
    ]

    recount.count(part, {1: "hash"}, sealed)
    recount.count(part, {1: "hash"}, sealed)

    assert recount.is_sound
    assert (recount.transactions, recount.entries, recount.moves, recount.requests) == (1, 2, 1, 1)
    assert recount.accounts == {(0, "COINS"): {"coins:m1": 3, "coins:issued": -3}}
