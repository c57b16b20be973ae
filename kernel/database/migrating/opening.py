"""Where a database stands in its history, and what opening it takes.

Alembic, which is slow to load, is loaded for a database that is behind, and for no other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TypeAlias

from sqlalchemy import Connection, MetaData

from kernel.database.migrating.history import History, NewerDatabase, UnversionedDatabase

logger = logging.getLogger(__name__)

Schema: TypeAlias = MetaData | History
"""Tables with their history; or without, when no database of theirs outlives the code."""

_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
}
_MAKE_VERSION = (
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def is_up_to_date(connection: Connection, schema: Schema) -> bool:
    """Whether the database needs no change.

    Raises:
        NewerDatabase: it has a revision that the history does not.
        UnversionedDatabase: it has tables of the history and no revision.
    """
    present = _tables(connection)
    if isinstance(schema, MetaData):
        return present.issuperset(schema.tables)
    return _revision(connection, schema, present) == schema.head


def bring_up_to_date(connection: Connection, schema: Schema) -> None:
    """Makes the tables of a new database, or upgrades those of an old one.

    The caller owns the transaction, in which nobody else may change the tables.

    Raises:
        NewerDatabase, UnversionedDatabase: as `is_up_to_date`.
        BrokenReference: a revision is wrong.
    """
    if isinstance(schema, MetaData):
        schema.create_all(connection)
        return
    revision = _revision(connection, schema, _tables(connection))
    if revision == schema.head:
        return
    if revision is None:
        # The tests hold what this makes equal to what the revisions make, one after another.
        schema.metadata.create_all(connection)
        connection.exec_driver_sql(_MAKE_VERSION)
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{schema.head}')")
        return

    from kernel.database.migrating.upgrading import upgrade  # Slow to load.

    logger.warning("upgrading the database from %s to %s", revision, schema.head)
    upgrade(connection, schema, schema.head)


def _tables(connection: Connection) -> set[str]:
    rows = connection.exec_driver_sql(_TABLES[connection.dialect.name])
    return {row[0] for row in rows}


def _revision(connection: Connection, history: History, present: set[str]) -> str | None:
    """The database's revision; None when it has no tables yet."""
    recorded: list[str] = []
    if "alembic_version" in present:
        rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
        recorded = [row[0] for row in rows]
    if not recorded:
        if present.isdisjoint(history.metadata.tables):
            return None
        raise UnversionedDatabase(
            f"this {history.name} database was made before databases had revisions, so it can not "
            f"be upgraded; open it with the version that made it, or begin a new one"
        )
    if len(recorded) > 1 or recorded[0] not in history.revisions:
        raise NewerDatabase(_why_not(history, recorded))
    return recorded[0]


def _why_not(history: History, recorded: Iterable[str]) -> str:
    found = ", ".join(sorted(recorded))
    if not found.startswith(f"{history.name}_"):
        return f"this is no {history.name} database: it is at revision {found}"
    return (
        f"this {history.name} database is at revision {found}, and this version of the program "
        f"knows none after {history.head}; use the version that upgraded it, or a later one"
    )
