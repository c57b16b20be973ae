"""Runs the ledger's statements straight on SQLite's own cursor.

A result object costs more than the statement that fills it; see docs/decisions/ledger.md. Reads
off the hot path use the connection as everyone does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from kernel.statements import SQLITE_ERRORS, driver_connection, told
from ledger.stores.loading import DUE_LOTS, FREE_LOTS, HEAD
from ledger.stores.port import LotsWanted, Query, Row, Write
from ledger.stores.sealed import sealed_in_file

_KEYS = (1, 4, 16, 64, 256)
"""How many keys a statement has: few lengths, so that SQLite's statements are found again."""

_ROWS = (64, 16, 4)
_CHANGES = (64, 32)
"""How many rows one statement writes, while there are that many; the rest go one by one.

Python lets go of its lock three times a statement, and gets it back when the threads that took it
meanwhile let go: a row a step costs a third more even when no thread wants the lock.
"""


class SqliteCursor:
    """See `ledger.stores.port.Cursor`."""

    def __init__(self, connection: Connection) -> None:
        self._raw = driver_connection(connection)

    def first(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row; None when there is none."""
        with _Told(statement):
            row: Row | None = self._raw.execute(statement, values).fetchone()
            return row

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        with _Told(statement):
            return self._raw.execute(statement, values).fetchall()

    def step(self, statement: str, values: Sequence[Any] = ()) -> Generator[Row, None, None]:
        """Row after row, each read when it is asked for."""
        with _Told(statement):
            cursor = self._raw.execute(statement, values)
            try:
                yield from cursor
            finally:
                cursor.close(force=True)

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement that gives no rows."""
        with _Told(statement):
            self._raw.execute(statement, values)

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs a statement once for each of the rows; not at all when there are none."""
        if rows:
            with _Told(statement):
                self._raw.executemany(statement, rows)

    def sealed(self, lane: int, after: int, up_to: int) -> list[bytes]:
        """See `ledger.stores.sealed`."""
        with _Told("sealed"):
            return sealed_in_file(self._raw, lane, after, up_to)

    def json_lines(self, columns: str, source: str, values: Sequence[Any]) -> Iterator[bytes]:
        """Written by SQLite itself."""
        for (line,) in self.step(f"SELECT CAST(json_array({columns}) AS BLOB) {source}", values):
            yield line


class SqlitePort:
    """One lane of a SQLite ledger; see `ledger.stores.port.Port`."""

    def __init__(self, connection: Connection, lane: int) -> None:
        self.lane = lane
        self._cursor = SqliteCursor(connection)

    def lock(self) -> Row | None:
        """The lane's head; SQLite lets one transaction write at a time as it is."""
        return self._cursor.first(_read(HEAD, self.lane, 0))

    def head(self) -> Row | None:
        """The lane's head as it is."""
        return self.lock()

    def rows(self, query: Query, keys: Sequence[str | int] = ()) -> list[Row]:
        """What a query finds, 256 keys at a time."""
        if "{keys}" not in query.sql:
            return self._cursor.all(_read(query, self.lane, 0))
        found: list[Row] = []
        for start in range(0, len(keys), _KEYS[-1]):
            some = list(keys[start : start + _KEYS[-1]])
            width = next(width for width in _KEYS if width >= len(some))
            some += some[-1:] * (width - len(some))
            found += self._cursor.all(_read(query, self.lane, width), some)
        return found

    def foresee(self, reads: Sequence[tuple[Query, Sequence[str | int]]]) -> None:
        """Does nothing: asking a file takes no round trip."""

    def free_lots(self, wanted: Sequence[LotsWanted]) -> list[tuple[list[Row], bool]]:
        """Each card's lots, stepped and left as soon as they cover what is wanted."""
        cursor = self._cursor
        return [self._free_lots(cursor, each) for each in wanted]

    def due_lots(self, *, until: int, limit: int) -> list[Row]:
        """The lots that are due longest."""
        return self._cursor.all(_read(DUE_LOTS, self.lane, 0), (until, limit))

    def write(self, write: Write, rows: Sequence[Row]) -> None:
        """Writes many rows at a time, and what is left one after the other."""
        cursor = self._cursor
        write_rows(cursor.run, cursor.run_many, write, self.lane, rows)

    def write_all(self, writes: Sequence[tuple[Write, Sequence[Row]]]) -> None:
        """Does one write after the other: nothing is won by less."""
        for write, rows in writes:
            if rows:
                self.write(write, rows)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A savepoint."""
        self._cursor.run("SAVEPOINT apart")
        try:
            yield
        except BaseException:
            self._cursor.run("ROLLBACK TO apart")
            self._cursor.run("RELEASE apart")
            raise
        self._cursor.run("RELEASE apart")

    def _free_lots(self, cursor: SqliteCursor, wanted: LotsWanted) -> tuple[list[Row], bool]:
        after, after_id = max(wanted.behind, (wanted.since, 2**62))
        latest = 2**62 if wanted.latest is None else wanted.latest
        values = (wanted.card_id, wanted.asset, latest, after, after_id)
        units = wanted.units
        since, counted_until = wanted.since, wanted.counted_until
        rows: list[Row] = []
        stepping = cursor.step(_read(FREE_LOTS, self.lane, 0), values)
        for row in stepping:
            rows.append(row)
            if row[7] <= since and row[8] > counted_until:
                units -= row[5] - row[6]
                if units <= 0:
                    stepping.close()
                    return rows, False
        return rows, True


def _flat(rows: Sequence[Row]) -> list[Any]:
    return list(chain.from_iterable(rows))


@lru_cache(maxsize=1_024)
def _read(query: Query, lane: int, width: int) -> str:
    return query.sql.format(lane=lane, keys=", ".join("?" * width))


def write_rows(
    run: Callable[[str, Sequence[Any]], object],
    run_many: Callable[[str, Sequence[Row]], object],
    write: Write,
    lane: int,
    rows: Sequence[Row],
) -> None:
    """Writes rows as many to a statement as there are, and the last ones one by one."""
    done = 0
    for width in _CHANGES if write.is_update else _ROWS:
        statement = statement_of(write, lane, width)
        while len(rows) - done >= width:
            run(statement, _flat(rows[done : done + width]))
            done += width
    if done < len(rows):
        run_many(statement_of(write, lane), rows[done:])


@lru_cache(maxsize=1_024)
def statement_of(write: Write, lane: int, width: int = 1) -> str:
    """The statement that writes one row, or several."""
    if write.is_update and width > 1:
        places = [f"{column} = v.column{n}" for n, column in enumerate(write.columns, start=1)]
        found = [f"lane = {lane}", *places[len(write.sets) :]]
        changed = ", ".join([f"({', '.join('?' * len(write.columns))})"] * width)
        return (
            f"UPDATE {write.name} SET {', '.join(places[: len(write.sets)])} "
            f"FROM (VALUES {changed}) AS v "
            f"WHERE {' AND '.join(f'{write.name}.{each}' for each in found)}"
        )
    if write.is_update:
        assert write.columns == write.sets + write.keys, "placeholders come in this order"
        sets = ", ".join(f"{column} = ?" for column in write.sets)
        keys = "".join(f" AND {column} = ?" for column in write.keys)
        return f"UPDATE {write.name} SET {sets} WHERE lane = {lane}{keys}"
    row = f"({', '.join((str(lane), *'?' * len(write.columns)))})"
    rows = ", ".join([row] * width)
    sql = f"INSERT INTO {write.name} (lane, {', '.join(write.columns)}) VALUES {rows}"
    changes = [f"{column} = excluded.{column}" for column in write.sets]
    changes += [f"{column} = {write.name}.{column} + excluded.{column}" for column in write.adds]
    if not changes:
        return sql
    return f"{sql} ON CONFLICT (lane, {', '.join(write.keys)}) DO UPDATE SET {', '.join(changes)}"


class _Told:
    """Tells SQLite's errors in SQLAlchemy's words, which the database room understands."""

    __slots__ = ("_statement",)

    def __init__(self, statement: str) -> None:
        self._statement = statement

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SQLITE_ERRORS):
            raise told(self._statement, error) from error
