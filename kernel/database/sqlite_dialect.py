"""SQLite by apsw, for SQLAlchemy: `sqlite+apsw:///path`, and `sqlite+apsw://` in memory.

apsw brings a SQLite of its own, the same on every machine. What SQLAlchemy asks of a driver (PEP
249) and apsw spells otherwise stands here; statements run without it by the connection's own
`execute`. See docs/decisions/sqlite.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import apsw
from sqlalchemy import URL
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteDialect, SQLiteExecutionContext

CACHED_STATEMENTS = 512
BUSY_TIMEOUT_MS = 10_000

# What PEP 249 asks of a module.
apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"
Error = apsw.Error
Binary = bytes
sqlite_version_info = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))

_TRANSLATED = {
    "Error": "OperationalError",  # All others, which derive from it.
    "ConstraintError": "IntegrityError",
    "MismatchError": "IntegrityError",
    "CorruptError": "DatabaseError",
    "NotADBError": "DatabaseError",
    "TooBigError": "DataError",
}


class Cursor(apsw.Cursor):
    """A cursor that knows its columns when there are no rows, and how many it changed.

    Attributes:
        description: the columns of the last statement; None when it gives no rows.
        rowcount: how many rows the last statement changed, if it changes any; -1 when it ran more
            than once.
    """

    arraysize = 1
    description: Any = None
    rowcount = -1

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.exec_trace = _note_columns

    @property
    def lastrowid(self) -> int:
        """The last row inserted by the connection."""
        return self.connection.last_insert_rowid()

    def execute(self, statement: str, values: Any = ()) -> Cursor:  # type: ignore[override]
        """Runs a statement."""
        super().execute(statement, values)
        self.rowcount = self.connection.changes()
        return self

    def executemany(self, statement: str, rows: Any) -> Cursor:  # type: ignore[override]
        """Runs a statement once for each of the rows."""
        super().executemany(statement, rows)
        self.rowcount = -1
        return self

    def fetchone(self) -> Any:
        """The next row; None behind the last."""
        with _legible():
            return super().fetchone()

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows, so many at most."""
        with _legible():
            return list(islice(self, self.arraysize if size is None else size))

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        with _legible():
            return super().fetchall()


class Connection(apsw.Connection):
    """A connection with what a pool asks of it; statements and cursors are apsw's own."""

    def commit(self) -> None:
        """Commits, where a transaction is open."""
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Rolls back, where a transaction is open."""
        if self.in_transaction:
            self.execute("ROLLBACK")


def connect(path: str | Path) -> Connection:
    """A connection to a file, made when it is missing; it waits for others to let go of it.

    Raises:
        apsw.Error: it can not be opened.
    """
    try:
        connection = Connection(str(path), statementcachesize=CACHED_STATEMENTS)
    except UnicodeEncodeError as error:
        raise apsw.CantOpenError("the path is not UTF-8") from error
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    # A plan is kept whatever the values: SQLite would make a new one each time that a value could
    # decide whether a partial index serves, which takes three times as long as the read itself.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


def address_of_file(path: Path) -> URL:
    """What `create_engine` takes for a file, whatever its name."""
    return URL.create("sqlite+apsw", database=str(path))


class _Context(SQLiteExecutionContext):
    def create_default_cursor(self) -> Any:
        connection: Any = self._dbapi_connection.dbapi_connection
        # Made by the connection, which closes the cursors it knows when it is closed.
        connection.cursor_factory = Cursor
        try:
            return connection.cursor()
        finally:
            connection.cursor_factory = apsw.Cursor


class ApswDialect(SQLiteDialect):
    """SQLite as SQLAlchemy knows it, by apsw: each statement commits by itself outside BEGIN."""

    driver = "apsw"
    supports_statement_cache = True
    returns_native_bytes = True
    default_paramstyle = "qmark"
    description_encoding = None
    dbapi_exception_translation_map = _TRANSLATED
    execution_ctx_cls = _Context

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """This module."""
        return sys.modules[__name__]

    def create_connect_args(self, url: URL) -> Any:
        """The file's path; a connection may move from thread to thread."""
        return [str(Path(url.database).absolute()) if url.database else ":memory:"], {}

    def on_connect(self) -> Callable[[Any], None] | None:
        """Nothing."""
        return None

    def get_isolation_level_values(self, dbapi_conn: Any) -> list[Any]:
        """The only one there is."""
        return ["AUTOCOMMIT"]

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """Nothing: transactions are begun by statements."""

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        """True."""
        return True

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """False: a file is not lost."""
        return False

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        return sqlite_version_info


@contextmanager
def _legible() -> Iterator[None]:
    """Text that is none, in a damaged file, is an error of the file."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise apsw.Error(f"text that is not UTF-8: {error}") from error


def _note_columns(cursor: Any, _statement: str, _values: object) -> bool:
    cursor.description = cursor.get_description() or None
    return True


registry.register("sqlite.apsw", __name__, "ApswDialect")
