"""Shops, coupons, sales and refunds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kernel.database.commits import CurrentTransaction

revision = "merchants_0001"
down_revision = None


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "card_metric",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("order_count", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_minor >= 0"),
        sa.CheckConstraint("order_count >= 0"),
        sa.PrimaryKeyConstraint("merchant_id", "card_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "coupon",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.Integer(), nullable=False),
        sa.Column("share_code", sa.Text(), nullable=True),
        sa.Column("share_until", sa.Integer(), nullable=True),
        sa.Column("passed_from", sa.Text(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'LOCKED') <= (attempt_id IS NOT NULL)"),
        sa.CheckConstraint(
            "share_until IS NULL OR (state = 'TRANSFERRED' AND share_code IS NOT NULL)",
            name="coupon_share_is_a_transfer",
        ),
        sa.CheckConstraint("state IN ('ISSUED','LOCKED','REDEEMED','TRANSFERRED','VOID')"),
        sa.CheckConstraint(
            "void_reason IS NULL OR state = 'VOID'", name="coupon_reason_is_of_a_void"
        ),
        sa.CheckConstraint("valid_from < valid_until"),
        sa.PrimaryKeyConstraint("merchant_id", "coupon_id"),
        sa.UniqueConstraint("merchant_id", "code"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "coupon_of_card",
        "coupon",
        ["merchant_id", "card_id", "valid_until", "coupon_id"],
        unique=False,
    )
    op.create_index(
        "coupon_of_template", "coupon", ["merchant_id", "template_id", "card_id"], unique=False
    )
    op.create_table(
        "coupon_occasion",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "template_id", "card_id", "occasion"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "coupon_share",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("share_code", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("shared_at", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_coupon_id", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.Integer(), nullable=True),
        sa.Column("taken_back_at", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "claimed_at IS NULL OR taken_back_at IS NULL", name="coupon_share_ends_one_way"
        ),
        sa.PrimaryKeyConstraint("merchant_id", "share_code"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "coupon_share_claimed",
        "coupon_share",
        ["merchant_id", "claimed_by", "claimed_at"],
        unique=False,
    )
    op.create_index(
        "coupon_share_of_card",
        "coupon_share",
        ["merchant_id", "card_id", "shared_at"],
        unique=False,
    )
    op.create_table(
        "coupon_shown",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("shown_to", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "coupon_id", "shown_to"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "coupon_template",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("quota_total", sa.Integer(), nullable=True),
        sa.Column("quota_per_member", sa.Integer(), nullable=False),
        sa.Column("for_new_members", sa.Integer(), nullable=False),
        sa.Column("trigger_kind", sa.Text(), nullable=True),
        sa.Column("budget_minor", sa.Integer(), nullable=True),
        sa.Column("spent_minor", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('DRAFT','ACTIVE','PAUSED','ENDED')"),
        sa.CheckConstraint("for_new_members IN (0, 1)"),
        sa.CheckConstraint("issued >= 0"),
        sa.CheckConstraint("quota_total IS NULL OR issued <= quota_total"),
        sa.CheckConstraint(
            "spent_minor >= 0 AND (budget_minor IS NULL OR spent_minor <= budget_minor)",
            name="coupon_template_within_budget",
        ),
        sa.PrimaryKeyConstraint("merchant_id", "template_id"),
    )
    op.create_index(
        "coupon_template_by_age",
        "coupon_template",
        ["merchant_id", "created_at", "template_id"],
        unique=False,
    )
    op.create_table(
        "coupon_use",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("cost_minor", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state IN ('REDEEMED','RETURNED')) <= (order_id IS NOT NULL)"),
        sa.CheckConstraint("state IN ('LOCKED','REDEEMED','RELEASED','RETURNED')"),
        sa.CheckConstraint("cost_minor >= 0", name="coupon_use_cost"),
        sa.PrimaryKeyConstraint("merchant_id", "coupon_id", "attempt_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "coupon_use_live",
        "coupon_use",
        ["merchant_id", "coupon_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('LOCKED','REDEEMED')"),
        postgresql_where=sa.text("state IN ('LOCKED','REDEEMED')"),
    )
    op.create_index(
        "coupon_use_of_attempt", "coupon_use", ["merchant_id", "attempt_id"], unique=False
    )
    op.create_index("coupon_use_of_order", "coupon_use", ["merchant_id", "order_id"], unique=False)
    op.create_table(
        "ladder",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.Integer(), nullable=False),
        sa.Column("window_months", sa.Integer(), nullable=True),
        sa.Column("retention_months", sa.Integer(), nullable=False),
        sa.Column("downgrade", sa.Text(), nullable=False),
        sa.Column("return_days", sa.Integer(), nullable=False),
        sa.Column("growth_per_major_unit", sa.Integer(), nullable=False),
        sa.CheckConstraint("is_primary IN (0, 1)"),
        sa.CheckConstraint("version >= 1"),
        sa.PrimaryKeyConstraint("merchant_id", "name", "version"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "membership",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=True),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("coupon_ids", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "card_id"),
        sa.UniqueConstraint("merchant_id", "membership_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "merchant",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('ACTIVE','SUSPENDED','WINDING_DOWN','LEFT')"),
        sa.PrimaryKeyConstraint("merchant_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("refund_no", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Integer(), server_default=CurrentTransaction(), nullable=False),
        sa.PrimaryKeyConstraint("cursor"),
        sa.UniqueConstraint("merchant_id", "cursor"),
        sa.UniqueConstraint("merchant_id", "order_id", "refund_no"),
    )
    op.create_table(
        "pricing_policy",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("discount_cap_bps", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "discount_cap_bps IS NULL OR (0 <= discount_cap_bps AND discount_cap_bps <= 10000)",
            name="pricing_policy_cap_is_a_share",
        ),
        sa.CheckConstraint("version >= 1", name="pricing_policy_version_counts_from_one"),
        sa.PrimaryKeyConstraint("merchant_id", "version"),
    )
    op.create_table(
        "recorded_event",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("refund_no", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("qualifying_minor", sa.Integer(), nullable=False),
        sa.Column("is_ended", sa.Integer(), nullable=False),
        sa.CheckConstraint("is_ended IN (0, 1)"),
        sa.PrimaryKeyConstraint("merchant_id", "order_id", "refund_no"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recorded_order",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("at_merchant_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.Integer(), nullable=False),
        sa.Column("qualifying_minor", sa.Integer(), nullable=False),
        sa.Column("is_refunded", sa.Integer(), nullable=False),
        sa.CheckConstraint("is_refunded IN (0, 1)"),
        sa.CheckConstraint("qualifying_minor >= 0"),
        sa.PrimaryKeyConstraint("merchant_id", "order_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "recorded_order_of_card",
        "recorded_order",
        ["merchant_id", "card_id", "placed_at"],
        unique=False,
    )
    op.create_table(
        "refund",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("refund_no", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("fact_hash", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("shipping_minor", sa.Integer(), nullable=False),
        sa.Column("cash_minor", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("coins_minor", sa.Integer(), nullable=False),
        sa.Column("points_kept", sa.Integer(), nullable=False),
        sa.Column("qualifying_minor", sa.Integer(), nullable=False),
        sa.Column("coupon_outcome", sa.Text(), nullable=False),
        sa.Column("redemptions", sa.Text(), nullable=False),
        sa.Column("state_after", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("deducted_minor", sa.Integer(), nullable=False),
        sa.CheckConstraint("cash_minor >= 0"),
        sa.CheckConstraint("coins_minor >= 0"),
        sa.CheckConstraint("points >= 0"),
        sa.PrimaryKeyConstraint("merchant_id", "order_id", "refund_no"),
        sa.UniqueConstraint("merchant_id", "order_id", "position"),
    )
    op.create_table(
        "released_attempt",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("coupon_ids", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "attempt_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "request",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "operation", "request_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sale",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("fact_hash", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=True),
        sa.Column("card_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.Integer(), nullable=False),
        sa.Column("list_minor", sa.Integer(), nullable=False),
        sa.Column("payable_minor", sa.Integer(), nullable=False),
        sa.Column("shipping_minor", sa.Integer(), nullable=False),
        sa.Column("points_spent", sa.Integer(), nullable=False),
        sa.Column("coins_spent_minor", sa.Integer(), nullable=False),
        sa.Column("points_earned", sa.Integer(), nullable=False),
        sa.Column("absorbed_minor", sa.Integer(), nullable=False),
        sa.Column("refunded_minor", sa.Integer(), nullable=False),
        sa.Column("qualifying_minor", sa.Integer(), nullable=False),
        sa.Column("earn_points_per_major_unit", sa.Integer(), nullable=False),
        sa.Column("earn_bps", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("decisions", sa.Text(), nullable=False),
        sa.Column("redemptions", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('PAID','PARTIALLY_REFUNDED','REFUNDED')"),
        sa.CheckConstraint("0 <= refunded_minor AND refunded_minor <= payable_minor"),
        sa.CheckConstraint("absorbed_minor >= 0"),
        sa.CheckConstraint("qualifying_minor >= 0"),
        sa.PrimaryKeyConstraint("merchant_id", "order_id"),
        sa.UniqueConstraint("merchant_id", "order_no"),
    )
    op.create_index("sale_by_age", "sale", ["merchant_id", "placed_at", "order_id"], unique=False)
    op.create_index("sale_of_attempt", "sale", ["merchant_id", "attempt_id"], unique=False)
    op.create_index(
        "sale_of_card", "sale", ["merchant_id", "card_id", "placed_at", "order_id"], unique=False
    )
