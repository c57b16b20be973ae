"""Codes, consents, referrals, merges and what else members change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alliance_0002"
down_revision = "alliance_0001"


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "member_merge",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("survivor_id", sa.Text(), nullable=False),
        sa.Column("merged_id", sa.Text(), nullable=False),
        sa.Column("survivor_card_id", sa.Text(), nullable=False),
        sa.Column("merged_card_id", sa.Text(), nullable=False),
        sa.Column("wallets", sa.Text(), nullable=False),
        sa.Column("moved", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('MERGING', 'MERGED', 'UNMERGING', 'UNMERGED')", name="merge_state"
        ),
        sa.CheckConstraint("survivor_id <> merged_id", name="merge_other"),
        sa.ForeignKeyConstraint(
            ["merged_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["survivor_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("merge_by_merged", "member_merge", ["merged_id"], unique=False)
    op.create_index("merge_by_survivor", "member_merge", ["survivor_id"], unique=False)
    op.create_index(
        "merge_opened_by",
        "member_merge",
        ["opened_by"],
        unique=True,
        sqlite_where=sa.text("opened_by IS NOT NULL"),
        postgresql_where=sa.text("opened_by IS NOT NULL"),
    )
    op.create_index(
        "merge_unfinished",
        "member_merge",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state IN ('MERGING', 'UNMERGING')"),
        postgresql_where=sa.text("state IN ('MERGING', 'UNMERGING')"),
    )
    op.create_table(
        "member_status_change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "referral",
        sa.Column("friend_id", sa.Text(), nullable=False),
        sa.Column("friend_card_id", sa.Text(), nullable=False),
        sa.Column("referrer_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("due_at", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('PENDING', 'QUALIFIED', 'REWARDED', 'REVERSED')", name="referral_state"
        ),
        sa.CheckConstraint("friend_id <> referrer_id", name="referral_other"),
        sa.ForeignKeyConstraint(
            ["friend_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["referrer_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("friend_id"),
    )
    op.create_index("referral_by_referrer", "referral", ["referrer_id", "at"], unique=False)
    op.create_index(
        "referral_due",
        "referral",
        ["due_at", "friend_id"],
        unique=False,
        sqlite_where=sa.text("state = 'QUALIFIED'"),
        postgresql_where=sa.text("state = 'QUALIFIED'"),
    )
    op.create_index(
        "referral_pending",
        "referral",
        ["friend_card_id"],
        unique=False,
        sqlite_where=sa.text("state = 'PENDING'"),
        postgresql_where=sa.text("state = 'PENDING'"),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_member", sa.Boolean(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"],
            ["card.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["store_id"],
            ["store.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member_id", "merchant_id"),
    )
    op.create_index("membership_by_card", "membership", ["card_id"], unique=False)
    op.create_index(
        "membership_untold",
        "membership",
        ["id"],
        unique=False,
        sqlite_where=sa.text("NOT is_told"),
        postgresql_where=sa.text("NOT is_told"),
    )
    op.create_table(
        "retired_card_number",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"],
            ["card.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
    )
