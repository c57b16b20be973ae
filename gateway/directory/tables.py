"""Tables of merchants and stores."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.alliance.tables import METADATA

# One row, which counts the changes of merchants and stores.
DIRECTORY_VERSION = Table(
    "directory_version",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("id = 1"),
)

MERCHANT = Table(
    "merchant",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("reference", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=True),
    Column("state", Text, nullable=False),
    Column("backend_kind", Text, nullable=False),
    Column("endpoint", Text, nullable=True),
    Column("admitted_at", Integer, nullable=False),
    CheckConstraint("state IN ('APPLIED', 'ACTIVE', 'SUSPENDED', 'WINDING_DOWN', 'LEFT')"),
    CheckConstraint("(backend_kind = 'REMOTE') = (endpoint IS NOT NULL)"),
)

LEAVING = Table(
    "merchant_leaving",
    METADATA,
    Column("merchant_id", Text, ForeignKey("merchant.id"), primary_key=True),
    Column("announced_at", Integer, nullable=False),
    Column("redeem_until", Integer, nullable=False),
    Column("left_at", Integer, nullable=True),
    CheckConstraint("announced_at < redeem_until", name="merchant_leaving_notice"),
)

STORE = Table(
    "store",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("reference", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", Integer, nullable=False),
    UniqueConstraint("merchant_id", "reference"),
    CheckConstraint("state IN ('OPEN', 'CLOSED')"),
)
