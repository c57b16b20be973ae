"""Drafts the next revision of a database: `python -m kernel.database.migrating.drafting`.

    python -m kernel.database.migrating.drafting ledger.migrations deposits

compares the tables that the revisions make with those of the code, and writes the difference as
operations into a new file for a person to read. docs/decisions/migrations.md says what to look at.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import CreateIndexOp, DropIndexOp, ModifyTableOps, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from kernel.database.commits import CurrentTransaction
from kernel.database.migrating.history import History
from kernel.database.migrating.upgrading import upgrade

_COMMIT_MARK = "CurrentTransaction()"
_IMPORT = "\nfrom kernel.database.commits import CurrentTransaction"
_TEMPLATE = '''"""{title}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
{imports}
revision = "{revision}"
down_revision = {before}


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
{operations}
'''


def draft(history: History, topic: str) -> Path | None:
    """Writes the file of the next revision; None when the tables need none.

    Args:
        topic: what it brings, in small letters with underscores.
    """
    assert re.fullmatch(r"[a-z0-9_]+", topic)
    operations = difference(history)
    if operations is None:
        return None
    number = len(history.revisions) + 1
    before = f'"{history.head}"' if history.revisions else "None"
    path = history.versions / f"v{number:04}_{topic}.py"
    path.write_text(
        _TEMPLATE.format(
            title=topic.replace("_", " ").capitalize(),
            imports=f"{_IMPORT}\n" if _COMMIT_MARK in operations else "",
            revision=f"{history.name}_{number:04}",
            before=before,
            operations=operations,
        )
    )
    return path


def difference(history: History) -> str | None:
    """The operations from the last revision to the tables of the code; None when there are none."""
    engine = create_engine("sqlite+apsw://")
    with engine.connect() as connection:
        if history.revisions:
            upgrade(connection, history, history.head)
        context = MigrationContext.configure(
            connection, opts={"compare_server_default": False, "target_metadata": history.metadata}
        )
        script = produce_migrations(context, history.metadata)
    engine.dispose()
    operations = script.upgrade_ops
    if operations is None or operations.is_empty():
        return None
    return _rendered(operations, context)


def _rendered(operations: UpgradeOps, context: MigrationContext) -> str:
    text = render_python_code(
        operations,
        render_as_batch=_changes_tables(operations),
        render_item=_spell_commit_mark,
        migration_context=context,
    )
    lines = [
        f"    {line.strip()}" if not line.startswith(" ") else line for line in text.splitlines()
    ]
    return "\n".join(line for line in lines if "# ###" not in line)


def _changes_tables(operations: UpgradeOps) -> bool:
    """Whether a table that stands is changed, for which SQLite often has to rebuild it."""
    return any(
        not isinstance(change, (CreateIndexOp, DropIndexOp))
        for group in operations.ops
        if isinstance(group, ModifyTableOps)
        for change in group.ops
    )


def _spell_commit_mark(kind: str, item: Any, _context: object) -> str | Literal[False]:
    if kind == "server_default" and isinstance(getattr(item, "arg", item), CurrentTransaction):
        return _COMMIT_MARK
    return False


def main(arguments: list[str]) -> None:
    """Drafts for `arguments`: the package that holds HISTORY, and what the revision brings."""
    package, topic = arguments
    history: History = import_module(package).HISTORY
    written = draft(history, topic)
    sys.stdout.write(f"{written or 'the tables are those of the last revision'}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
