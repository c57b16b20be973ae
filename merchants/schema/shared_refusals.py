"""Refusals that several subgraphs give and that name no entity."""

from __future__ import annotations

from typing import Any, Self

import strawberry

from kernel.graphql import Money, RefusalPayload


@strawberry.federation.type(
    shareable=True, description="The refund asks for more than the order still holds."
)
class RefundExceedsOrderRefusal(RefusalPayload):
    """Payload of `RefundExceedsOrder`."""

    refundable: Money = strawberry.field(description="Cash that can still be refunded.")

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `RefundExceedsOrder`."""
        refundable = Money.of(refusal.refundable_minor, refusal.currency)
        return cls(**cls.told_by(refusal), refundable=refundable)
