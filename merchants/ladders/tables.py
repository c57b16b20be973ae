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
    UniqueConstraint,
)

from merchants.columns import key_column, text_column, whole_column


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
        key_column("merchant_id"),
        key_column("card_id"),
        key_column("ladder"),
        text_column("rule"),
        whole_column("version"),
        whole_column("rank"),
        whole_column("valid_until"),
        whole_column("as_of"),
        CheckConstraint("rank >= 0", name="tier_held_rank"),
        Index("tier_held_due", "valid_until", "merchant_id", "card_id", "ladder"),
        sqlite_with_rowid=False,
    )

    # The evidence: what was measured, under which rule, when a tier changed or was renewed.
    Table(
        "tier_evaluation",
        metadata,
        key_column("merchant_id"),
        key_column("card_id"),
        key_column("ladder"),
        Column("at", Integer, primary_key=True),
        key_column("cause"),
        key_column("reference"),
        whole_column("version"),
        whole_column("window_from", nullable=True),
        whole_column("figure"),
        whole_column("rank_before"),
        whole_column("rank_after"),
        whole_column("valid_until"),
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
        key_column("merchant_id"),
        Column("version", Integer, primary_key=True),
        whole_column("set_at"),
        text_column("policy"),
        CheckConstraint("version >= 1", name="tier_policy_version"),
        sqlite_with_rowid=False,
    )

    # A rank below which a card does not fall for some time: of a paid membership, or of a merge.
    Table(
        "tier_floor",
        metadata,
        key_column("merchant_id"),
        key_column("card_id"),
        key_column("ladder"),
        key_column("cause"),
        whole_column("rank"),
        whole_column("starts_at"),
        whole_column("ends_at"),
        CheckConstraint("rank >= 1", name="tier_floor_rank"),
        sqlite_with_rowid=False,
    )


def _add_growth(metadata: MetaData) -> None:
    Table(
        "growth_task",
        metadata,
        key_column("merchant_id"),
        key_column("code"),
        text_column("task"),
        whole_column("set_at"),
        sqlite_with_rowid=False,
    )

    # Growth value of tasks done, first by the card `done_by`; `day` counts days since year 1 in
    # the alliance's time zone.
    Table(
        "growth_entry",
        metadata,
        key_column("merchant_id"),
        key_column("card_id"),
        key_column("code"),
        key_column("reference"),
        text_column("done_by"),
        whole_column("growth"),
        whole_column("at"),
        whole_column("day"),
        CheckConstraint("growth >= 0", name="growth_entry_growth"),
        Index("growth_entry_by_time", "merchant_id", "card_id", "at"),
        sqlite_with_rowid=False,
    )


def _add_paid(metadata: MetaData) -> None:
    Table(
        "paid_plan",
        metadata,
        key_column("merchant_id"),
        key_column("code"),
        whole_column("version"),
        text_column("plan"),
        sqlite_with_rowid=False,
    )

    # What a card bought, with the plan's terms of then; `reference` is the merchant's own number.
    Table(
        "paid_membership",
        metadata,
        key_column("merchant_id"),
        key_column("card_id"),
        key_column("paid_id"),
        text_column("bought_by"),
        text_column("reference"),
        text_column("code"),
        whole_column("version"),
        text_column("plan"),
        whole_column("starts_at"),
        whole_column("ends_at"),
        whole_column("refunded_at", nullable=True),
        whole_column("refunded_minor", nullable=True),
        UniqueConstraint("merchant_id", "reference", name="paid_membership_reference"),
        CheckConstraint("starts_at < ends_at", name="paid_membership_span"),
        UniqueConstraint("merchant_id", "paid_id", name="paid_membership_id"),
        sqlite_with_rowid=False,
    )
