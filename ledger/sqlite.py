"""Runs the ledger's hot statements straight on SQLite's own cursor.

A result object costs more than the statement that fills it, and an order runs a dozen; see
docs/decisions/ledger.md. Reads off the hot path use the connection as everyone does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError


class Lane:
    """One lane of the books, inside the transaction of a connection.

    Every method raises `OperationalError` or `IntegrityError` as the connection itself would.
    """

    def __init__(self, connection: Connection) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        self._raw = raw

    def first(self, statement: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row; None when there is none."""
        with _Told(statement):
            row: tuple[Any, ...] | None = self._raw.execute(statement, values).fetchone()
            return row

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row."""
        with _Told(statement):
            return self._raw.execute(statement, values).fetchall()

    def step(
        self, statement: str, values: Sequence[Any] = ()
    ) -> Generator[tuple[Any, ...], None, None]:
        """Row after row, each read when it is asked for."""
        with _Told(statement):
            cursor = self._raw.execute(statement, values)
            try:
                yield from cursor
            finally:
                cursor.close()

    def run(self, statement: str, values: Sequence[Any]) -> None:
        """Runs a statement that gives no rows."""
        with _Told(statement):
            self._raw.execute(statement, values)

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs a statement once for each of the rows; not at all when there are none."""
        if rows:
            with _Told(statement):
                self._raw.executemany(statement, rows)


class Grouped:
    """Rows that are sorted by their first column, handed out group by group."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._groups = groupby(rows, itemgetter(0))
        self._key: int | None = None
        self._rows: list[tuple[Any, ...]] = []
        self._next()

    def of(self, key: int) -> list[tuple[Any, ...]]:
        """The rows of a key; keys are asked for in rising order."""
        while self._key is not None and self._key < key:
            self._next()
        return self._rows if self._key == key else []

    def _next(self) -> None:
        group = next(self._groups, None)
        self._key = None if group is None else group[0]
        self._rows = [] if group is None else list(group[1])


class _Told:
    """Tells SQLite's errors in SQLAlchemy's words, which the database room understands."""

    __slots__ = ("_statement",)

    def __init__(self, statement: str) -> None:
        self._statement = statement

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.IntegrityError):
            raise IntegrityError(self._statement, None, error) from error
        if isinstance(error, sqlite3.Error):
            raise OperationalError(self._statement, None, error) from error
