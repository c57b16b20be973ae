"""The table of merges."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from gateway.alliance.tables import METADATA
from kernel.database.columns import partial_index


class MergeState(StrEnum):
    """How far a merge is; MERGING and UNMERGING are finished by whoever comes next."""

    MERGING = "MERGING"
    MERGED = "MERGED"
    UNMERGING = "UNMERGING"
    UNMERGED = "UNMERGED"


UNFINISHED_SQL = "state IN ('MERGING', 'UNMERGING')"
"""Written out, because a partial index serves no condition with parameters."""

MERGE = Table(
    "member_merge",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    # The request that began it, or undoes it, and has no kept answer yet.
    Column("opened_by", Text, nullable=True),
    Column("survivor_id", Text, ForeignKey("member.id"), nullable=False),
    Column("merged_id", Text, ForeignKey("member.id"), nullable=False),
    Column("survivor_card_id", Text, nullable=False),
    Column("merged_card_id", Text, nullable=False),
    # JSON: where wallets are to be merged, and what moved here.
    Column("wallets", Text, nullable=False),
    Column("moved", Text, nullable=False),
    Column("at", Integer, nullable=False),
    CheckConstraint("state IN ('MERGING', 'MERGED', 'UNMERGING', 'UNMERGED')", name="merge_state"),
    CheckConstraint("survivor_id <> merged_id", name="merge_other"),
    partial_index("merge_opened_by", "opened_by", unique=True, where="opened_by IS NOT NULL"),
    partial_index("merge_unfinished", "id", where=UNFINISHED_SQL),
)
Index("merge_by_survivor", MERGE.c.survivor_id)
Index("merge_by_merged", MERGE.c.merged_id)
