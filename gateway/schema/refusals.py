"""The refusals that only the alliance subgraph gives, as GraphQL tells them."""

from __future__ import annotations

from typing import Any, Self

import strawberry

from gateway.directory.refusals import BackendUnfit, ReferenceTaken
from gateway.membership.refusals import (
    CardNumberReplaced,
    ErasureBlocked,
    IdentityBelongsToAnother,
    MemberFrozen,
    VerificationFailed,
)
from gateway.merging.conflicts import MergeBlocked
from gateway.resolvers import merchants as merchant_resolvers
from gateway.schema.merchants import Merchant
from kernel.graphql import InputProblem, RefusalPayload
from kernel.refusals import Refusal
from merchants.refusals import MerchantNotActive


@strawberry.federation.type(
    shareable=True,
    description="The merchant's state does not allow this (suspended, winding down, left).",
)
class MerchantNotActiveRefusal(RefusalPayload):
    """Payload of `MerchantNotActive`."""

    merchant: Merchant = strawberry.field(description="The merchant.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `MerchantNotActive`."""
        merchant = merchant_resolvers.known_merchant(info.context, refusal.merchant_id)
        return cls(**cls.told_by(refusal), merchant=merchant)


@strawberry.type(description="The backend does not serve the merchant schema.")
class BackendUnfitRefusal(RefusalPayload):
    """Payload of `BackendUnfit`."""

    problems: list[InputProblem] = strawberry.field(
        description="Every difference found; at least one."
    )

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `BackendUnfit`."""
        problems = [InputProblem(field=path, message=fault) for path, fault in refusal.problems]
        return cls(**cls.told_by(refusal), problems=problems)


@strawberry.type(description="The reference belongs to another.")
class ReferenceTakenRefusal(RefusalPayload):
    """Payload of `ReferenceTaken`."""


@strawberry.type(description="The member is frozen.")
class MemberFrozenRefusal(RefusalPayload):
    """Payload of `MemberFrozen`."""


@strawberry.type(
    description="The code, or the display token, is wrong, used or too old; a display token that "
    "another merchant recognised somebody by is used."
)
class VerificationFailedRefusal(RefusalPayload):
    """Payload of `VerificationFailed`."""

    attempts_left: int = strawberry.field(
        description="Tries left before a new code is needed; 0 for a display token."
    )


@strawberry.type(description="Another member has this identity.")
class IdentityBelongsToAnotherRefusal(RefusalPayload):
    """Payload of `IdentityBelongsToAnother`."""

    merge_possible: bool = strawberry.field(description="Whether the two may be merged.")


@strawberry.type(
    description="The card has another number now; this one is refused for ever. The app shows "
    "the new one."
)
class CardNumberReplacedRefusal(RefusalPayload):
    """Payload of `CardNumberReplaced`."""


@strawberry.type(description="The two members cannot be merged.")
class MergeBlockedRefusal(RefusalPayload):
    """Payload of `MergeBlocked`."""

    conflicts: list[str] = strawberry.field(description="What stops it, codes in capitals.")


@strawberry.type(description="The member has something left that would be lost.")
class ErasureBlockedRefusal(RefusalPayload):
    """Payload of `ErasureBlocked`."""

    conflicts: list[str] = strawberry.field(
        description="What stands against it, codes in capitals: BALANCE_LEFT (points or coins, "
        "unless forfeited), CHECKOUT_OPEN (something is held)."
    )


ALLIANCE_REFUSALS: dict[type[Refusal], type[RefusalPayload]] = {
    MerchantNotActive: MerchantNotActiveRefusal,
    BackendUnfit: BackendUnfitRefusal,
    ReferenceTaken: ReferenceTakenRefusal,
    MemberFrozen: MemberFrozenRefusal,
    VerificationFailed: VerificationFailedRefusal,
    IdentityBelongsToAnother: IdentityBelongsToAnotherRefusal,
    CardNumberReplaced: CardNumberReplacedRefusal,
    ErasureBlocked: ErasureBlockedRefusal,
    MergeBlocked: MergeBlockedRefusal,
}
