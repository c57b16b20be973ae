"""The one way to open a database: `transaction` to write, `snapshot` to read.

Work is a plain function over a SQLAlchemy connection that reads, decides and writes. It may run
again after a failure, so it changes nothing but the database. See docs/decisions/database.md.
"""

from __future__ import annotations

from pathlib import Path

from kernel.database import columns as columns  # How types are spelled, before any table is made.
from kernel.database.addresses import PostgresAddress, address_of
from kernel.database.directory_lock import DirectoryInUse, DirectoryLock
from kernel.database.interface import Database, DatabaseUnavailable, InDoubt, Isolation, Overloaded
from kernel.database.migrating import DatabaseRefused, History, Schema
from kernel.database.sqlite import READERS, SqliteDatabase

__all__ = [
    "NEEDS_EXTRA",
    "READERS",
    "Database",
    "DatabaseRefused",
    "DatabaseUnavailable",
    "DirectoryInUse",
    "DirectoryLock",
    "History",
    "InDoubt",
    "Isolation",
    "Overloaded",
    "open_database",
]

NEEDS_EXTRA = "PostgreSQL needs the extra: pip install 'alliance-gateway[postgresql]'"


async def open_database(address: str | Path, schema: Schema) -> Database:
    """The database at `address`, with the tables of `schema`: made when new, upgraded when old.

    Args:
        address: path of a SQLite file, or `postgresql://user:password@host:port/name?schema=name`;
            `kernel.database.addresses` tells what else a URL may say.

    Raises:
        DatabaseRefused: it is newer than this code, or has no revision.
        DatabaseUnavailable: it can not be reached, opened or written.
        ValueError: a URL that names no database.
    """
    database = await _opened(address, schema)
    database.address = address
    return database


async def _opened(address: str | Path, schema: Schema) -> Database:
    place = address_of(address)
    if isinstance(place, PostgresAddress):
        # A gateway on SQLite alone runs without asyncpg.
        try:
            from kernel.database.postgresql import PostgresDatabase
        except ImportError as error:  # SQLAlchemy says so of greenlet.
            raise DatabaseUnavailable(NEEDS_EXTRA) from error

        return await PostgresDatabase.open(place, schema)
    return await SqliteDatabase.open(place, schema)
