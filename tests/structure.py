"""What a database itself says of its tables, so that two can be compared."""

from __future__ import annotations

import re
from collections import defaultdict

from sqlalchemy import Connection

Structure = dict[str, list[str]]
"""For each table what belongs to it: columns, constraints, options, indexes, triggers."""

_RELATION = (
    "JOIN pg_class AS kept ON kept.oid = {} JOIN pg_namespace AS place"
    " ON place.oid = kept.relnamespace WHERE place.nspname = current_schema()"
)
_POSTGRESQL = {
    "column": (
        "SELECT kept.relname, concat_ws(' ', quote_ident(attname), "
        "format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NOT NULL' END, "
        "attidentity, (SELECT collname FROM pg_collation WHERE oid = attcollation), "
        "pg_get_expr(adbin, adrelid)) FROM pg_attribute LEFT JOIN pg_attrdef "
        f"ON adrelid = attrelid AND adnum = attnum {_RELATION.format('attrelid')} "
        "AND attnum > 0 AND NOT attisdropped AND kept.relkind = 'r'"
    ),
    "constraint": (
        "SELECT kept.relname, conname || ' ' || pg_get_constraintdef(con.oid) "
        f"FROM pg_constraint AS con {_RELATION.format('con.conrelid')}"
    ),
    "index": (
        "SELECT kept.relname, pg_get_indexdef(indexrelid) "
        f"FROM pg_index {_RELATION.format('indrelid')}"
    ),
    "trigger": (
        "SELECT kept.relname, pg_get_triggerdef(trigger.oid) FROM pg_trigger AS trigger "
        f"{_RELATION.format('tgrelid')} AND NOT tgisinternal"
    ),
    "function": (
        "SELECT proname, pg_get_functiondef(pg_proc.oid) FROM pg_proc "
        "JOIN pg_namespace AS place ON place.oid = pronamespace "
        "WHERE place.nspname = current_schema()"
    ),
    "sequence": (
        "SELECT sequencename, concat_ws(' ', data_type, start_value, increment_by) "
        "FROM pg_sequences WHERE schemaname = current_schema()"
    ),
}


def structure_of(connection: Connection) -> Structure:
    """The structure, in an order that does not tell how it came about; no version table."""
    on_sqlite = connection.dialect.name == "sqlite"
    found = _sqlite(connection) if on_sqlite else _postgresql(connection)
    found.pop("alembic_version", None)
    return {name: sorted(found[name]) for name in sorted(found)}


def _sqlite(connection: Connection) -> Structure:
    found: Structure = defaultdict(list)
    rows = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master")
    for kind, name, table, sql in rows.all():
        if kind == "table":
            found[name] += _parts(sql) + _pragmas(connection, name)
        elif sql is not None:
            found[table].append(f"{kind} {_plain(sql)}")
    return found


def _parts(sql: str) -> list[str]:
    """A table's columns, constraints and options, as it was told them."""
    opening, closing = sql.index("("), sql.rindex(")")
    parts, depth, quoted = [""], 0, False
    for sign in sql[opening + 1 : closing]:
        quoted ^= sign == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return [*(f"part {_plain(part)}" for part in parts), f"options {_plain(sql[closing + 1 :])}"]


def _pragmas(connection: Connection, table: str) -> list[str]:
    """The same as the database understood it."""
    read = connection.exec_driver_sql
    columns = read(f'PRAGMA table_xinfo("{table}")').all()
    keys = read(f'PRAGMA foreign_key_list("{table}")').all()
    indexes = read(f'PRAGMA index_list("{table}")').all()
    kinds = read(f"SELECT wr, strict FROM pragma_table_list('{table}') WHERE schema = 'main'").one()
    return [
        f"kind {tuple(kinds)}",
        *(f"column {tuple(row[1:])}" for row in columns),
        *(f"key {tuple(row[2:])}" for row in keys),
        *(f"index {row[2:]} {_index_columns(connection, row[1])}" for row in indexes),
    ]


def _index_columns(connection: Connection, index: str) -> list[str]:
    return [str(row[2]) for row in connection.exec_driver_sql(f'PRAGMA index_info("{index}")')]


def _postgresql(connection: Connection) -> Structure:
    found: Structure = defaultdict(list)
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    for kind, query in _POSTGRESQL.items():
        for name, said in connection.exec_driver_sql(query).all():
            found[name].append(f"{kind} {_plain(said.replace(f'{schema}.', ''))}")
    return found


def _plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).replace('"', "").strip()
