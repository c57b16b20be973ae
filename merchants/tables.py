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
from merchants.columns import key_column, text_column, whole_column
from merchants.coupons.tables import add_coupon_tables
from merchants.ladders.tables import add_tier_tables
from merchants.promotions.tables import promotion_tables

NEVER = 2**62
metadata = MetaData()
requests = request_table(metadata)
promotion_tables(metadata)
add_tier_tables(metadata)
add_coupon_tables(metadata)

merchant = Table(
    "merchant",
    metadata,
    key_column("merchant_id"),
    text_column("state"),
    # Grows with every change that the alliance tells, so that an older one never wins.
    Column("state_version", Integer, nullable=False, server_default="0"),
    CheckConstraint("state IN ('ACTIVE','SUSPENDED','WINDING_DOWN','LEFT')"),
    sqlite_with_rowid=False,
)

# One row for each card that joined; the alliance's own merchant has no membership ids.
membership = Table(
    "membership",
    metadata,
    key_column("merchant_id"),
    key_column("card_id"),
    text_column("membership_id", nullable=True),
    text_column("store_id", nullable=True),
    text_column("coupon_ids"),
    whole_column("joined_at"),
    UniqueConstraint("merchant_id", "membership_id"),
    sqlite_with_rowid=False,
)

# Cards of erased members, whether they joined before or a call of theirs comes late.
forgotten_card = Table(
    "forgotten_card",
    metadata,
    key_column("merchant_id"),
    key_column("card_id"),
    sqlite_with_rowid=False,
)

ladder = Table(
    "ladder",
    metadata,
    key_column("merchant_id"),
    key_column("name"),
    Column("version", Integer, primary_key=True),
    text_column("metric"),
    text_column("window"),
    text_column("steps"),
    whole_column("is_primary"),
    whole_column("effective_from"),
    whole_column("set_at"),
    whole_column("window_months", nullable=True),
    whole_column("retention_months"),
    text_column("downgrade"),
    whole_column("return_days"),
    whole_column("growth_per_major_unit"),
    CheckConstraint("version >= 1"),
    CheckConstraint("is_primary IN (0, 1)"),
    sqlite_with_rowid=False,
)

# A card that was merged is another name of the survivor, which is no such name itself.
card_alias = Table(
    "card_alias",
    metadata,
    key_column("merchant_id"),
    key_column("card_id"),
    text_column("survivor_id"),
    text_column("merge_id"),
    CheckConstraint("card_id <> survivor_id", name="card_alias_other"),
    Index("card_alias_survivor", "merchant_id", "survivor_id"),
    sqlite_with_rowid=False,
)

# What each merge did here; `moved` is JSON, for whoever undoes it.
wallet_merge = Table(
    "wallet_merge",
    metadata,
    key_column("merchant_id"),
    key_column("merge_id"),
    text_column("survivor_card_id"),
    text_column("merged_card_id"),
    whole_column("coupons_moved"),
    text_column("moved"),
    whole_column("is_undone"),
    CheckConstraint("is_undone IN (0, 1)", name="wallet_merge_undone"),
    sqlite_with_rowid=False,
)

# Sums over the orders of a card that are not fully refunded; equal to a recount at any time.
card_metric = Table(
    "card_metric",
    metadata,
    key_column("merchant_id"),
    key_column("card_id"),
    whole_column("order_count"),
    whole_column("amount_minor"),
    CheckConstraint("order_count >= 0"),
    CheckConstraint("amount_minor >= 0"),
    sqlite_with_rowid=False,
)

# Other merchants' orders as the alliance's own backend knows them.
recorded_order = Table(
    "recorded_order",
    metadata,
    key_column("merchant_id"),
    key_column("order_id"),
    text_column("at_merchant_id"),
    text_column("card_id"),
    whole_column("placed_at"),
    whole_column("qualifying_minor"),
    whole_column("is_refunded"),
    CheckConstraint("qualifying_minor >= 0"),
    CheckConstraint("is_refunded IN (0, 1)"),
    Index("recorded_order_of_card", "merchant_id", "card_id", "placed_at"),
    sqlite_with_rowid=False,
)

recorded_event = Table(
    "recorded_event",
    metadata,
    key_column("merchant_id"),
    key_column("order_id"),
    key_column("refund_no"),
    whole_column("at"),
    whole_column("qualifying_minor"),
    whole_column("is_ended"),
    CheckConstraint("is_ended IN (0, 1)"),
    sqlite_with_rowid=False,
)

# What discounts may take off in all, by version; the latest one holds.
pricing_policy = Table(
    "pricing_policy",
    metadata,
    key_column("merchant_id"),
    Column("version", Integer, primary_key=True),
    whole_column("discount_cap_bps", nullable=True),
    whole_column("set_at"),
    CheckConstraint("version >= 1", name="pricing_policy_version_counts_from_one"),
    CheckConstraint(
        "discount_cap_bps IS NULL OR (0 <= discount_cap_bps AND discount_cap_bps <= 10000)",
        name="pricing_policy_cap_is_a_share",
    ),
)

released_attempt = Table(
    "released_attempt",
    metadata,
    key_column("merchant_id"),
    key_column("attempt_id"),
    text_column("coupon_ids"),
    sqlite_with_rowid=False,
)

# `lines` and `decisions` never change; refunds have rows of their own.
order = Table(
    "sale",
    metadata,
    key_column("merchant_id"),
    key_column("order_id"),
    text_column("order_no"),
    text_column("fact_hash"),
    text_column("attempt_id"),
    text_column("store_id"),
    text_column("channel"),
    text_column("membership_id", nullable=True),
    text_column("card_id", nullable=True),
    text_column("state"),
    whole_column("placed_at"),
    whole_column("list_minor"),
    whole_column("payable_minor"),
    whole_column("shipping_minor"),
    whole_column("points_spent"),
    whole_column("coins_spent_minor"),
    whole_column("points_earned"),
    whole_column("absorbed_minor"),
    whole_column("refunded_minor"),
    whole_column("qualifying_minor"),
    whole_column("earn_points_per_major_unit"),
    whole_column("earn_bps"),
    text_column("lines"),
    text_column("decisions"),
    text_column("redemptions"),
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
    key_column("merchant_id"),
    key_column("order_id"),
    key_column("refund_no"),
    whole_column("position"),
    text_column("fact_hash"),
    text_column("lines"),
    whole_column("shipping_minor"),
    whole_column("cash_minor"),
    whole_column("points"),
    whole_column("coins_minor"),
    whole_column("points_kept"),
    whole_column("qualifying_minor"),
    text_column("coupon_outcome"),
    text_column("redemptions"),
    text_column("state_after"),
    whole_column("at"),
    whole_column("deducted_minor"),
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
    text_column("merchant_id"),
    text_column("order_id"),
    text_column("refund_no"),
    # Cursors are given out before their transactions commit: see `kernel.database.commits`.
    commit_mark("written_by"),
    UniqueConstraint("merchant_id", "cursor"),
    UniqueConstraint("merchant_id", "order_id", "refund_no"),
)
