"""Reading rows in the order of their commits, though they were numbered before they committed.

On PostgreSQL several transactions number rows at the same time, and a later number may be
committed first. Each row keeps the transaction that wrote it; rows of transactions before the
oldest one that still runs are complete, whatever their numbers. A row is numbered by a statement
that is not the first to write in its transaction: its transaction has its own number by then.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from kernel.statements import Prepared

_EVERYTHING = 2**62
_HORIZON = Prepared("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)")


class CurrentTransaction(FunctionElement[int]):
    """The number of the transaction that writes; 0 where there is one at a time."""

    inherit_cache = True
    type = Integer()


@compiles(CurrentTransaction, "sqlite")
def _none(_element: CurrentTransaction, _compiler: SQLCompiler, **_options: Any) -> str:
    return "0"


@compiles(CurrentTransaction, "postgresql")
def _number(_element: CurrentTransaction, _compiler: SQLCompiler, **_options: Any) -> str:
    return "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"


def commit_mark(name: str) -> Column[int]:
    """A column that the database fills in: which transaction wrote the row."""
    return Column(name, Integer, nullable=False, server_default=CurrentTransaction())


def commit_horizon(connection: Connection) -> int:
    """Rows whose mark is below this were committed, and none below it is still to come."""
    if connection.dialect.name == "sqlite":
        return _EVERYTHING
    horizon: int = connection.execute(_HORIZON).scalar_one()
    return horizon
