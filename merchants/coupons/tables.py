"""Tables of coupons: templates, coupons, who passed them on, what was given, who used them.

`merchant_id` leads every key. Amounts are minor units, instants microseconds since 1970 UTC; NEVER
stands for "never ends".
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
)

from kernel.database.columns import partial_index
from merchants.columns import key_column, text_column, whole_column


def add_coupon_tables(metadata: MetaData) -> None:
    """Adds the tables of coupons to a backend's."""
    _add_templates(metadata)
    _add_coupons(metadata)
    _add_shares(metadata)
    _add_occasions(metadata)
    _add_uses(metadata)


def _add_templates(metadata: MetaData) -> None:
    Table(
        "coupon_template",
        metadata,
        key_column("merchant_id"),
        key_column("template_id"),
        text_column("state"),
        text_column("kind"),
        text_column("draft"),
        whole_column("issued"),
        whole_column("quota_total", nullable=True),
        whole_column("quota_per_member"),
        whole_column("for_new_members"),
        text_column("trigger_kind", nullable=True),
        whole_column("budget_minor", nullable=True),
        whole_column("spent_minor"),
        whole_column("created_at"),
        CheckConstraint("state IN ('DRAFT','ACTIVE','PAUSED','ENDED')"),
        CheckConstraint(
            "spent_minor >= 0 AND (budget_minor IS NULL OR spent_minor <= budget_minor)",
            name="coupon_template_within_budget",
        ),
        CheckConstraint("issued >= 0"),
        CheckConstraint("quota_total IS NULL OR issued <= quota_total"),
        CheckConstraint("for_new_members IN (0, 1)"),
        Index("coupon_template_by_age", "merchant_id", "created_at", "template_id"),
    )


def _add_coupons(metadata: MetaData) -> None:
    Table(
        "coupon",
        metadata,
        key_column("merchant_id"),
        key_column("coupon_id"),
        text_column("template_id"),
        text_column("card_id"),
        text_column("code"),
        text_column("state"),
        text_column("attempt_id", nullable=True),
        whole_column("valid_from"),
        whole_column("valid_until"),
        whole_column("issued_at"),
        text_column("share_code", nullable=True),
        whole_column("share_until", nullable=True),
        text_column("passed_from", nullable=True),
        text_column("void_reason", nullable=True),
        CheckConstraint("state IN ('ISSUED','LOCKED','REDEEMED','TRANSFERRED','VOID')"),
        CheckConstraint("(state = 'LOCKED') <= (attempt_id IS NOT NULL)"),
        CheckConstraint("valid_from < valid_until"),
        CheckConstraint(
            "share_until IS NULL OR (state = 'TRANSFERRED' AND share_code IS NOT NULL)",
            name="coupon_share_is_a_transfer",
        ),
        CheckConstraint("void_reason IS NULL OR state = 'VOID'", name="coupon_reason_is_of_a_void"),
        UniqueConstraint("merchant_id", "code"),
        Index("coupon_of_card", "merchant_id", "card_id", "valid_until", "coupon_id"),
        Index("coupon_of_template", "merchant_id", "template_id", "card_id"),
        sqlite_with_rowid=False,
    )


def _add_shares(metadata: MetaData) -> None:
    # Every share of a coupon. The coupon's own row says whether one is open, this one how it ended.
    Table(
        "coupon_share",
        metadata,
        key_column("merchant_id"),
        key_column("share_code"),
        text_column("coupon_id"),
        text_column("card_id"),
        whole_column("shared_at"),
        whole_column("ends_at"),
        text_column("claimed_by", nullable=True),
        text_column("claimed_coupon_id", nullable=True),
        whole_column("claimed_at", nullable=True),
        whole_column("taken_back_at", nullable=True),
        CheckConstraint(
            "claimed_at IS NULL OR taken_back_at IS NULL", name="coupon_share_ends_one_way"
        ),
        Index("coupon_share_of_card", "merchant_id", "card_id", "shared_at"),
        Index("coupon_share_claimed", "merchant_id", "claimed_by", "claimed_at"),
        sqlite_with_rowid=False,
    )


def _add_occasions(metadata: MetaData) -> None:
    # What a template gave a card by itself; one coupon for each occasion.
    Table(
        "coupon_occasion",
        metadata,
        key_column("merchant_id"),
        key_column("template_id"),
        key_column("card_id"),
        key_column("occasion"),
        text_column("coupon_id"),
        sqlite_with_rowid=False,
    )

    # Tills of which merchants were told that a coupon of the alliance's is taken.
    Table(
        "coupon_shown",
        metadata,
        key_column("merchant_id"),
        key_column("coupon_id"),
        key_column("shown_to"),
        sqlite_with_rowid=False,
    )


def _add_uses(metadata: MetaData) -> None:
    # Who took a coupon, when and where. The partial index is the last guard: one live use each.
    Table(
        "coupon_use",
        metadata,
        key_column("merchant_id"),
        key_column("coupon_id"),
        key_column("attempt_id"),
        text_column("state"),
        text_column("store_id", nullable=True),
        text_column("order_id", nullable=True),
        whole_column("at"),
        whole_column("cost_minor"),
        CheckConstraint("state IN ('LOCKED','REDEEMED','RELEASED','RETURNED')"),
        CheckConstraint("cost_minor >= 0", name="coupon_use_cost"),
        CheckConstraint("(state IN ('REDEEMED','RETURNED')) <= (order_id IS NOT NULL)"),
        partial_index(
            "coupon_use_live",
            "merchant_id",
            "coupon_id",
            where="state IN ('LOCKED','REDEEMED')",
            unique=True,
        ),
        Index("coupon_use_of_attempt", "merchant_id", "attempt_id"),
        Index("coupon_use_of_order", "merchant_id", "order_id"),
        sqlite_with_rowid=False,
    )
