"""Tables of members, cards, identities, memberships and consents."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.alliance.tables import METADATA
from kernel.database.columns import partial_index

MEMBER = Table(
    "member",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("display_name", Text, nullable=True),
    Column("birthday", Text, nullable=True),
    Column("gender", Text, nullable=True),
    Column("region", Text, nullable=True),
    Column("referral_code", Text, nullable=True),
    Column("joined_merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("joined_store_id", Text, ForeignKey("store.id"), nullable=False),
    Column("joined_channel", Text, nullable=False),
    Column("joined_at", Integer, nullable=False),
    CheckConstraint("status IN ('ACTIVE', 'FROZEN', 'MERGED', 'ERASED')"),
)

CARD = Table(
    "card",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False, unique=True),
    Column("number", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    # Counts the numbers the card has had; tokens of an earlier one are refused.
    Column("generation", Integer, nullable=False),
    Column("issued_at", Integer, nullable=False),
    CheckConstraint("status IN ('ISSUED', 'ACTIVE', 'LOST')"),
)

# An identity that a merchant asserted counts within its scope, the merchant; a proven one, or one
# that its issuer vouches for, counts everywhere: its scope is empty.
IDENTITY = Table(
    "identity",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("value_hash", LargeBinary, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("issuer", Text, nullable=True),
    Column("masked", Text, nullable=False),
    Column("is_verified", Boolean, nullable=False),
    Column("asserted_by", Text, ForeignKey("merchant.id"), nullable=True),
    Column("created_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index("identity_by_member", IDENTITY.c.member_id, IDENTITY.c.created_at)

MEMBERSHIP = Table(
    "membership",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("card_id", Text, ForeignKey("card.id"), nullable=False),
    Column("store_id", Text, ForeignKey("store.id"), nullable=False),
    Column("joined_at", Integer, nullable=False),
    # Which request made it; its repeat is the one that still sees `alreadyMember: false`.
    Column("made_by", Text, nullable=False),
    Column("made_member", Boolean, nullable=False),
    # Whether the backends know of it; false only while a join runs or was cut off.
    Column("is_told", Boolean, nullable=False),
    UniqueConstraint("member_id", "merchant_id"),
)
Index("membership_by_card", MEMBERSHIP.c.card_id)
partial_index("membership_untold", MEMBERSHIP.c.id, where="NOT is_told")

CONSENT = Table(
    "consent",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("since", Integer, nullable=False),
)
Index("consent_by_member", CONSENT.c.member_id, CONSENT.c.id)
