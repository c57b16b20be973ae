"""Tables of coupons: templates, coupons, who passed them on, what was given, who used them.

`merchant_id` leads every key. Amounts are minor units, instants microseconds since 1970 UTC; NEVER
stands for "never ends".
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable)


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
        _key("merchant_id"),
        _key("template_id"),
        _text("state"),
        _text("kind"),
        _text("draft"),
        _whole("issued"),
        _whole("quota_total", nullable=True),
        _whole("quota_per_member"),
        _whole("for_new_members"),
        _text("trigger_kind", nullable=True),
        _whole("budget_minor", nullable=True),
        _whole("spent_minor"),
        _whole("created_at"),
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
        _key("merchant_id"),
        _key("coupon_id"),
        _text("template_id"),
        _text("card_id"),
        _text("code"),
        _text("state"),
        _text("attempt_id", nullable=True),
        _whole("valid_from"),
        _whole("valid_until"),
        _whole("issued_at"),
        _text("share_code", nullable=True),
        _whole("share_until", nullable=True),
        _text("passed_from", nullable=True),
        _text("void_reason", nullable=True),
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
        _key("merchant_id"),
        _key("share_code"),
        _text("coupon_id"),
        _text("card_id"),
        _whole("shared_at"),
        _whole("ends_at"),
        _text("claimed_by", nullable=True),
        _text("claimed_coupon_id", nullable=True),
        _whole("claimed_at", nullable=True),
        _whole("taken_back_at", nullable=True),
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
        _key("merchant_id"),
        _key("template_id"),
        _key("card_id"),
        _key("occasion"),
        _text("coupon_id"),
        sqlite_with_rowid=False,
    )

    # Tills of which merchants were told that a coupon of the alliance's is taken.
    Table(
        "coupon_shown",
        metadata,
        _key("merchant_id"),
        _key("coupon_id"),
        _key("shown_to"),
        sqlite_with_rowid=False,
    )


def _add_uses(metadata: MetaData) -> None:
    # Who took a coupon, when and where. The partial index is the last guard: one live use each.
    Table(
        "coupon_use",
        metadata,
        _key("merchant_id"),
        _key("coupon_id"),
        _key("attempt_id"),
        _text("state"),
        _text("store_id", nullable=True),
        _text("order_id", nullable=True),
        _whole("at"),
        _whole("cost_minor"),
        CheckConstraint("state IN ('LOCKED','REDEEMED','RELEASED','RETURNED')"),
        CheckConstraint("cost_minor >= 0", name="coupon_use_cost"),
        CheckConstraint("(state IN ('REDEEMED','RETURNED')) <= (order_id IS NOT NULL)"),
        Index(
            "coupon_use_live",
            "merchant_id",
            "coupon_id",
            unique=True,
            sqlite_where=text("state IN ('LOCKED','REDEEMED')"),
            postgresql_where=text("state IN ('LOCKED','REDEEMED')"),
        ),
        Index("coupon_use_of_attempt", "merchant_id", "attempt_id"),
        Index("coupon_use_of_order", "merchant_id", "order_id"),
        sqlite_with_rowid=False,
    )
