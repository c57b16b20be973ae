"""Promotions, and tiers over time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "merchants_0002"
down_revision = "merchants_0001"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "growth_entry",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("growth", sa.Integer(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.CheckConstraint("growth >= 0", name="growth_entry_growth"),
        sa.PrimaryKeyConstraint("merchant_id", "card_id", "code", "reference"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "growth_entry_by_time", "growth_entry", ["merchant_id", "card_id", "at"], unique=False
    )
    op.create_table(
        "growth_task",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("set_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "code"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paid_membership",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("paid_id", sa.Text(), nullable=False),
        sa.Column("bought_by", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Integer(), nullable=False),
        sa.Column("refunded_at", sa.Integer(), nullable=True),
        sa.Column("refunded_minor", sa.Integer(), nullable=True),
        sa.CheckConstraint("starts_at < ends_at", name="paid_membership_span"),
        sa.PrimaryKeyConstraint("merchant_id", "card_id", "paid_id"),
        sa.UniqueConstraint("merchant_id", "paid_id", name="paid_membership_id"),
        sa.UniqueConstraint("merchant_id", "reference", name="paid_membership_reference"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paid_plan",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "code"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "promotion",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("opens_at", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("stock IS NULL OR taken <= stock", name="promotion_stock_not_exceeded"),
        sa.CheckConstraint("taken >= 0", name="promotion_taken_not_negative"),
        sa.CheckConstraint("version >= 1", name="promotion_version_counts_from_one"),
        sa.PrimaryKeyConstraint("merchant_id", "promotion_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "promotion_by_age", "promotion", ["merchant_id", "created_at", "promotion_id"], unique=False
    )
    op.create_index(
        "promotion_by_end", "promotion", ["merchant_id", "ends_at", "promotion_id"], unique=False
    )
    op.create_table(
        "promotion_use",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('HELD','RELEASED') OR order_id IS NOT NULL",
            name="promotion_use_of_order_names_it",
        ),
        sa.CheckConstraint(
            "state IN ('HELD','SOLD','RELEASED','RETURNED')", name="promotion_use_state"
        ),
        sa.CheckConstraint("units >= 1", name="promotion_use_of_units"),
        sa.PrimaryKeyConstraint("merchant_id", "promotion_id", "attempt_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "promotion_use_of_attempt", "promotion_use", ["merchant_id", "attempt_id"], unique=False
    )
    op.create_index(
        "promotion_use_of_order", "promotion_use", ["merchant_id", "order_id"], unique=False
    )
    op.create_table(
        "promotion_version",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("set_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "promotion_id", "version"),
    )
    op.create_table(
        "tier_evaluation",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("ladder", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("window_from", sa.Integer(), nullable=True),
        sa.Column("figure", sa.Integer(), nullable=False),
        sa.Column("rank_before", sa.Integer(), nullable=False),
        sa.Column("rank_after", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('ORDER','TASK','REFUND','DUE','RULE')", name="tier_evaluation_cause"
        ),
        sa.PrimaryKeyConstraint("merchant_id", "card_id", "ladder", "at", "cause", "reference"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tier_floor",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("ladder", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("rank >= 1", name="tier_floor_rank"),
        sa.PrimaryKeyConstraint("merchant_id", "card_id", "ladder", "cause"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tier_held",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("ladder", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Integer(), nullable=False),
        sa.CheckConstraint("rank >= 0", name="tier_held_rank"),
        sa.PrimaryKeyConstraint("merchant_id", "card_id", "ladder"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "tier_held_due",
        "tier_held",
        ["valid_until", "merchant_id", "card_id", "ladder"],
        unique=False,
    )
    op.create_table(
        "tier_policy",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 1", name="tier_policy_version"),
        sa.PrimaryKeyConstraint("merchant_id", "version"),
        sqlite_with_rowid=False,
    )
