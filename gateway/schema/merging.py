"""Two members that are one person."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.schema.inputs import REPLAYED
from gateway.schema.members import Member
from gateway.schema.refusals import MergeBlockedRefusal
from kernel.graphql import (
    REQUEST_ID,
    InvalidInputRefusal,
    Long,
    Money,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)


@strawberry.input(description="Input of `mergeMembers`.")
class MergeMembersInput:
    """Two members."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    survivor_id: strawberry.ID = strawberry.field(
        description="The member to keep; whichever of the two joined earlier is kept."
    )
    merged_id: strawberry.ID = strawberry.field(description="The member to become an alias.")
    dry_run: bool | None = strawberry.field(
        default=True, description="Only preview; a preview is not kept under its `requestId`."
    )
    accept_conflicts: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Conflicts that you saw in the preview and overrule: BIRTHDAY_CONFLICT.",
    )


@strawberry.type(description="The two members are one.")
class MembersMerged:
    """Success of `mergeMembers`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    survivor: Member = strawberry.field(description="The member that stays.")


@strawberry.type(description="What a merge would do; nothing was written.")
class MergePreview:
    """A preview."""

    survivor: Member = strawberry.field(description="The member that would stay: the earlier join.")
    points_after: Long = strawberry.field(description="Spendable points afterwards.")
    debt_after: Long = strawberry.field(description="Points owed afterwards.")
    coupons_moved: int = strawberry.field(
        description="Usable coupons that would change hands, at all merchants."
    )
    paid_refunds: Money = strawberry.field(
        description="What merchants would have to pay out of their own money, in all: paid "
        "memberships of one plan that run side by side leave the one that ends last, and the "
        "others are refunded for the days that are left. The merge tells each in `refunded`."
    )
    conflicts: list[str] = strawberry.field(
        description="What would stop it, codes in capitals: MEMBER_FROZEN, BIRTHDAY_CONFLICT; "
        "empty when nothing would."
    )


@strawberry.input(description="Input of `unmergeMembers`.")
class UnmergeMembersInput:
    """A merge to undo."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merged_id: strawberry.ID = strawberry.field(description="The member that became an alias.")


@strawberry.type(description="The two members are two again.")
class MembersUnmerged:
    """Success of `unmergeMembers`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    survivor: Member = strawberry.field(description="The member that stayed.")
    restored: Member = strawberry.field(description="The member that is one of its own again.")


UnmergeMembersResult = Annotated[
    MembersUnmerged
    | MergeBlockedRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("UnmergeMembersResult", description="Answer of `unmergeMembers`."),
]


MergeMembersResult = Annotated[
    MembersMerged
    | MergePreview
    | MergeBlockedRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("MergeMembersResult", description="Answer of `mergeMembers`."),
]
