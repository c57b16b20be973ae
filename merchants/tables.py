"""Tables of one hosted backend, which may hold many merchants: `merchant_id` leads every key.

Amounts are minor units, instants microseconds since 1970 UTC; NEVER stands for "never ends".
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

from kernel.requests import request_table

NEVER = 2**62
metadata = MetaData()
requests = request_table(metadata)


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable)


merchant = Table(
    "merchant",
    metadata,
    _key("merchant_id"),
    _text("state"),
    CheckConstraint("state IN ('ACTIVE','SUSPENDED','WINDING_DOWN','LEFT')"),
    sqlite_with_rowid=False,
)

# One row for each card that joined; the alliance's own merchant has no membership ids.
membership = Table(
    "membership",
    metadata,
    _key("merchant_id"),
    _key("card_id"),
    _text("membership_id", nullable=True),
    _text("store_id", nullable=True),
    _text("coupon_ids"),
    _whole("joined_at"),
    UniqueConstraint("merchant_id", "membership_id"),
    sqlite_with_rowid=False,
)

ladder = Table(
    "ladder",
    metadata,
    _key("merchant_id"),
    _key("name"),
    Column("version", Integer, primary_key=True),
    _text("metric"),
    _text("window"),
    _text("steps"),
    _whole("is_primary"),
    _whole("effective_from"),
    _whole("set_at"),
    CheckConstraint("version >= 1"),
    CheckConstraint("is_primary IN (0, 1)"),
    sqlite_with_rowid=False,
)

# A card that was merged is another name of the survivor, which is no such name itself.
card_alias = Table(
    "card_alias",
    metadata,
    _key("merchant_id"),
    _key("card_id"),
    _text("survivor_id"),
    _text("merge_id"),
    CheckConstraint("card_id <> survivor_id", name="card_alias_other"),
    Index("card_alias_survivor", "merchant_id", "survivor_id"),
    sqlite_with_rowid=False,
)

# What each merge did here; `moved` is JSON, for whoever undoes it.
wallet_merge = Table(
    "wallet_merge",
    metadata,
    _key("merchant_id"),
    _key("merge_id"),
    _text("survivor_card_id"),
    _text("merged_card_id"),
    _whole("coupons_moved"),
    _text("moved"),
    _whole("is_undone"),
    CheckConstraint("is_undone IN (0, 1)", name="wallet_merge_undone"),
    sqlite_with_rowid=False,
)

# Sums over the orders of a card that are not fully refunded; equal to a recount at any time.
card_metric = Table(
    "card_metric",
    metadata,
    _key("merchant_id"),
    _key("card_id"),
    _whole("order_count"),
    _whole("amount_minor"),
    CheckConstraint("order_count >= 0"),
    CheckConstraint("amount_minor >= 0"),
    sqlite_with_rowid=False,
)

# Other merchants' orders as the alliance's own backend knows them.
recorded_order = Table(
    "recorded_order",
    metadata,
    _key("merchant_id"),
    _key("order_id"),
    _text("card_id"),
    _whole("placed_at"),
    _whole("qualifying_minor"),
    _whole("is_refunded"),
    CheckConstraint("qualifying_minor >= 0"),
    CheckConstraint("is_refunded IN (0, 1)"),
    Index("recorded_order_of_card", "merchant_id", "card_id", "placed_at"),
    sqlite_with_rowid=False,
)

recorded_event = Table(
    "recorded_event",
    metadata,
    _key("merchant_id"),
    _key("order_id"),
    _key("refund_no"),
    _whole("at"),
    sqlite_with_rowid=False,
)

coupon_template = Table(
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
    _whole("created_at"),
    CheckConstraint("state IN ('DRAFT','ACTIVE','PAUSED','ENDED')"),
    CheckConstraint("issued >= 0"),
    CheckConstraint("quota_total IS NULL OR issued <= quota_total"),
    CheckConstraint("for_new_members IN (0, 1)"),
    Index("coupon_template_by_age", "merchant_id", "created_at", "template_id"),
)

coupon = Table(
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
    CheckConstraint("state IN ('ISSUED','LOCKED','REDEEMED','TRANSFERRED','VOID')"),
    CheckConstraint("(state = 'LOCKED') <= (attempt_id IS NOT NULL)"),
    CheckConstraint("valid_from < valid_until"),
    UniqueConstraint("merchant_id", "code"),
    Index("coupon_of_card", "merchant_id", "card_id", "valid_until", "coupon_id"),
    Index("coupon_of_template", "merchant_id", "template_id", "card_id"),
    sqlite_with_rowid=False,
)

# Who took a coupon, when and where. The partial index is the last guard: one live use each.
coupon_use = Table(
    "coupon_use",
    metadata,
    _key("merchant_id"),
    _key("coupon_id"),
    _key("attempt_id"),
    _text("state"),
    _text("store_id", nullable=True),
    _text("order_id", nullable=True),
    _whole("at"),
    CheckConstraint("state IN ('LOCKED','REDEEMED','RELEASED','RETURNED')"),
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

released_attempt = Table(
    "released_attempt",
    metadata,
    _key("merchant_id"),
    _key("attempt_id"),
    _text("coupon_ids"),
    sqlite_with_rowid=False,
)

# `lines` and `decisions` never change; refunds have rows of their own.
order = Table(
    "sale",
    metadata,
    _key("merchant_id"),
    _key("order_id"),
    _text("order_no"),
    _text("fact_hash"),
    _text("attempt_id"),
    _text("store_id"),
    _text("channel"),
    _text("membership_id", nullable=True),
    _text("card_id", nullable=True),
    _text("state"),
    _whole("placed_at"),
    _whole("list_minor"),
    _whole("payable_minor"),
    _whole("shipping_minor"),
    _whole("points_spent"),
    _whole("coins_spent_minor"),
    _whole("points_earned"),
    _whole("absorbed_minor"),
    _whole("refunded_minor"),
    _whole("qualifying_minor"),
    _whole("earn_points_per_major_unit"),
    _whole("earn_bps"),
    _text("lines"),
    _text("decisions"),
    _text("redemptions"),
    UniqueConstraint("merchant_id", "order_no"),
    CheckConstraint("state IN ('PAID','PARTIALLY_REFUNDED','REFUNDED')"),
    CheckConstraint("0 <= refunded_minor AND refunded_minor <= payable_minor"),
    CheckConstraint("qualifying_minor >= 0"),
    CheckConstraint("absorbed_minor >= 0"),
    Index("sale_by_age", "merchant_id", "placed_at", "order_id"),
    Index("sale_of_card", "merchant_id", "card_id", "placed_at", "order_id"),
    Index("sale_of_attempt", "merchant_id", "attempt_id"),
)

refund = Table(
    "refund",
    metadata,
    _key("merchant_id"),
    _key("order_id"),
    _key("refund_no"),
    _whole("position"),
    _text("fact_hash"),
    _text("lines"),
    _whole("shipping_minor"),
    _whole("cash_minor"),
    _whole("points"),
    _whole("coins_minor"),
    _whole("points_kept"),
    _whole("qualifying_minor"),
    _text("coupon_outcome"),
    _text("redemptions"),
    _text("state_after"),
    _whole("at"),
    UniqueConstraint("merchant_id", "order_id", "position"),
    CheckConstraint("cash_minor >= 0"),
    CheckConstraint("points >= 0"),
    CheckConstraint("coins_minor >= 0"),
)

# In the order of commits. `refund_no` is empty for a sale.
outbox = Table(
    "outbox",
    metadata,
    Column("cursor", Integer, primary_key=True),
    _text("merchant_id"),
    _text("order_id"),
    _text("refund_no"),
    UniqueConstraint("merchant_id", "cursor"),
    UniqueConstraint("merchant_id", "order_id", "refund_no"),
)
