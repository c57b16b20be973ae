"""A prepared statement as each dialect spells it, and how that dialect's driver runs it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apsw
from sqlalchemy import ClauseElement, Connection, Dialect, TextClause, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

SEAT = "seat"
"""A connection's option: what runs statements on PostgreSQL without the adapter of its driver."""

_SQLITE = sqlite.dialect(paramstyle="named")

# What a statement in SQL writes as `each(:rows)`: a row for each item of a JSON array of arrays,
# with the items' parts as text `one` and `two`; and `each_text(:items)`, with each text as `one`.
_EACH = {
    "sqlite": {
        "each": "(SELECT json_extract(value, '$[0]') AS one, json_extract(value, '$[1]') AS two"
        r" FROM json_each(:\1))",
        "each_text": r"(SELECT value AS one FROM json_each(:\1))",
    },
    "postgresql": {
        "each": "(SELECT value ->> 0 AS one, value ->> 1 AS two"
        r" FROM json_array_elements(CAST(:\1 AS json)))",
        "each_text": r"(SELECT value AS one FROM json_array_elements_text(CAST(:\1 AS json)))",
    },
}


class Form(ABC):
    """One statement in one dialect."""

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        if isinstance(clause, TextClause):
            clause = _with_each_spelled(clause, dialect.name)
        compiled = clause.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self._compiled = compiled
        self.sql = str(compiled)
        self._given = {
            name: bind.effective_value
            for name, bind in compiled.binds.items()
            if not bind.required and not bind.expanding
        }
        self._lists = tuple(name for name, bind in compiled.binds.items() if bind.expanding)
        self._readers = _readers(compiled, dialect)
        self._row: type[Any] | None = None
        # The type of a list in plain SQL is not known, so an empty one holds a NULL for each
        # value it stands beside; an expression knows its types and makes an empty set.
        self._nothing = (
            {name: _null_beside(clause.text, name) for name in self._lists}
            if isinstance(clause, TextClause)
            else {}
        )

    @abstractmethod
    def bound(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        """The SQL that runs for these values, and what it is run with."""

    @abstractmethod
    def run(self, connection: Connection, sql: str, values: Any) -> Any:
        """The cursor of what `bound` gave."""

    @abstractmethod
    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Any:
        """The cursor of a statement that ran once for each of the rows."""

    @abstractmethod
    def changed(self, cursor: Any) -> int:
        """How many rows the cursor's statement has just changed."""

    def rows(self, cursor: Any) -> list[Any]:
        """Every row that the cursor gives, named."""
        found: list[Any] = cursor.fetchall()
        if not found:
            return found
        if self._row is None:
            self._row = _row_type(cursor.description)
        return list(map(self._reader(self._row._make), found))

    def _reader(self, make: Callable[[Any], Any]) -> Callable[[Any], Any]:
        readers = self._readers
        if not readers:
            return make

        def read(values: Any) -> Any:
            row = list(values)
            for index, reader in readers:
                row[index] = reader(row[index])
            return make(tuple(row))

        return read

    def _filled(self, name: str, listed: Sequence[Any]) -> Sequence[Any]:
        """The list as it is bound."""
        return listed or self._nothing.get(name, ())

    def _flat(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with each list taken apart."""
        flat = dict(values)
        for name in self._lists:
            for position, value in enumerate(flat.pop(name), start=1):
                if isinstance(value, tuple):
                    for part, each in enumerate(value, start=1):
                        flat[f"{name}_{position}_{part}"] = each
                else:
                    flat[f"{name}_{position}"] = value
        return flat


class SqliteForm(Form):
    """For SQLite's own connection, which takes named values."""

    def __init__(self, clause: ClauseElement) -> None:
        super().__init__(clause, _SQLITE)
        self._sql_by_lengths: dict[tuple[int, ...], str] = {}

    def bound(self, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The SQL that runs for these values, and what it is run with."""
        if self._given:
            values = {**self._given, **values}
        if not self._lists:
            return self.sql, values
        values = {**values, **{name: self._filled(name, values[name]) for name in self._lists}}
        lengths = tuple(len(values[name]) for name in self._lists)
        sql = self._sql_by_lengths.get(lengths)
        if sql is None:
            sql = self._compiled.construct_expanded_state(dict(values)).statement
            self._sql_by_lengths[lengths] = sql
        return sql, self._flat(values)

    def changed(self, cursor: Any) -> int:
        """How many rows the cursor's statement has just changed."""
        changed: int = cursor.connection.changes()
        return changed

    def rows(self, cursor: Any) -> list[Any]:
        """Every row that the cursor gives, named; it knows its columns until the last is read."""
        if self._row is None:
            try:
                self._row = _row_type(cursor.description)
            except apsw.ExecutionCompleteError:
                return []
        return super().rows(cursor)

    def run(self, connection: Connection, sql: str, values: Mapping[str, Any]) -> Any:
        """SQLite's cursor."""
        raw: Any = connection.connection.driver_connection
        return raw.execute(sql, values)

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Any:
        """SQLite's cursor."""
        raw: Any = connection.connection.driver_connection
        return raw.executemany(self.sql, rows)


class PostgresForm(Form):
    """For SQLAlchemy's adapter of asyncpg, which takes values in order and keeps what it prepared.

    A list is filled up to a power of two with its last value, which changes nothing behind `IN`,
    so that the server prepares a few lengths rather than each.
    """

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        super().__init__(clause, dialect)
        self._order = tuple(self._compiled.positiontup or ())
        self._by_lengths: dict[tuple[int, ...], tuple[str, tuple[str, ...]]] = {}

    def bound(self, values: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        """The SQL that runs for these values, and what it is run with."""
        if self._given:
            values = {**self._given, **values}
        if not self._lists:
            return self.sql, tuple([values[name] for name in self._order])
        values = {**values, **{name: self._filled(name, values[name]) for name in self._lists}}
        lengths = tuple(len(values[name]) for name in self._lists)
        form = self._by_lengths.get(lengths)
        if form is None:
            state = self._compiled.construct_expanded_state(dict(values))
            form = state.statement, tuple(state.positiontup or ())
            self._by_lengths[lengths] = form
        sql, order = form
        flat = self._flat(values)
        return sql, tuple([flat[name] for name in order])

    def changed(self, cursor: Any) -> int:
        """How many rows the cursor's statement changed."""
        changed: int = cursor.rowcount
        return changed

    def run(self, connection: Connection, sql: str, values: tuple[Any, ...]) -> Any:
        """The adapter's cursor, with every row read."""
        seat = connection.get_execution_options().get(SEAT)
        if seat is not None:
            return seat.fetch(sql, values)
        cursor = connection.connection.cursor()
        cursor.execute(sql, values)
        return cursor

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Any:
        """The adapter's cursor; how many rows changed is not known."""
        seat = connection.get_execution_options().get(SEAT)
        if seat is not None:
            seat.claim(self.sql)
        cursor = connection.connection.cursor()
        cursor.executemany(self.sql, [self.bound(row)[1] for row in rows])
        return cursor

    def _filled(self, name: str, listed: Sequence[Any]) -> Sequence[Any]:
        listed = super()._filled(name, listed)
        if not listed:
            return listed
        missing = (1 << (len(listed) - 1).bit_length()) - len(listed)
        return [*listed, *[listed[-1]] * missing]


def _row_type(description: Sequence[Sequence[Any]]) -> type[Any]:
    names = [column[0] for column in description]
    return type("Row", (namedtuple("Row", names, rename=True),), {"__slots__": ()})


def _with_each_spelled(clause: TextClause, dialect: str) -> TextClause:
    sql = clause.text
    for name, spelled in _EACH[dialect].items():
        sql = re.sub(rf"\b{name}\(:(\w+)\)", spelled, sql)
    if sql == clause.text:
        return clause
    lists = [bind for bind in clause._bindparams.values() if bind.expanding]
    return text(sql).bindparams(*lists)


def _null_beside(sql: str, name: str) -> tuple[Any, ...]:
    """A list of one NULL, or of one row of NULLs, for the list that stands behind `IN`."""
    found = re.search(rf"(\([^()]*\)|[\w.\"]+)\s+IN\s+:{name}\b", sql, re.IGNORECASE)
    assert found is not None, f"{name} is no list behind IN"
    assert found[1].upper() != "NOT", "NOT IN an empty list is everything; write an expression"
    beside = found[1].count(",") + 1
    return ((None,) * beside,) if found[1].startswith("(") else (None,)


def _readers(compiled: SQLCompiler, dialect: Dialect) -> list[tuple[int, Callable[[Any], Any]]]:
    """By column, how a value that the database holds otherwise (a truth value) is read."""
    readers: list[tuple[int, Callable[[Any], Any]]] = []
    for index, column in enumerate(compiled._result_columns):
        reader = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if reader is not None:
            readers.append((index, reader))
    return readers
