"""Chooses the port that fits a connection."""

from __future__ import annotations

from sqlalchemy import Connection

from ledger.port import Port
from ledger.sqlite import SqlitePort


def port_on(connection: Connection, lane: int) -> Port:
    """The port to one lane, inside the transaction of the connection."""
    assert connection.dialect.name == "sqlite", "the ledger has no port to this database"
    return SqlitePort(connection, lane)
