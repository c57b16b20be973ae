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
)

from kernel.database.commits import commit_mark
from kernel.requests import request_table
from merchants.coupons.tables import add_coupon_tables
from merchants.ladders.tables import add_tier_tables
from merchants.promotions.tables import promotion_tables

NEVER = 2**62
metadata = MetaData()
requests = request_table(metadata)
promotion_tables(metadata)
add_tier_tables(metadata)
add_coupon_tables(metadata)


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
    # Grows with every change that the alliance tells, so that an older one never wins.
    Column("state_version", Integer, nullable=False, server_default="0"),
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

# Cards of erased members, whether they joined before or a call of theirs comes late.
forgotten_card = Table(
    "forgotten_card",
    metadata,
    _key("merchant_id"),
    _key("card_id"),
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
    _whole("window_months", nullable=True),
    _whole("retention_months"),
    _text("downgrade"),
    _whole("return_days"),
    _whole("growth_per_major_unit"),
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
    _text("at_merchant_id"),
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
    _whole("qualifying_minor"),
    _whole("is_ended"),
    CheckConstraint("is_ended IN (0, 1)"),
    sqlite_with_rowid=False,
)

# What discounts may take off in all, by version; the latest one holds.
pricing_policy = Table(
    "pricing_policy",
    metadata,
    _key("merchant_id"),
    Column("version", Integer, primary_key=True),
    _whole("discount_cap_bps", nullable=True),
    _whole("set_at"),
    CheckConstraint("version >= 1", name="pricing_policy_version_counts_from_one"),
    CheckConstraint(
        "discount_cap_bps IS NULL OR (0 <= discount_cap_bps AND discount_cap_bps <= 10000)",
        name="pricing_policy_cap_is_a_share",
    ),
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
    _whole("deducted_minor"),
    Column("deducted_coins_minor", Integer, nullable=False, server_default="0"),
    Column("deducted_points", Integer, nullable=False, server_default="0"),
    Column("deducted_for", Text, nullable=False, server_default=""),
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
    # Cursors are given out before their transactions commit: see `kernel.database.commits`.
    commit_mark("written_by"),
    UniqueConstraint("merchant_id", "cursor"),
    UniqueConstraint("merchant_id", "order_id", "refund_no"),
)
