"""Cards that are one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "ledger_0003"
down_revision = "ledger_0002"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "card_alias",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("card_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("merge_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("is_survivor", sa.Integer(), nullable=False),
        sa.Column("is_undone", sa.Integer(), nullable=False),
        sa.CheckConstraint("card_id <> other_id", name="card_alias_other"),
        sa.CheckConstraint("is_survivor IN (0, 1)", name="card_alias_side"),
        sa.CheckConstraint("is_undone IN (0, 1)", name="card_alias_undone"),
        sa.PrimaryKeyConstraint("lane", "card_id", "merge_id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "merged_part",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("merge_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('LOT', 'DEBT')", name="merged_part_kind"),
        sa.PrimaryKeyConstraint("lane", "merge_id", "kind", "ref"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "hold_of_card",
        "hold",
        ["lane", "card_id"],
        unique=False,
        sqlite_where=sa.text("state = 'HELD'"),
        postgresql_where=sa.text("state = 'HELD'"),
    )
