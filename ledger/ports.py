"""Chooses the port and the cursor that fit a connection."""

from __future__ import annotations

from sqlalchemy import Connection

from ledger.port import Cursor, Port
from ledger.postgresql import PostgresCursor, PostgresPort
from ledger.sqlite import SqliteCursor, SqlitePort


def port_on(connection: Connection, lane: int) -> Port:
    """The port to one lane, inside the transaction of the connection."""
    if connection.dialect.name == "sqlite":
        return SqlitePort(connection, lane)
    return PostgresPort(connection, lane)


def cursor_on(connection: Connection) -> Cursor:
    """A cursor inside the transaction of the connection."""
    if connection.dialect.name == "sqlite":
        return SqliteCursor(connection)
    return PostgresCursor(connection)
