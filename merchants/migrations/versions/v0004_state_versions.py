"""Which change of a merchant's state was told last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "merchants_0004"
down_revision = "merchants_0003"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.add_column(
        "merchant",
        sa.Column("state_version", sa.Integer(), nullable=False, server_default="0"),
    )
