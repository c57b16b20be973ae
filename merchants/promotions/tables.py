"""Tables of promotions: each version as it was set, units taken, and by which attempt.

`merchant_id` leads every key. Amounts are minor units, instants microseconds since 1970 UTC.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Table, Text


def promotion_tables(metadata: MetaData) -> None:
    """Adds the tables to the database's plan."""
    Table(
        "promotion",
        metadata,
        Column("merchant_id", Text, primary_key=True),
        Column("promotion_id", Text, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("stock", Integer),
        Column("taken", Integer, nullable=False),
        Column("opens_at", Integer, nullable=False),
        Column("ends_at", Integer, nullable=False),
        Column("created_at", Integer, nullable=False),
        CheckConstraint("version >= 1", name="promotion_version_counts_from_one"),
        CheckConstraint("taken >= 0", name="promotion_taken_not_negative"),
        CheckConstraint("stock IS NULL OR taken <= stock", name="promotion_stock_not_exceeded"),
        Index("promotion_by_age", "merchant_id", "created_at", "promotion_id"),
        Index("promotion_by_end", "merchant_id", "ends_at", "promotion_id"),
        sqlite_with_rowid=False,
    )
    Table(
        "promotion_version",
        metadata,
        Column("merchant_id", Text, primary_key=True),
        Column("promotion_id", Text, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("terms", Text, nullable=False),
        Column("set_at", Integer, nullable=False),
    )
    # Units that an attempt holds, or that its order bought; `units` never changes.
    Table(
        "promotion_use",
        metadata,
        Column("merchant_id", Text, primary_key=True),
        Column("promotion_id", Text, primary_key=True),
        Column("attempt_id", Text, primary_key=True),
        Column("units", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("order_id", Text),
        Column("at", Integer, nullable=False),
        CheckConstraint("units >= 1", name="promotion_use_of_units"),
        CheckConstraint(
            "state IN ('HELD','SOLD','RELEASED','RETURNED')", name="promotion_use_state"
        ),
        CheckConstraint(
            "state IN ('HELD','RELEASED') OR order_id IS NOT NULL",
            name="promotion_use_of_order_names_it",
        ),
        Index("promotion_use_of_attempt", "merchant_id", "attempt_id"),
        Index("promotion_use_of_order", "merchant_id", "order_id"),
        sqlite_with_rowid=False,
    )
