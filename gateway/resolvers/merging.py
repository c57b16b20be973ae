"""Previews and runs merges of members."""

from __future__ import annotations

import strawberry

from gateway.merging import merges
from gateway.merging.partings import UnmergeMembers
from gateway.resolvers.context import AllianceInfo
from gateway.schema.inputs import given
from gateway.schema.members import Member
from gateway.schema.merging import (
    MembersMerged,
    MembersUnmerged,
    MergeMembersInput,
    MergePreview,
    UnmergeMembersInput,
)
from kernel.graphql import Long, Money


async def merge_members(
    info: AllianceInfo, input: MergeMembersInput
) -> MembersMerged | MergePreview:
    """Merges two members, or tells what that would do."""
    command = merges.MergeMembers(
        request_id=input.request_id,
        survivor_id=input.survivor_id,
        merged_id=input.merged_id,
        accepted=tuple(given(input.accept_conflicts) or ()),
    )
    if input.dry_run is False:
        done = await info.context.alliance.merges.merge(info.context.caller, command)
        return MembersMerged(
            replayed=done.replayed,
            survivor=Member(id=strawberry.ID(done.survivor_id), is_shown=True),
        )
    preview = await info.context.alliance.merges.preview(info.context.caller, command)
    return MergePreview(
        survivor=Member(id=strawberry.ID(preview.survivor_id), is_shown=True),
        points_after=Long(preview.points_after),
        debt_after=Long(preview.debt_after),
        coupons_moved=preview.coupons_moved,
        paid_refunds=Money.of(
            preview.paid_refunds_minor, info.context.alliance.settings.values.currency
        ),
        conflicts=list(preview.conflicts),
    )


async def unmerge_members(info: AllianceInfo, input: UnmergeMembersInput) -> MembersUnmerged:
    """Undoes a merge."""
    done = await info.context.alliance.merges.partings.unmerge(
        info.context.caller,
        UnmergeMembers(request_id=input.request_id, merged_id=input.merged_id),
    )
    return MembersUnmerged(
        replayed=done.replayed,
        survivor=Member(id=strawberry.ID(done.survivor_id), is_shown=True),
        restored=Member(id=strawberry.ID(done.merged_id), is_shown=True),
    )
