"""Statements compiled once, and run straight on the cursor of the database's driver.

What SQLAlchemy does for each execution (cache key, context, result metadata) costs several times
the statement itself. A prepared statement is compiled once for each dialect it meets; the
connection runs it as any other, and its rows are named tuples. See docs/decisions/database.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import apsw
from sqlalchemy import ClauseElement, Connection, Executable, bindparam, text
from sqlalchemy.exc import DataError, IntegrityError, NoResultFound, OperationalError

from kernel.statement_forms import SEAT, Form, PostgresForm, SqliteForm

__all__ = ["SEAT", "Prepared", "Rows", "driver_connection", "run", "savepoint", "told"]

SQLITE_ERRORS = (apsw.Error, UnicodeDecodeError, KeyError)
"""What SQLite's driver raises: of its own; for text in a damaged file; for a missing parameter."""


class Prepared(Executable):
    """A statement that `Connection.execute` runs without SQLAlchemy's execution machinery.

    Args:
        clause: SQL with `:name` parameters, or an expression with `bindparam`s. SQL is what both
            SQLite and PostgreSQL understand; `each(:name)` and `each_text(:name)` in the place
            of a table are the items of a JSON array, see `kernel.statement_forms`.
        lists: parameters that are lists, behind `IN`; those of an expression are `expanding`.
    """

    inherit_cache = False

    def __init__(self, clause: str | ClauseElement, *, lists: Sequence[str] = ()) -> None:
        if isinstance(clause, str):
            clause = text(clause).bindparams(*(bindparam(name, expanding=True) for name in lists))
        self._clause = clause
        self._sqlite = SqliteForm(clause)
        self._postgres: PostgresForm | None = None

    def bound(self, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The SQL that SQLite runs for these values, and what it is run with."""
        return self._sqlite.bound(values)

    def sent(
        self, connection: Connection, values: Mapping[str, Any]
    ) -> tuple[str, tuple[Any, ...]]:
        """The SQL that a server is sent for these values, and what it is run with."""
        form = self._form(connection)
        assert isinstance(form, PostgresForm)
        return form.bound(values)

    def _execute_on_connection(  # type: ignore[override]
        self, connection: Connection, distilled_params: Sequence[Mapping[str, Any]], _: object
    ) -> Rows:
        form = self._form(connection)
        sql = form.sql
        try:
            if len(distilled_params) > 1:
                return Rows(form, form.run_many(connection, distilled_params))
            sql, values = form.bound(distilled_params[0] if distilled_params else {})
            return Rows(form, form.run(connection, sql, values))
        except _driver_errors(connection) as error:
            raise told(sql, error) from error

    def _form(self, connection: Connection) -> Form:
        if connection.dialect.name == "sqlite":
            return self._sqlite
        if self._postgres is None:
            self._postgres = PostgresForm(self._clause, connection.dialect)
        return self._postgres


class Rows:
    """What a prepared statement gave; the part of SQLAlchemy's result that is used.

    Attributes:
        rowcount: how many rows it changed, of a statement that changes some and ran once.
    """

    __slots__ = ("_cursor", "_form", "rowcount")

    def __init__(self, form: Form, cursor: Any) -> None:
        self._form = form
        self._cursor = cursor
        self.rowcount = form.changed(cursor)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())

    def all(self) -> list[Any]:
        """Every row."""
        try:
            return self._form.rows(self._cursor)
        except SQLITE_ERRORS as error:
            raise told("fetch", error) from error

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


def driver_connection(connection: Connection) -> apsw.Connection:
    """SQLite's own connection behind this one, inside the same transaction."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, apsw.Connection)
    return raw


def run(connection: Connection, statement: str) -> None:
    """Runs a statement without parameters that gives no rows, as `SAVEPOINT`."""
    try:
        if connection.dialect.name == "sqlite":
            driver_connection(connection).execute(statement)
        elif (seat := connection.get_execution_options().get(SEAT)) is not None:
            seat.run(statement)
        else:
            cursor = connection.connection.cursor()
            cursor.execute(statement)
            cursor.close()
    except _driver_errors(connection) as error:
        raise told(statement, error) from error


@contextmanager
def savepoint(connection: Connection, name: str) -> Iterator[None]:
    """Undoes what was written inside when it raises; the transaction goes on.

    A statement that fails outside of any costs the whole transaction on PostgreSQL.
    """
    run(connection, f"SAVEPOINT {name}")
    try:
        yield
    except BaseException:
        run(connection, f"ROLLBACK TO {name}")
        run(connection, f"RELEASE {name}")
        raise
    run(connection, f"RELEASE {name}")


def told(statement: str, error: Exception) -> IntegrityError | DataError | OperationalError:
    """The driver's error in SQLAlchemy's words, which the database room understands."""
    # PostgreSQL's class 22, and what its driver can not send: the value is wrong, not the server.
    code = getattr(error, "sqlstate", None) or ""
    if code.startswith("22") or isinstance(error.__cause__, ValueError):
        return DataError(statement, None, error)
    if isinstance(error, (apsw.ConstraintError, apsw.MismatchError)):
        return IntegrityError(statement, None, error)
    # SQLAlchemy's adapter of asyncpg names it so.
    if code.startswith("23") or any(
        kind.__name__ == "IntegrityError" for kind in type(error).__mro__
    ):
        return IntegrityError(statement, None, error)
    return OperationalError(statement, None, error)


def _driver_errors(connection: Connection) -> tuple[type[Exception], ...]:
    """What the driver raises, and what a parameter that is missing raises before it runs."""
    if connection.dialect.name == "sqlite":
        return SQLITE_ERRORS
    return (connection.dialect.loaded_dbapi.Error, KeyError)
