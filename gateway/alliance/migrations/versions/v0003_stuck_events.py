"""Events of backends that could not be booked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alliance_0003"
down_revision = "alliance_0002"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "stuck_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.Integer(), nullable=True),
        sa.CheckConstraint("tries >= 0", name="stuck_event_tries"),
        sa.PrimaryKeyConstraint("event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("stuck_event_place", "stuck_event", ["backend", "cursor"], unique=True)
