"""Members, cards, merchants, stores, checkouts and settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "alliance_0001"
down_revision = None


def upgrade() -> None:
    """Brings the tables from the revision before to this one."""
    op.create_table(
        "alliance_settings",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("earn_points_per_major_unit", sa.Integer(), nullable=False),
        sa.Column("member_point_value", sa.Text(), nullable=False),
        sa.Column("activation_days_store", sa.Integer(), nullable=False),
        sa.Column("activation_days_online", sa.Integer(), nullable=False),
        sa.Column("expiry", sa.Text(), nullable=False),
        sa.Column("expiry_months", sa.Integer(), nullable=True),
        sa.Column("debt_policy", sa.Text(), nullable=False),
        sa.Column("deposit_policy", sa.Text(), nullable=False),
        sa.Column("points_cap_bps", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "applied_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkout",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=True),
        sa.Column("membership_id", sa.Text(), nullable=True),
        sa.Column("cart", sa.Text(), nullable=False),
        sa.Column("agreed", sa.Text(), nullable=False),
        sa.Column("payable_minor", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=True),
        sa.Column("paid_at", sa.Integer(), nullable=True),
        sa.Column("absorbed_minor", sa.Integer(), nullable=False),
        sa.Column("points_active_at", sa.Integer(), nullable=True),
        sa.Column("points_expire_at", sa.Integer(), nullable=True),
        sa.Column("is_extended", sa.Integer(), nullable=False),
        sa.Column("lacks_locks", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('OPENING', 'HELD', 'CAPTURING', 'CAPTURED', 'RELEASING', 'RELEASED')"
        ),
        sa.CheckConstraint("state NOT IN ('CAPTURING', 'CAPTURED') OR order_no IS NOT NULL"),
        sa.CheckConstraint("(order_no IS NULL) = (paid_at IS NULL)"),
        sa.CheckConstraint("is_extended IN (0, 1) AND lacks_locks IN (0, 1)"),
        sa.CheckConstraint("payable_minor >= 0 AND absorbed_minor >= 0"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("attempt_id"),
    )
    op.create_index(
        "checkout_opened_by",
        "checkout",
        ["opened_by"],
        unique=True,
        sqlite_where=sa.text("opened_by IS NOT NULL"),
        postgresql_where=sa.text("opened_by IS NOT NULL"),
    )
    op.create_index(
        "checkout_unsettled",
        "checkout",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state IN ('OPENING', 'HELD', 'CAPTURING', 'RELEASING')"),
        postgresql_where=sa.text("state IN ('OPENING', 'HELD', 'CAPTURING', 'RELEASING')"),
    )
    op.create_table(
        "directory_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "event_cursor",
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("backend"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "merchant",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("backend_kind", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=True),
        sa.Column("admitted_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("(backend_kind = 'REMOTE') = (endpoint IS NOT NULL)"),
        sa.CheckConstraint("state IN ('APPLIED', 'ACTIVE', 'SUSPENDED', 'WINDING_DOWN', 'LEFT')"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_table(
        "outgoing_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outgoing_message_by_expiry", "outgoing_message", ["expires_at"], unique=False)
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
        "secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "verification_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name="verification_code_tries"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "verification_code_by_caller", "verification_code", ["caller", "created_at"], unique=False
    )
    op.create_index(
        "verification_code_by_value",
        "verification_code",
        ["kind", "value_hash", "created_at"],
        unique=False,
    )
    op.create_table(
        "merchant_leaving",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("announced_at", sa.Integer(), nullable=False),
        sa.Column("redeem_until", sa.Integer(), nullable=False),
        sa.Column("left_at", sa.Integer(), nullable=True),
        sa.CheckConstraint("announced_at < redeem_until", name="merchant_leaving_notice"),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
        ),
        sa.PrimaryKeyConstraint("merchant_id"),
    )
    op.create_table(
        "store",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('OPEN', 'CLOSED')"),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("merchant_id", "reference"),
    )
    op.create_table(
        "used_display_token",
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("expires_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
        ),
        sa.PrimaryKeyConstraint("proof"),
    )
    op.create_index(
        "used_display_token_by_expiry", "used_display_token", ["expires_s"], unique=False
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("birthday", sa.Text(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("referral_code", sa.Text(), nullable=True),
        sa.Column("invite_code", sa.Text(), nullable=True),
        sa.Column("joined_device", sa.Text(), nullable=True),
        sa.Column("joined_merchant_id", sa.Text(), nullable=False),
        sa.Column("joined_store_id", sa.Text(), nullable=False),
        sa.Column("joined_channel", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.Integer(), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.CheckConstraint("(status = 'MERGED') = (merged_into IS NOT NULL)", name="member_merged"),
        sa.CheckConstraint("status IN ('ACTIVE', 'FROZEN', 'MERGED', 'ERASED')"),
        sa.ForeignKeyConstraint(
            ["joined_merchant_id"],
            ["merchant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["joined_store_id"],
            ["store.id"],
        ),
        sa.ForeignKeyConstraint(
            ["merged_into"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("invite_code"),
    )
    op.create_index("member_by_survivor", "member", ["merged_into"], unique=False)
    op.create_table(
        "card",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('ISSUED', 'ACTIVE', 'LOST')"),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member_id"),
        sa.UniqueConstraint("number"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("consent_by_member", "consent", ["member_id", "id"], unique=False)
    op.create_table(
        "erasure",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id"),
    )
    op.create_index(
        "erasure_undone",
        "erasure",
        ["member_id"],
        unique=False,
        sqlite_where=sa.text("NOT is_done"),
        postgresql_where=sa.text("NOT is_done"),
    )
    op.create_table(
        "identity",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("masked", sa.Text(), nullable=False),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("asserted_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asserted_by"],
            ["merchant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("kind", "value_hash", "scope"),
        sqlite_with_rowid=False,
    )
    op.create_index("identity_by_member", "identity", ["member_id", "created_at"], unique=False)
