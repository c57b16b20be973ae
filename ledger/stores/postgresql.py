"""Runs the ledger's statements on PostgreSQL: one round trip for each set of keys or rows.

Keys and rows travel as arrays, one for each column, and the lane as a parameter: a statement is the
same text whatever their number and the lane, and each connection prepares it once. An array is
spelled here, see `ledger.stores.arrays`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection, LargeBinary, Table, Text
from sqlalchemy.types import TypeEngine

from kernel.statements import SEAT, told
from ledger.stores.arrays import array_of
from ledger.stores.loading import DUE_LOTS, HEAD, LOT
from ledger.stores.port import Booked, LotsWanted, Query, Row, Write

_FIRST_LOTS = 8
"""Lots that a card is first asked for: few spends need more."""
_MORE_LOTS = 256
"""Lots that it is asked for when those did not cover."""
FORESEEN_KEYS = 200
_NOWHERE = (-1, -1)
_ROWS_AT_ONCE = 4_096

# The inner select is a loop over one index for each card: it reads the lots that it gives.
_FREE_LOTS = f"""
SELECT w.number, {", ".join(f"l.{column.strip()}" for column in LOT.split(","))}
FROM (
  SELECT unnest($1::text::bigint[]) AS number, unnest($2::text::text[]) AS card_id,
         unnest($3::text::text[]) AS asset, unnest($4::text::bigint[]) AS latest,
         unnest($5::text::bigint[]) AS after, unnest($6::text::bigint[]) AS after_id,
         unnest($7::text::bigint[]) AS most, unnest($8::text::bigint[]) AS lane
) w
CROSS JOIN LATERAL (
  SELECT {LOT} FROM lot
  WHERE lot.lane = w.lane AND lot.card_id = w.card_id AND lot.asset = w.asset AND remaining > 0
    AND remaining > held AND active_at <= w.latest AND (expires_at, id) > (w.after, w.after_id)
  ORDER BY expires_at, id LIMIT w.most
) l
ORDER BY w.number, l.expires_at, l.id
"""


Ask: TypeAlias = Callable[..., Sequence[Row]]
"""Runs a statement with its values."""
FreeLots: TypeAlias = tuple[list[Row], bool]


class PostgresPort:
    """One lane of a PostgreSQL ledger; see `ledger.stores.port.Port`."""

    def __init__(self, connection: Connection, lane: int) -> None:
        self.lane = lane
        self.connection = connection

    def lock(self) -> Row | None:
        """The lane's head, which is this transaction's own until it ends."""
        return self._first(_LOCK, self.lane)

    def head(self) -> Row | None:
        """The lane's head as it is."""
        return self._first(_HEAD, self.lane)

    def rows(self, query: Query, keys: Sequence[str | int] = ()) -> list[Row]:
        """What a query finds, with all keys in one array."""
        if not keys and "{keys}" in query.sql:
            return []
        statement, values = self._asked(query, keys)
        return self._all(statement, *values)

    def foresee(self, reads: Sequence[tuple[Query, Sequence[str | int]]]) -> None:
        """Asks for small sets at once; large ones are worth a round trip of their own."""
        seat = self.connection.get_execution_options().get(SEAT)
        if seat is not None and sum(len(keys) for _, keys in reads) <= FORESEEN_KEYS:
            seat.foresee([self._asked(query, keys) for query, keys in reads])

    def free_lots(self, wanted: Sequence[LotsWanted]) -> list[tuple[list[Row], bool]]:
        """Each card's next lots: eight, or many when those did not cover."""
        return free_lots(self._all, [(self.lane, each) for each in wanted])

    def due_lots(self, *, until: int, limit: int) -> list[Row]:
        """The lots that are due longest."""
        return self._all(_DUE_LOTS, self.lane, until, limit)

    def write(self, write: Write, rows: Sequence[Row]) -> None:
        """Writes the rows in one statement."""
        self.write_all([(write, rows)])

    def write_all(self, writes: Sequence[tuple[Write, Sequence[Row]]]) -> None:
        """Does every write in one statement, which saves a round trip for each."""
        write_rows(self._all, [(write, [(self.lane, rows)]) for write, rows in writes])

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A savepoint."""
        self._run("SAVEPOINT apart")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK TO apart")
            self._run("RELEASE apart")
            raise
        self._run("RELEASE apart")

    def _asked(self, query: Query, keys: Sequence[str | int]) -> tuple[str, tuple[Any, ...]]:
        lane = (self.lane,) if "{lane}" in query.sql else ()
        if "{keys}" not in query.sql:
            return _of_lane(query), lane
        return _by_array(query, kind_of(keys)), (*lane, array_of(keys))

    def _first(self, statement: str, *values: Any) -> Row | None:
        rows = self._all(statement, *values)
        return rows[0] if rows else None

    def _all(self, statement: str, *values: Any) -> list[Row]:
        with _ran(self.connection, statement, values) as cursor:
            return list(map(tuple, cursor.fetchall()))

    def _run(self, statement: str, *values: Any) -> None:
        with _ran(self.connection, statement, values):
            pass


def free_lots(ask: Ask, wanted: Sequence[tuple[int, LotsWanted]]) -> list[FreeLots]:
    """For each card of a lane its next lots, and whether these are all."""
    if not wanted:
        return []
    cards = [each for _, each in wanted]
    most = [_FIRST_LOTS if each.behind == _NOWHERE else _MORE_LOTS for each in cards]
    behind = [max(each.behind, (each.since, 2**62)) for each in cards]
    found: list[list[Row]] = [[] for _ in wanted]
    for number, *row in ask(
        _FREE_LOTS,
        array_of(range(len(wanted))),
        array_of(each.card_id for each in cards),
        array_of(each.asset for each in cards),
        array_of(2**62 if each.latest is None else each.latest for each in cards),
        array_of(expires_at for expires_at, _ in behind),
        array_of(lot_id for _, lot_id in behind),
        array_of(most),
        array_of(lane for lane, _ in wanted),
    ):
        found[number].append(tuple(row))
    return [(rows, len(rows) < most[number]) for number, rows in enumerate(found)]


def write_rows(
    ask: Ask, writes: Sequence[tuple[Write, Sequence[tuple[int, Sequence[Row]]]]]
) -> None:
    """Does every write in every lane of it in one statement."""
    filled, arrays = [], []
    for write, by_lane in writes:
        rows = [row for _, some in by_lane for row in some]
        if rows:
            filled.append(write)
            arrays.append(array_of([lane for lane, some in by_lane for _ in some]))
            columns = zip(*rows, strict=True)
            arrays += [
                spell(column) for spell, column in zip(_spelling(write), columns, strict=True)
            ]
    if filled:
        ask(_statements(tuple(filled)), *arrays)


def kind_of(keys: Sequence[str | int]) -> str:
    """The type of the keys, which are not none."""
    return "text" if isinstance(keys[0], str) else "bigint"


class PostgresCursor:
    """See `ledger.stores.port.Cursor`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def first(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row; None when there is none."""
        with _ran(self.connection, _with_numbers(statement), tuple(values)) as cursor:
            rows = cursor.fetchall()
            return tuple(rows[0]) if rows else None

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        with _ran(self.connection, _with_numbers(statement), tuple(values)) as cursor:
            return list(map(tuple, cursor.fetchall()))

    def step(self, statement: str, values: Sequence[Any] = ()) -> Generator[Row, None, None]:
        """Row after row, a few thousand at a time from the server's own cursor."""
        numbered = _with_numbers(statement)
        with _ran(self.connection, numbered, tuple(values), server_side=True) as cursor:
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from map(tuple, rows)

    def as_json(self, booked: Booked, lane: int, after: int, up_to: int) -> dict[int, bytes]:
        """Written here: the server's JSON has spaces."""
        order = "seq" if booked.is_one else "seq, leg"
        rows = self.all(
            f"SELECT {booked.columns} FROM {booked.table} "
            f"WHERE lane = ? AND seq > ? AND seq <= ? ORDER BY {order}",
            (lane, after, up_to),
        )
        if booked.is_one:
            return {row[0]: orjson.dumps(row) for row in rows}
        return {seq: orjson.dumps(list(some)) for seq, some in groupby(rows, itemgetter(0))}

    def json_lines(self, columns: str, source: str, values: Sequence[Any]) -> Iterator[bytes]:
        """Written here."""
        return map(orjson.dumps, self.step(f"SELECT {columns} {source}", values))


@contextmanager
def _ran(
    connection: Connection, statement: str, values: tuple[Any, ...], *, server_side: bool = False
) -> Iterator[Any]:
    """The driver's cursor behind a statement that ran."""
    seat = connection.get_execution_options().get(SEAT)
    if seat is not None and not server_side:
        yield seat.fetch(statement, values)
        return
    if seat is not None:
        seat.claim("DECLARE")
    raw: Any = connection.connection
    cursor = raw.cursor(server_side=server_side) if server_side else raw.cursor()
    try:
        cursor.execute(statement, values)
        yield cursor
    except connection.dialect.loaded_dbapi.Error as error:
        raise told(statement, error) from error
    finally:
        cursor.close()


@lru_cache(maxsize=64)
def _with_numbers(statement: str) -> str:
    """The statement with `$1`, `$2`, … in the place of `?`."""
    first, *others = statement.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, start=1))


