"""The steps of statements behind ISSUED. `lane` is 0, instants are microseconds."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from kernel.database.columns import forbid
from ledger.tables import metadata

statement_step = Table(
    "statement_step",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("month", Integer, primary_key=True, autoincrement=False),
    Column("merchant_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("told_by", Text, nullable=False),
    Column("told_at", Integer, nullable=False),
    Column("reason", Text, nullable=True),
    Column("adjustment", Integer, nullable=False),
    CheckConstraint("state IN ('CONFIRMED', 'DISPUTED', 'PAID')", name="statement_step_state"),
    CheckConstraint("number > 0", name="statement_step_number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Each step of a statement with who took it, and what the alliance adjusted for it, minor units."""

for _action in ("DELETE", "UPDATE"):
    forbid(metadata, "statement_step", _action, message="statement_step rows are for ever")
