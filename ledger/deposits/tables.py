"""The deposit accounts, in double entry of their own: collateral is no part of settlement."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text

from kernel.database.columns import forbid
from ledger.tables import metadata

deposit_entry = Table(
    "deposit_entry",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("leg", Integer, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", Integer, nullable=False),
    CheckConstraint("amount <> 0", name="deposit_entry_amount"),
    Index("deposit_entry_account", "lane", "account", "id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Two rows a movement: the merchant's and the one of all deposits, which sum to zero."""

for _action in ("DELETE", "UPDATE"):
    forbid(metadata, "deposit_entry", _action, message="deposit_entry rows are for ever")