def _of_lane(query: Query) -> str:
    """The query with the lane as its first parameter, if it asks for one."""
    return query.sql.format(lane="$1")


@lru_cache(maxsize=64)
def _by_array(query: Query, kind: str) -> str:
    number = 2 if "{lane}" in query.sql else 1
    sql = query.sql.replace("IN ({keys})", f"= ANY(${number}::text::{kind}[])")
    assert "{keys}" not in sql, "keys stand behind IN"
    return sql.format(lane="$1")


@lru_cache(maxsize=256)
def _statements(writes: tuple[Write, ...]) -> str:
    """One statement that does all: each but the last is a part of its WITH."""
    spelled, number = [], 1
    for write in writes:
        spelled.append(_statement(write, number))
        number += len(write.columns) + 1
    *others, last = spelled
    if not others:
        return last
    parts = ", ".join(f"w{place} AS ({other})" for place, other in enumerate(others))
    return f"WITH {parts} {last}"


def _statement(write: Write, first: int) -> str:
    """The statement whose arrays begin with the parameter of that number.

    Arrays are unnested as columns: behind FROM, each would be put aside in a store of its own.
    """
    written = ("lane", *write.columns)
    rows = ", ".join(
        f"unnest(${number}::{_array_of(write.table, column)}) AS {column}"
        for number, column in enumerate(written, start=first)
    )
    if write.is_update:
        # A join by the key may be planned as a scan of the lane for each row, while the table is
        # new and its statistics say that a lane has few rows. A row by its place is none.
        sets = ", ".join(f"{column} = v.{column}" for column in write.sets)
        keys = "".join(f" AND k.{column} = v.{column}" for column in write.keys)
        # The lane's head is locked, so that no row moves between its look-up and its change.
        return (
            f"UPDATE {write.name} t SET {sets} FROM (SELECT v.*, (SELECT k.ctid "
            f"FROM {write.name} k WHERE k.lane = v.lane{keys}) AS place "
            f"FROM (SELECT {rows}) v) v WHERE t.ctid = v.place"
        )
    sql = f"INSERT INTO {write.name} ({', '.join(written)}) SELECT {rows}"
    changes = [f"{column} = excluded.{column}" for column in write.sets]
    changes += [f"{column} = {write.name}.{column} + excluded.{column}" for column in write.adds]
    if not changes:
        return sql
    return f"{sql} ON CONFLICT (lane, {', '.join(write.keys)}) DO UPDATE SET {', '.join(changes)}"


def _array_of(table: Table, column: str) -> str:
    kind: TypeEngine[Any] = table.c[column].type
    if isinstance(kind, LargeBinary):
        return "bytea[]"
    return "text::text[]" if isinstance(kind, Text) else "text::bigint[]"


@lru_cache(maxsize=64)
def _spelling(write: Write) -> tuple[Callable[[Sequence[Any]], Any], ...]:
    """For each column, what makes an array of its values."""
    kinds = [write.table.c[column].type for column in write.columns]
    return tuple(list if isinstance(kind, LargeBinary) else array_of for kind in kinds)


_HEAD = _of_lane(HEAD)
_LOCK = f"{_HEAD} FOR NO KEY UPDATE"
_DUE_LOTS = _with_numbers(DUE_LOTS.sql.format(lane="?"))
