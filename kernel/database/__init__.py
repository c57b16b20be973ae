"""The one way to open a database: `transaction` to write, `snapshot` to read.

Work is a plain function over a SQLAlchemy connection that reads, decides and writes. It may run
again after a failure, so it changes nothing but the database. See docs/decisions/database.md.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import MetaData

from kernel.database import columns as columns  # How types are spelled, before any table is made.
from kernel.database.addresses import PostgresAddress, address_of
from kernel.database.directory_lock import DirectoryInUse, DirectoryLock
from kernel.database.interface import Database, DatabaseUnavailable, InDoubt, Isolation, Overloaded
from kernel.database.sqlite import READERS, SqliteDatabase

__all__ = [
    "READERS",
    "Database",
    "DatabaseUnavailable",
    "DirectoryInUse",
    "DirectoryLock",
    "InDoubt",
    "Isolation",
    "Overloaded",
    "open_database",
]


async def open_database(address: str | Path, metadata: MetaData) -> Database:
    """The database at `address`, with every table of `metadata`.

    Args:
        address: path of a SQLite file, or `postgresql://user:password@host:port/name?schema=name`;
            `kernel.database.addresses` tells what else a URL may say.

    Raises:
        DatabaseUnavailable: it can not be reached, opened or written.
        ValueError: a URL that names no database.
    """
    place = address_of(address)
    if isinstance(place, PostgresAddress):
        # A gateway on SQLite alone runs without asyncpg.
        try:
            from kernel.database.postgresql import PostgresDatabase
        except ModuleNotFoundError as error:
            raise DatabaseUnavailable(
                "PostgreSQL needs the extra: pip install 'alliance-gateway[postgresql]'"
            ) from error

        return await PostgresDatabase.open(place, metadata)
    return await SqliteDatabase.open(place, metadata)
