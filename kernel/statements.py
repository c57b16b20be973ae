"""Statements compiled once, and run straight on SQLite's own cursor.

What SQLAlchemy does for each execution (cache key, context, result metadata) costs several times
the statement itself. A prepared statement is compiled when its module is loaded; the connection
runs it as any other, and its rows are named tuples. See docs/decisions/database.md.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, Executable, bindparam, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = sqlite.dialect(paramstyle="named")


class Prepared(Executable):
    """A statement that `Connection.execute` runs without SQLAlchemy's execution machinery.

    Args:
        clause: SQL with `:name` parameters, or an expression with `bindparam`s.
        lists: parameters that are lists, behind `IN`; those of an expression are `expanding`.
    """

    inherit_cache = False

    def __init__(self, clause: str | ClauseElement, *, lists: Sequence[str] = ()) -> None:
        if isinstance(clause, str):
            clause = text(clause).bindparams(*(bindparam(name, expanding=True) for name in lists))
        compiled = clause.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)
        self._compiled = compiled
        self._sql = str(compiled)
        self._given = {
            name: bind.effective_value
            for name, bind in compiled.binds.items()
            if not bind.required and not bind.expanding
        }
        self._lists = tuple(name for name, bind in compiled.binds.items() if bind.expanding)
        self._sql_by_lengths: dict[tuple[int, ...], str] = {}
        self._readers = _readers(compiled)
        self._row: type[Any] | None = None

    def _execute_on_connection(  # type: ignore[override]
        self, connection: Connection, distilled_params: Sequence[Mapping[str, Any]], _: object
    ) -> Rows:
        raw = driver_connection(connection)
        sql = self._sql
        try:
            if len(distilled_params) > 1:
                return Rows(self, raw.executemany(sql, distilled_params))
            sql, values = self.bound(distilled_params[0] if distilled_params else {})
            return Rows(self, raw.execute(sql, values))
        except sqlite3.Error as error:
            raise told(sql, error) from error

    def bound(self, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The SQL that runs for these values, and what it is run with."""
        if self._given:
            values = {**self._given, **values}
        if self._lists:
            return self._expanded(values)
        return self._sql, values

    def _expanded(self, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The SQL for lists of these lengths, and the values with each list taken apart."""
        lengths = tuple(len(values[name]) for name in self._lists)
        sql = self._sql_by_lengths.get(lengths)
        if sql is None:
            sql = self._compiled.construct_expanded_state(dict(values)).statement
            self._sql_by_lengths[lengths] = sql
        flat = dict(values)
        for name in self._lists:
            for position, value in enumerate(flat.pop(name), start=1):
                if isinstance(value, tuple):
                    for part, each in enumerate(value, start=1):
                        flat[f"{name}_{position}_{part}"] = each
                else:
                    flat[f"{name}_{position}"] = value
        return sql, flat

    def row_of(self, cursor: sqlite3.Cursor) -> Callable[[tuple[Any, ...]], Any]:
        """Makes a named row of what the cursor gives."""
        if self._row is None:
            names = [column[0] for column in cursor.description]
            self._row = type("Row", (namedtuple("Row", names, rename=True),), {"__slots__": ()})
        make: Callable[[tuple[Any, ...]], Any] = self._row._make
        readers = self._readers
        if not readers:
            return make

        def read(values: tuple[Any, ...]) -> Any:
            row = list(values)
            for index, reader in readers:
                row[index] = reader(row[index])
            return make(tuple(row))

        return read


class Rows:
    """What a prepared statement gave; the part of SQLAlchemy's result that is used."""

    __slots__ = ("_cursor", "_statement")

    def __init__(self, statement: Prepared, cursor: sqlite3.Cursor) -> None:
        self._statement = statement
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """Id of the row that was inserted last."""
        return self._cursor.lastrowid

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())

    def all(self) -> list[Any]:
        """Every row."""
        found = self._fetch()
        if not found:
            return found
        return list(map(self._statement.row_of(self._cursor), found))

    def one_or_none(self) -> Any:
        """The one row; None when there is none."""
        found = self.all()
        assert len(found) <= 1, "at most one row"
        return found[0] if found else None

    def one(self) -> Any:
        """The one row, which exists.

        Raises:
            NoResultFound: it does not.
        """
        row = self.one_or_none()
        if row is None:
            raise NoResultFound("No row was found when one was required")
        return row

    def scalar(self) -> Any:
        """The first value of the one row; None when there is none."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """The first value of the one row, which exists."""
        return self.one()[0]

    def scalars(self) -> list[Any]:
        """The first value of every row."""
        return [row[0] for row in self.all()]

    def _fetch(self) -> list[Any]:
        try:
            return self._cursor.fetchall()
        except sqlite3.Error as error:
            raise told("fetch", error) from error


def driver_connection(connection: Connection) -> sqlite3.Connection:
    """SQLite's own connection behind this one, inside the same transaction."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def run(connection: Connection, statement: str) -> None:
    """Runs a statement without parameters that gives no rows, as `BEGIN`."""
    try:
        driver_connection(connection).execute(statement)
    except sqlite3.Error as error:
        raise told(statement, error) from error


def told(statement: str, error: sqlite3.Error) -> IntegrityError | OperationalError:
    """SQLite's error in SQLAlchemy's words, which the database room understands."""
    if isinstance(error, sqlite3.IntegrityError):
        return IntegrityError(statement, None, error)
    return OperationalError(statement, None, error)


def _readers(compiled: SQLCompiler) -> list[tuple[int, Callable[[Any], Any]]]:
    """By column, how a value that SQLite holds otherwise (a truth value) is read."""
    readers: list[tuple[int, Callable[[Any], Any]]] = []
    for index, column in enumerate(compiled._result_columns):
        reader = column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
        if reader is not None:
            readers.append((index, reader))
    return readers
