"""Deposits, the outbox, notices of expiry, and late entries by their month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "ledger_0002"
down_revision = "ledger_0001"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "deposit_entry",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leg", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount <> 0", name="deposit_entry_amount"),
        sa.PrimaryKeyConstraint("lane", "id", "leg"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "deposit_entry_account", "deposit_entry", ["lane", "account", "id"], unique=False
    )
    op.create_table(
        "expiry_notice",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("points > 0", name="expiry_notice_points"),
        sa.PrimaryKeyConstraint("lane", "card_id", "expires_at", "days"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("rejections", sa.Integer(), nullable=False),
        sa.Column("parked_at", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("parked_at IS NULL OR rejections > 0", name="outbox_parked"),
        sa.CheckConstraint("rejections >= 0", name="outbox_rejections"),
        sa.PrimaryKeyConstraint("lane", "id"),
        sa.UniqueConstraint("lane", "message_id", name="outbox_message"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("outbox_stream", "outbox", ["lane", "stream", "id"], unique=False)
    op.create_index(
        "outbox_troubled",
        "outbox",
        ["lane", "stream"],
        unique=False,
        sqlite_where=sa.text("rejections > 0"),
        postgresql_where=sa.text("rejections > 0"),
    )
    op.create_table(
        "outbox_cursor",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lane"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ledger_tx_late",
        "ledger_tx",
        ["lane", "origin_month"],
        unique=False,
        sqlite_where=sa.text("origin_month IS NOT NULL"),
        postgresql_where=sa.text("origin_month IS NOT NULL"),
    )
