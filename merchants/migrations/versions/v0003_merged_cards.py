"""Cards that are one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "merchants_0003"
down_revision = "merchants_0002"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "card_alias",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("survivor_id", sa.Text(), nullable=False),
        sa.Column("merge_id", sa.Text(), nullable=False),
        sa.CheckConstraint("card_id <> survivor_id", name="card_alias_other"),
        sa.PrimaryKeyConstraint("merchant_id", "card_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "card_alias_survivor", "card_alias", ["merchant_id", "survivor_id"], unique=False
    )
    op.create_table(
        "wallet_merge",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("merge_id", sa.Text(), nullable=False),
        sa.Column("survivor_card_id", sa.Text(), nullable=False),
        sa.Column("merged_card_id", sa.Text(), nullable=False),
        sa.Column("coupons_moved", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Text(), nullable=False),
        sa.Column("is_undone", sa.Integer(), nullable=False),
        sa.CheckConstraint("is_undone IN (0, 1)", name="wallet_merge_undone"),
        sa.PrimaryKeyConstraint("merchant_id", "merge_id"),
        sqlite_with_rowid=False,
    )
