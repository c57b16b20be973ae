"""Tables of tiers that are held, of their evaluations, and of policies.

Instants are microseconds since 1970 UTC; NEVER stands for "no end".
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


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _whole(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable)


def add_tier_tables(metadata: MetaData) -> None:
    """Adds the tables of this room to a backend's."""
    _add_evaluations(metadata)
    _add_policies(metadata)
    _add_growth(metadata)
    _add_paid(metadata)


def _add_evaluations(metadata: MetaData) -> None:
    # What the history amounts to as of an instant: a read need not go through it again. Only
    # ladders with a window have rows; `rule` names the rule that decided.
    Table(
        "tier_held",
        metadata,
        _key("merchant_id"),
        _key("card_id"),
        _key("ladder"),
        _text("rule"),
        _whole("version"),
        _whole("rank"),
        _whole("valid_until"),
        _whole("as_of"),
        CheckConstraint("rank >= 0", name="tier_held_rank"),
        Index("tier_held_due", "valid_until", "merchant_id", "card_id", "ladder"),
        sqlite_with_rowid=False,
    )

    # The evidence: what was measured, under which rule, when a tier changed or was renewed.
    Table(
        "tier_evaluation",
        metadata,
        _key("merchant_id"),
        _key("card_id"),
        _key("ladder"),
        Column("at", Integer, primary_key=True),
        _key("cause"),
        _key("reference"),
        _whole("version"),
        _whole("window_from", nullable=True),
        _whole("figure"),
        _whole("rank_before"),
        _whole("rank_after"),
        _whole("valid_until"),
        CheckConstraint(
            "cause IN ('ORDER','TASK','REFUND','DUE','RULE')", name="tier_evaluation_cause"
        ),
        sqlite_with_rowid=False,
    )


def _add_policies(metadata: MetaData) -> None:
    # How a merchant's ladders go together; each change makes a new version.
    Table(
        "tier_policy",
        metadata,
        _key("merchant_id"),
        Column("version", Integer, primary_key=True),
        _whole("set_at"),
        _text("policy"),
        CheckConstraint("version >= 1", name="tier_policy_version"),
        sqlite_with_rowid=False,
    )

    # A rank below which a card does not fall for some time: of a paid membership, or of a merge.
    Table(
        "tier_floor",
        metadata,
        _key("merchant_id"),
        _key("card_id"),
        _key("ladder"),
        _key("cause"),
        _whole("rank"),
        _whole("starts_at"),
        _whole("ends_at"),
        CheckConstraint("rank >= 1", name="tier_floor_rank"),
        sqlite_with_rowid=False,
    )


def _add_growth(metadata: MetaData) -> None:
    Table(
        "growth_task",
        metadata,
        _key("merchant_id"),
        _key("code"),
        _text("task"),
        _whole("set_at"),
        sqlite_with_rowid=False,
    )

    # Growth value of tasks done, first by the card `done_by`; `day` counts days since year 1 in
    # the alliance's time zone.
    Table(
        "growth_entry",
        metadata,
        _key("merchant_id"),
        _key("card_id"),
        _key("code"),
        _key("reference"),
        _text("done_by"),
        _whole("growth"),
        _whole("at"),
        _whole("day"),
        CheckConstraint("growth >= 0", name="growth_entry_growth"),
        Index("growth_entry_by_time", "merchant_id", "card_id", "at"),
        sqlite_with_rowid=False,
    )


def _add_paid(metadata: MetaData) -> None:
    Table(
        "paid_plan",
        metadata,
        _key("merchant_id"),
        _key("code"),
        _whole("version"),
        _text("plan"),
        sqlite_with_rowid=False,
    )

    # What a card bought, with the plan's terms of then; `reference` is the merchant's own number.
    Table(
        "paid_membership",
        metadata,
        _key("merchant_id"),
        _key("card_id"),
        _key("paid_id"),
        _text("bought_by"),
        _text("reference"),
        _text("code"),
        _whole("version"),
        _text("plan"),
        _whole("starts_at"),
        _whole("ends_at"),
        _whole("refunded_at", nullable=True),
        _whole("refunded_minor", nullable=True),
        UniqueConstraint("merchant_id", "reference", name="paid_membership_reference"),
        CheckConstraint("starts_at < ends_at", name="paid_membership_span"),
        UniqueConstraint("merchant_id", "paid_id", name="paid_membership_id"),
        sqlite_with_rowid=False,
    )
