"""Statements on merges. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, or_, select, text, update

from gateway.merging.tables import MERGE, UNFINISHED_SQL, MergeState
from kernel.clock import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class WalletPair:
    """The wallets of two cards at one merchant, which become one.

    Attributes:
        survivor_membership_id, merged_membership_id: None for none, and at the alliance's own.
    """

    merchant_id: str
    survivor_membership_id: str | None
    merged_membership_id: str | None


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge.

    Attributes:
        moved: what the alliance's own tables moved; what undoing it needs.
    """

    id: str
    state: MergeState
    survivor_id: str
    merged_id: str
    survivor_card_id: str
    merged_card_id: str
    wallets: tuple[WalletPair, ...]
    moved: dict[str, Any]
    at: datetime


def insert_merge(connection: Connection, merge: Merge, *, opened_by: str | None) -> None:
    """Keeps a new merge."""
    wallets = [
        [pair.merchant_id, pair.survivor_membership_id, pair.merged_membership_id]
        for pair in merge.wallets
    ]
    connection.execute(
        insert(MERGE).values(
            id=merge.id,
            state=merge.state,
            opened_by=opened_by,
            survivor_id=merge.survivor_id,
            merged_id=merge.merged_id,
            survivor_card_id=merge.survivor_card_id,
            merged_card_id=merge.merged_card_id,
            wallets=orjson.dumps(wallets).decode(),
            moved=orjson.dumps(merge.moved).decode(),
            at=to_micros(merge.at),
        )
    )


def read_merge(connection: Connection, merge_id: str) -> Merge:
    """A merge, which exists."""
    return _merge_of(connection.execute(select(MERGE).where(MERGE.c.id == merge_id)).one())


def read_opened_by(connection: Connection, opened_by: str) -> Merge | None:
    """The merge that an unanswered request works on; None when it began none."""
    row = connection.execute(select(MERGE).where(MERGE.c.opened_by == opened_by)).one_or_none()
    return None if row is None else _merge_of(row)


def read_holding(connection: Connection, merged_id: str) -> Merge | None:
    """The merge that made this member another name, and holds; None when none does."""
    row = connection.execute(
        select(MERGE).where(MERGE.c.merged_id == merged_id, MERGE.c.state != MergeState.UNMERGED)
    ).one_or_none()
    return None if row is None else _merge_of(row)


def read_unfinished(connection: Connection) -> list[Merge]:
    """Merges that are under way, oldest first."""
    rows = connection.execute(
        select(MERGE).where(text(UNFINISHED_SQL)).order_by(MERGE.c.at, MERGE.c.id)
    )
    return [_merge_of(row) for row in rows]


def is_under_way(connection: Connection, *member_ids: str) -> bool:
    """Whether one of the members is in a merge that is not finished."""
    found = connection.execute(
        select(MERGE.c.id)
        .where(
            text(UNFINISHED_SQL),
            or_(MERGE.c.survivor_id.in_(member_ids), MERGE.c.merged_id.in_(member_ids)),
        )
        .limit(1)
    )
    return found.first() is not None


def has_names(connection: Connection, member_id: str) -> bool:
    """Whether other members were merged into this one, and still are."""
    found = connection.execute(
        select(MERGE.c.id)
        .where(MERGE.c.survivor_id == member_id, MERGE.c.state != MergeState.UNMERGED)
        .limit(1)
    )
    return found.first() is not None


def move(
    connection: Connection, merge_id: str, state: MergeState, following: MergeState, **changes: Any
) -> bool:
    """Compare-and-set: whether the merge was in `state`, and is in `following` now."""
    result = connection.execute(
        update(MERGE)
        .where(MERGE.c.id == merge_id, MERGE.c.state == state)
        .values(state=following, **changes)
    )
    return result.rowcount == 1


def close_request(connection: Connection, merge_id: str) -> None:
    """Notes that the request that began it has its answer."""
    connection.execute(update(MERGE).where(MERGE.c.id == merge_id).values(opened_by=None))


def _merge_of(row: Any) -> Merge:
    return Merge(
        id=row.id,
        state=MergeState(row.state),
        survivor_id=row.survivor_id,
        merged_id=row.merged_id,
        survivor_card_id=row.survivor_card_id,
        merged_card_id=row.merged_card_id,
        wallets=tuple(WalletPair(*pair) for pair in orjson.loads(row.wallets)),
        moved=orjson.loads(row.moved),
        at=from_micros(row.at),
    )
