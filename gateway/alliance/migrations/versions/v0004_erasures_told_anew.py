"""Backends hear of every erasure: those before this revision told the ledger alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alliance_0004"
down_revision = "alliance_0003"


def upgrade() -> None:
    """Lets the sweeper finish every erasure once more; whoever heard of it changes nothing."""
    erasure = sa.table("erasure", sa.column("is_done", sa.Boolean()))
    op.execute(erasure.update().values(is_done=sa.false()))
