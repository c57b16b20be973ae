"""Cards of erased members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "merchants_0006"
down_revision = "merchants_0005"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "forgotten_card",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "card_id"),
        sqlite_with_rowid=False,
    )
