"""Runs the revisions that a database lacks, by Alembic.

The triggers are taken off first, so that a revision may change rows that are for ever and rebuild
their tables (which drops the triggers without a word), and are all made anew in the end, from what
`kernel.database.columns.forbid` was told. Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect

from kernel.database.columns import guards_of
from kernel.database.interface import DatabaseUnavailable
from kernel.database.migrating.history import History

_TRIGGERS = (
    "SELECT trigger.tgname, kept.relname, function.proname FROM pg_trigger AS trigger "
    "JOIN pg_class AS kept ON kept.oid = trigger.tgrelid "
    "JOIN pg_proc AS function ON function.oid = trigger.tgfoid "
    "JOIN pg_namespace AS place ON place.oid = kept.relnamespace "
    "WHERE place.nspname = current_schema() AND NOT trigger.tgisinternal "
    "AND trigger.tgname IN (function.proname, function.proname || '_at_once') "
    "AND function.pronamespace = place.oid"
)


class BrokenReference(DatabaseUnavailable):
    """A revision left a row that refers to one that is gone."""


@cache
def scripts_in(versions: Path) -> ScriptDirectory:
    """The revisions in a directory, loaded once."""
    return ScriptDirectory(str(versions), version_locations=[str(versions)])


def upgrade(connection: Connection, history: History, revision: str) -> None:
    """Brings the tables to `revision`, with the triggers of the tables that it has.

    The caller owns the transaction; on SQLite it has put foreign keys off.

    Raises:
        BrokenReference: a foreign key leads nowhere.
    """
    scripts = scripts_in(history.versions)

    def steps(heads: Any, _context: MigrationContext) -> Iterator[Any]:
        yield from scripts._upgrade_revs(revision, heads)

    _drop_guards(connection)
    # Alembic commits each revision unless it finds the connection in a transaction.
    assert connection.in_transaction()
    context = MigrationContext.configure(connection, opts={"fn": steps, "script": scripts})
    with Operations.context(context):
        context.run_migrations()
    _make_guards(connection, history.metadata)
    if connection.dialect.name == "sqlite":
        _check_references(connection)


def _drop_guards(connection: Connection) -> None:
    run = connection.exec_driver_sql
    if connection.dialect.name == "sqlite":
        for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            run(f'DROP TRIGGER "{name}"')
        return
    guards = run(_TRIGGERS).all()
    for name, table, _ in guards:
        run(f'DROP TRIGGER "{name}" ON "{table}"')
    for function in sorted({function for _, _, function in guards}):
        run(f'DROP FUNCTION "{function}"()')


def _make_guards(connection: Connection, metadata: MetaData) -> None:
    present = set(inspect(connection).get_table_names())
    for guard in guards_of(metadata):
        if guard.dialect == connection.dialect.name and guard.table in present:
            connection.execute(guard.statement)


def _check_references(connection: Connection) -> None:
    """Finds what SQLite did not look at while foreign keys were off."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise BrokenReference(f"a row of {broken[0]} refers to a row of {broken[2]} that is gone")
