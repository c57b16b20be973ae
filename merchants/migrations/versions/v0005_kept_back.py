"""What refunds keep back of coins and points, and for what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "merchants_0005"
down_revision = "merchants_0004"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    for column in (
        sa.Column("deducted_coins_minor", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("deducted_points", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("deducted_for", sa.Text(), nullable=False, server_default=""),
    ):
        op.add_column("refund", column)
