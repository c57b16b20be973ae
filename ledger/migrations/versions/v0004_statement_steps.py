"""What became of statements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "ledger_0004"
down_revision = "ledger_0003"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "statement_step",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.Column("told_at", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("adjustment", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('CONFIRMED', 'DISPUTED', 'PAID')", name="statement_step_state"
        ),
        sa.CheckConstraint("number > 0", name="statement_step_number"),
        sa.PrimaryKeyConstraint("lane", "month", "merchant_id", "number"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
