"""Spells the tables' types for PostgreSQL, and guards rows on every database alike.

Tables are written once, in SQLAlchemy's plain types. On PostgreSQL an `Integer` is a BIGINT, since
SQLite's integers have 64 bits, and a `Text` column is ordered by its bytes, as SQLite orders it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import DDL, Column, Index, Integer, MetaData, Text, event, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.compiler import DDLCompiler, TypeCompiler


@compiles(Integer, "postgresql")
def _whole_of_64_bits(_type: Integer, _compiler: TypeCompiler, **_options: Any) -> str:
    return "BIGINT"


@compiles(Text, "postgresql")
def _text_by_its_bytes(_type: Text, _compiler: TypeCompiler, **options: Any) -> str:
    # A cast takes no collation; what it casts keeps its own.
    return 'TEXT COLLATE "C"' if isinstance(options.get("type_expression"), Column) else "TEXT"


@compiles(CreateColumn, "postgresql")
def _counter_of_64_bits(element: CreateColumn, compiler: DDLCompiler, **options: Any) -> str:
    spelled: str = compiler.visit_create_column(element, **options)  # type: ignore[no-untyped-call]
    return spelled.replace(" SERIAL", " BIGSERIAL") if spelled else spelled


_NEW = re.compile(r"\bNEW\.(\w+)")


def partial_index(
    name: str, *columns: str | Column[Any], where: str, unique: bool = False
) -> Index:
    """An index of the rows for which `where` holds, SQL that every database understands."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


@dataclass(frozen=True, slots=True)
class Guard:
    """A statement that makes a trigger of a table, or what the trigger runs."""

    table: str
    dialect: str
    statement: DDL


def guards_of(metadata: MetaData) -> list[Guard]:
    """What `forbid` asked for, in the order in which it is made."""
    guards: list[Guard] = metadata.info.setdefault("guards", [])
    return guards


def forbid(
    metadata: MetaData,
    table: str,
    action: str,
    *,
    message: str,
    when: str | None = None,
    name: str | None = None,
) -> None:
    """Makes every database refuse a change of a row, as a broken constraint, with `message`.

    Args:
        action: INSERT, UPDATE or DELETE; PostgreSQL's TRUNCATE is a DELETE of every row.
        when: condition over OLD and NEW that every database understands; None for every row. If
            it holds a subquery, it is about NEW alone, and PostgreSQL asks when all rows of the
            statement are written.
        name: of the trigger; a table with two for one action names them.
    """
    name = name or f"{table}_no_{action.lower()}"
    refused = message.replace("'", "''")
    sqlite = (
        f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {action} ON {table} "
        + (f"WHEN {when} " if when else "")
        + f"BEGIN SELECT RAISE(ABORT, '{refused}'); END"
    )
    function, trigger = _on_postgresql(name, table, action, refused, when)
    statements = [("sqlite", sqlite), ("postgresql", function), ("postgresql", trigger)]
    if action == "DELETE" and when is None:
        whole = (
            f"CREATE OR REPLACE TRIGGER {name}_at_once BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
        statements.append(("postgresql", whole))
    for dialect, statement in statements:
        # DDL fills in Python's % formats.
        guard = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
        guards_of(metadata).append(Guard(table, dialect, guard))
        event.listen(metadata, "after_create", guard.execute_if(dialect=dialect))


def _on_postgresql(
    name: str, table: str, action: str, refused: str, when: str | None
) -> tuple[str, str]:
    """The function, and the trigger that runs it. 23514 is the code of a broken check."""
    raises = f"RAISE EXCEPTION '{refused.replace('%', '%%')}' USING ERRCODE = '23514'"
    begins = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    runs = f"EXECUTE FUNCTION {name}()"
    if when is None or "SELECT" not in when:
        # A condition of the row alone is the trigger's own: the function runs to refuse.
        condition = f"WHEN ({when}) " if when else ""
        return (
            f"{begins} {raises}; END $$",
            f"CREATE OR REPLACE TRIGGER {name} BEFORE {action} ON {table} "
            f"FOR EACH ROW {condition}{runs}",
        )
    # A trigger's WHEN may hold no subquery there, and a function for each row costs more than the
    # row. One for each statement looks at what differs in the columns that the condition names.
    columns = ", ".join(dict.fromkeys(_NEW.findall(when)))
    assert "OLD." not in when, "what asks other tables asks about new rows"
    assert columns, "a guard looks at the row"
    asked = _NEW.sub(r"written.\1", when)
    return (
        f"{begins} IF EXISTS (SELECT FROM (SELECT DISTINCT {columns} FROM written) AS written "
        f"WHERE {asked}) THEN {raises}; END IF; RETURN NULL; END $$",
        f"CREATE OR REPLACE TRIGGER {name} AFTER {action} ON {table} "
        f"REFERENCING NEW TABLE AS written FOR EACH STATEMENT {runs}",
    )
