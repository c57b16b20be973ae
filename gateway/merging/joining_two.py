"""The commit point of a merge: one transaction of the alliance makes two members one.

The caller owns the transaction. See docs/rules/merging.md, rules 2, 6 and 7.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from gateway.membership import members_sql, referrals_sql
from gateway.membership.people import Consent, Member, MemberStatus
from gateway.membership.tables import IDENTITY, MEMBER, MEMBERSHIP
from gateway.merging import merges_sql
from gateway.merging.conflicts import narrower_consents
from gateway.merging.merges_sql import Merge, WalletPair
from gateway.merging.tables import MergeState

PROFILE = ("display_name", "birthday", "gender", "region")


def wallet_pairs(connection: Connection, survivor_id: str, merged_id: str) -> list[WalletPair]:
    """Where wallets become one: wherever the merged member joined, and at the alliance's own."""
    ours = _memberships(connection, survivor_id)
    theirs = _memberships(connection, merged_id)
    pairs = [
        WalletPair(merchant_id, ours.get(merchant_id), membership_id)
        for merchant_id, membership_id in sorted(theirs.items())
    ]
    return [*pairs, WalletPair(ALLIANCE_MERCHANT_ID, None, None)]


def join_two(
    connection: Connection,
    merge_id: str,
    survivor: Member,
    merged: Member,
    *,
    now: datetime,
    opened_by: str | None,
) -> Merge:
    """Makes `merged` another name of `survivor` in the alliance; the merge that is to be finished.

    Args:
        opened_by: the request that is answered when it is finished; None when it was answered.
    """
    pairs = wallet_pairs(connection, survivor.id, merged.id)
    cards = members_sql.read_cards_of_members(connection, [survivor.id, merged.id])
    moved = {
        "memberships": _move_memberships(connection, pairs, survivor, cards[survivor.id].id),
        "identities": _move_identities(connection, survivor.id, merged.id),
        "profile": _fill_profile(connection, survivor.id, merged.id),
    }
    _narrow_consents(connection, survivor, merged, pairs, now=now)
    connection.execute(
        update(MEMBER).where(MEMBER.c.merged_into == merged.id).values(merged_into=survivor.id)
    )
    connection.execute(
        update(MEMBER)
        .where(MEMBER.c.id == merged.id)
        .values(status=MemberStatus.MERGED, merged_into=survivor.id)
    )
    referrals_sql.follow_merge(
        connection,
        survivor_id=survivor.id,
        merged_id=merged.id,
        merged_card=cards[merged.id].id,
        card_id=cards[survivor.id].id,
    )
    merge = Merge(
        id=merge_id,
        state=MergeState.MERGING,
        survivor_id=survivor.id,
        merged_id=merged.id,
        survivor_card_id=cards[survivor.id].id,
        merged_card_id=cards[merged.id].id,
        wallets=tuple(pairs),
        moved={**moved, "status": merged.status},
        at=now,
    )
    merges_sql.insert_merge(connection, merge, opened_by=opened_by)
    return merge


def part_two(connection: Connection, merge: Merge) -> None:
    """Makes the merged member one of their own again, with what they came with."""
    moved = merge.moved
    connection.execute(
        update(MEMBER)
        .where(MEMBER.c.id == merge.merged_id)
        .values(status=moved["status"], merged_into=None)
    )
    for membership_id in moved["memberships"]:
        connection.execute(
            update(MEMBERSHIP)
            .where(MEMBERSHIP.c.id == membership_id)
            .values(member_id=merge.merged_id, card_id=merge.merged_card_id)
        )
    for kind, value_hash, scope in moved["identities"]:
        connection.execute(
            update(IDENTITY)
            .where(
                IDENTITY.c.kind == kind,
                IDENTITY.c.value_hash == bytes.fromhex(value_hash),
                IDENTITY.c.scope == scope,
            )
            .values(member_id=merge.merged_id)
        )
    for name in moved["profile"]:
        connection.execute(
            update(MEMBER).where(MEMBER.c.id == merge.survivor_id).values(**{name: None})
        )


def _memberships(connection: Connection, member_id: str) -> dict[str, str]:
    rows = connection.execute(
        select(MEMBERSHIP.c.merchant_id, MEMBERSHIP.c.id).where(MEMBERSHIP.c.member_id == member_id)
    )
    return {row.merchant_id: row.id for row in rows}


def _move_memberships(
    connection: Connection, pairs: list[WalletPair], survivor: Member, card_id: str
) -> list[str]:
    """Ids of those that became the survivor's; where both had joined, the survivor's stays."""
    moved = [
        pair.merged_membership_id
        for pair in pairs
        if pair.merged_membership_id is not None and pair.survivor_membership_id is None
    ]
    for membership_id in moved:
        connection.execute(
            update(MEMBERSHIP)
            .where(MEMBERSHIP.c.id == membership_id)
            .values(member_id=survivor.id, card_id=card_id)
        )
    return moved


def _move_identities(
    connection: Connection, survivor_id: str, merged_id: str
) -> list[tuple[str, str, str]]:
    mine = IDENTITY.c.member_id == merged_id
    rows = connection.execute(
        select(IDENTITY.c.kind, IDENTITY.c.value_hash, IDENTITY.c.scope)
        .where(mine)
        .order_by(IDENTITY.c.kind, IDENTITY.c.value_hash, IDENTITY.c.scope)
    )
    moved = [(row.kind, bytes(row.value_hash).hex(), row.scope) for row in rows]
    connection.execute(update(IDENTITY).where(mine).values(member_id=survivor_id))
    return moved


def _fill_profile(connection: Connection, survivor_id: str, merged_id: str) -> list[str]:
    """Names of what the survivor had not told, and the merged member had."""
    columns = [MEMBER.c[name] for name in PROFILE]
    ours, theirs = (
        connection.execute(select(*columns).where(MEMBER.c.id == member_id)).one()._mapping
        for member_id in (survivor_id, merged_id)
    )
    filled = [name for name in PROFILE if ours[name] is None and theirs[name] is not None]
    if filled:
        values: dict[str, Any] = {name: theirs[name] for name in filled}
        connection.execute(update(MEMBER).where(MEMBER.c.id == survivor_id).values(**values))
    return filled


def _narrow_consents(
    connection: Connection,
    survivor: Member,
    merged: Member,
    pairs: list[WalletPair],
    *,
    now: datetime,
) -> None:
    kept = members_sql.read_consents(connection, [survivor.id, merged.id])
    merged_joined = {pair.merchant_id for pair in pairs}
    moved = {pair.merchant_id for pair in pairs if pair.survivor_membership_id is None}
    # By now the survivor has the memberships of both.
    survivor_joined = set(_memberships(connection, survivor.id)) - moved
    said = narrower_consents(
        kept[survivor.id],
        kept[merged.id],
        survivor_joined=survivor_joined,
        merged_joined=merged_joined,
    )
    members_sql.insert_consents(
        connection,
        [
            Consent(survivor.id, merchant_id, purpose, granted, now)
            for (merchant_id, purpose), granted in said.items()
        ],
    )
