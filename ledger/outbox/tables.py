"""The tables of what is still to be told. `lane` leads every key; instants are microseconds."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, UniqueConstraint

from kernel.database.columns import partial_index
from ledger.tables import metadata

outbox = Table(
    "outbox",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("message_id", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("rejections", Integer, nullable=False),
    Column("parked_at", Integer, nullable=True),
    Column("last_error", Text, nullable=True),
    UniqueConstraint("lane", "message_id", name="outbox_message"),
    CheckConstraint("rejections >= 0", name="outbox_rejections"),
    CheckConstraint("parked_at IS NULL OR rejections > 0", name="outbox_parked"),
    Index("outbox_stream", "lane", "stream", "id"),
    partial_index("outbox_troubled", "lane", "stream", where="rejections > 0"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Messages that the receiver has not taken yet; a delivered one is gone."""

outbox_cursor = Table(
    "outbox_cursor",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The last transaction of each lane that became a message."""

expiry_notice = Table(
    "expiry_notice",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("card_id", Text, primary_key=True),
    Column("expires_at", Integer, primary_key=True, autoincrement=False),
    Column("days", Integer, primary_key=True, autoincrement=False),
    Column("points", Integer, nullable=False),
    Column("recorded_at", Integer, nullable=False),
    CheckConstraint("points > 0", name="expiry_notice_points"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Notices of points that will expire, once for each card, expiry and number of days."""
