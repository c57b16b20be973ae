"""Chooses the port and the cursor that fit a connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy import Connection

from ledger.stores.port import Cursor, Port
from ledger.stores.postgresql import PostgresCursor, PostgresPort
from ledger.stores.sealed import ENTRIES, MOVES, TX
from ledger.stores.sqlite import SqliteCursor, SqlitePort

T = TypeVar("T")


def port_on(connection: Connection, lane: int) -> Port:
    """The port to one lane, inside the transaction of the connection."""
    if connection.dialect.name == "sqlite":
        return SqlitePort(connection, lane)
    return PostgresPort(connection, lane)


def on_lanes(connection: Connection, works: Mapping[int, Callable[[Port], T]]) -> dict[int, T]:
    """What the work on each lane returns, all inside the transaction of the connection.

    Of several lanes, those that others have locked may be left out; one alone waits.
    """
    if connection.dialect.name == "sqlite" or len(works) == 1:
        return {lane: work(port_on(connection, lane)) for lane, work in works.items()}
    from ledger.stores.side_by_side import run_side_by_side  # It needs what PostgreSQL alone needs.

    return run_side_by_side(connection, works)


def cursor_on(connection: Connection) -> Cursor:
    """A cursor inside the transaction of the connection."""
    if connection.dialect.name == "sqlite":
        return SqliteCursor(connection)
    return PostgresCursor(connection)


def sealed_on(connection: Connection, lane: int, after: int, up_to: int) -> list[bytes]:
    """Of each transaction in a span, in order, what its leaf hashes; see `ledger.stores.sealed`."""
    if connection.dialect.name == "sqlite":
        return SqliteCursor(connection).sealed(lane, after, up_to)
    cursor = PostgresCursor(connection)
    entries, moves = (cursor.as_json(each, lane, after, up_to) for each in (ENTRIES, MOVES))
    return [
        b"%b,%b,%b" % (tx, entries.get(seq, b"[]"), moves.get(seq, b"[]"))
        for seq, tx in cursor.as_json(TX, lane, after, up_to).items()
    ]
