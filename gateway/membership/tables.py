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
    # The code that the member came with, and the one by which it invites others.
    Column("referral_code", Text, nullable=True),
    Column("invite_code", Text, nullable=True, unique=True),
    # The device that joined, where customers use their own.
    Column("joined_device", Text, nullable=True),
    Column("joined_merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("joined_store_id", Text, ForeignKey("store.id"), nullable=False),
    Column("joined_channel", Text, nullable=False),
    Column("joined_at", Integer, nullable=False),
    # The survivor of a merge, never itself merged; the id stays an alias of it for ever.
    Column("merged_into", Text, ForeignKey("member.id"), nullable=True),
    CheckConstraint("status IN ('ACTIVE', 'FROZEN', 'MERGED', 'ERASED')"),
    CheckConstraint("(status = 'MERGED') = (merged_into IS NOT NULL)", name="member_merged"),
)
Index("member_by_survivor", MEMBER.c.merged_into)

# One friend that a member invited; the friend's card is whose first order counts.
REFERRAL = Table(
    "referral",
    METADATA,
    Column("friend_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("friend_card_id", Text, nullable=False),
    Column("referrer_id", Text, ForeignKey("member.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("merchant_id", Text, nullable=True),
    Column("order_id", Text, nullable=True),
    Column("due_at", Integer, nullable=True),
    Column("tries", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    CheckConstraint(
        "state IN ('PENDING', 'QUALIFIED', 'REWARDED', 'REVERSED')", name="referral_state"
    ),
    CheckConstraint("friend_id <> referrer_id", name="referral_other"),
    Index("referral_by_referrer", "referrer_id", "at"),
    partial_index("referral_pending", "friend_card_id", where="state = 'PENDING'"),
    partial_index("referral_due", "due_at", "friend_id", where="state = 'QUALIFIED'"),
)

# Who froze or unfroze a member, when and why.
STATUS_CHANGE = Table(
    "member_status_change",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("member.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("at", Integer, nullable=False),
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

# Members that were erased, and whether the ledger knows; the member's row stays as a tombstone.
ERASURE = Table(
    "erasure",
    METADATA,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("card_id", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("at", Integer, nullable=False),
    Column("is_done", Boolean, nullable=False),
)
partial_index("erasure_undone", ERASURE.c.member_id, where="NOT is_done")

# Numbers that a card had before: refused for ever, and never given out again.
RETIRED_NUMBER = Table(
    "retired_card_number",
    METADATA,
    Column("number", Text, primary_key=True),
    Column("card_id", Text, ForeignKey("card.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Integer, nullable=False),
)

# A display token that a merchant recognised somebody by is that merchant's, until it expires.
USED_TOKEN = Table(
    "used_display_token",
    METADATA,
    Column("proof", Text, primary_key=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("expires_s", Integer, nullable=False),
)
Index("used_display_token_by_expiry", USED_TOKEN.c.expires_s)

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

# One-time codes by what they prove; the code itself is kept only as a keyed hash.
VERIFICATION_CODE = Table(
    "verification_code",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("value_hash", LargeBinary, nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    Column("caller", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("is_used", Boolean, nullable=False),
    CheckConstraint("tries BETWEEN 0 AND 5", name="verification_code_tries"),
)
Index(
    "verification_code_by_value",
    VERIFICATION_CODE.c.kind,
    VERIFICATION_CODE.c.value_hash,
    VERIFICATION_CODE.c.created_at,
)
Index("verification_code_by_caller", VERIFICATION_CODE.c.caller, VERIFICATION_CODE.c.created_at)

# What waits for a courier; a message that was delivered, or is too old to be of use, is gone.
MESSAGE = Table(
    "outgoing_message",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
)
Index("outgoing_message_by_expiry", MESSAGE.c.expires_at)
