"""Closed periods are guarded once a statement on PostgreSQL, positions against moves."""

from __future__ import annotations

revision = "ledger_0005"
down_revision = "ledger_0004"


def upgrade() -> None:
    """Changes nothing itself; triggers are those of the newest code after every upgrade."""
