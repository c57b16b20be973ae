"""What a refund keeps back, as alliance and merchants tell it."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from kernel.graphql import Long, Money
from merchants import offers
from merchants.schema.enums import KeptBackReason

KEPT_BACK = (
    "What this refund keeps back, already taken off its other figures, because the rest of the "
    "order no longer earns it; null when nothing."
)


@strawberry.federation.type(
    shareable=True,
    description="What a refund keeps back because the rest of its order no longer earns a coupon "
    "or a tier's gift. Taken from cash, then coins, then points. It comes back with the goods: "
    "amounts below 0 are what an earlier refund kept and this one hands back.",
)
class KeptBack:
    """What a refund keeps back."""

    cash: Money = strawberry.field(description="Cash kept back.")
    coins: Money = strawberry.field(description="Spent coins that do not return.")
    points: Long = strawberry.field(description="Spent points that do not return.")
    reasons: Sequence[KeptBackReason] = strawberry.field(description="For what, at least one.")

    @classmethod
    def of(cls, kept: offers.KeptBack, currency: str) -> KeptBack | None:
        """The GraphQL object; None when nothing is kept back."""
        if kept.is_nothing:
            return None
        return cls(
            cash=Money.of(kept.cash_minor, currency),
            coins=Money.of(kept.coins_minor, currency),
            points=Long(kept.points),
            reasons=kept.reasons,
        )
