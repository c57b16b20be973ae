"""Points, coins and history of a card."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import strawberry

from kernel.graphql import Long, Money
from kernel.pages import Connection
from ledger.resolvers import cards as resolvers
from ledger.resolvers import notices as notice_resolvers
from ledger.rules.state import CardEntryKind
from ledger.schema.periods import Merchant

CardEntryKindType = strawberry.enum(
    CardEntryKind,
    name="CardEntryKind",
    description=(
        "Kind of a card's entry. EARN: an order gave points. BURN: an order took points. RETURN: a "
        "refund gave spent points back. CLAW_BACK: a refund took earned points back. "
        "DEBT_REPAYMENT: points repaid a debt. EXPIRY: points or coins expired, or were given up. "
        "GRANT: coins were given. COINS_SPENT, COINS_RETURNED: an order took coins, a refund gave "
        "them back. MERGE: cards became one, or two again. ADJUSTMENT: not given so far."
    ),
)


@strawberry.type(description="Points that expire on one day.")
class ExpiringPoints:
    """Points that expire on one day."""

    on: date = strawberry.field(description="Last day on which they can be spent.")
    points: Long = strawberry.field(description="Points, over 0.")


@strawberry.type(description="Points of a card; whole points, each at least 0.")
class PointsAccount:
    """Points of a card."""

    card_id: strawberry.Private[str]
    available: Long = strawberry.field(description="Spendable now: active, unexpired, not held.")
    held: Long = strawberry.field(description="Held by open checkouts.")
    pending: Long = strawberry.field(description="Earned, not yet spendable.")
    debt: Long = strawberry.field(description="Owed after a refund; repaid by the next points.")
    expiring: list[ExpiringPoints] = strawberry.field(
        resolver=resolvers.expiring_points,
        description="Available points that expire within so many days, 0 to 3660, one item a "
        "day, earliest first.",
    )


@strawberry.type(description="Shopping coins of a card: 1 coin = 1 minor unit.")
class CoinsAccount:
    """Shopping coins of a card."""

    available: Money = strawberry.field(description="Spendable now.")
    held: Money = strawberry.field(description="Held by open checkouts.")


@strawberry.type(description="What a card had at one moment, pending and held included.")
class CardBalance:
    """What a card had at one moment."""

    points: Long = strawberry.field(description="Points less debt; may be negative.")
    coins: Money = strawberry.field(description="Coins.")


@strawberry.type(description="One booking on a card.")
class CardEntry:
    """One booking on a card."""

    id: strawberry.ID = strawberry.field(description="TypeID `ent_…`.")
    at: datetime = strawberry.field(description="When it took effect.")
    kind: Annotated[CardEntryKind, CardEntryKindType] = strawberry.field(
        description="What happened."
    )
    points: Long = strawberry.field(description="Points: + to the member, − from the member.")
    coins: Money = strawberry.field(description="Coins: + to the member, − from the member.")
    merchant: Merchant | None = strawberry.field(
        description="Where it happened; null for the alliance's own doing."
    )
    order_no: str | None = strawberry.field(
        description="The merchant's number of the order; null when no order is behind it."
    )
    balance_after: CardBalance = strawberry.field(
        description="What the card had once it was booked."
    )


@strawberry.type(
    description="What the member was told ahead: points that will expire. Each expiry is told 60, "
    "30 and 7 days ahead, once each."
)
class ExpiryNotice:
    """A notice of points that will expire."""

    last_day: date = strawberry.field(description="Last day on which they can be spent.")
    days_ahead: int = strawberry.field(description="How far ahead it was told: 60, 30 or 7 days.")
    points: Long = strawberry.field(
        description="Points that were spendable then; `points.expiring` tells those of now."
    )
    told_at: datetime = strawberry.field(description="When it was told.")


@strawberry.federation.type(keys=["id"], description="A member's one card.")
class Card:
    """A member's one card."""

    id: strawberry.ID = strawberry.field(description="TypeID `card_…`; outlives every number.")
    points: PointsAccount | None = strawberry.field(
        resolver=resolvers.card_points,
        description="Points of the card. Null only with an error.",
    )
    coins: CoinsAccount | None = strawberry.field(
        resolver=resolvers.card_coins,
        description="Shopping coins of the card. Null only with an error.",
    )
    balance_as_of: CardBalance | None = strawberry.federation.field(
        resolver=resolvers.card_balance_as_of,
        requires_scopes=[["member"], ["admin"]],
        description="What the card had as of `at`: all that took effect by then; an instant to "
        "come is as now. With `recordedBy` only what the books knew by that instant. Null only "
        "with an error.",
    )
    entries: Connection[CardEntry] | None = strawberry.federation.field(
        resolver=resolvers.card_entries,
        requires_scopes=[["member"], ["admin"]],
        description="Everything booked on the card, what was booked last first, also when it took "
        "effect earlier. Null only with an error.",
    )

    expiry_notices: Connection[ExpiryNotice] | None = strawberry.federation.field(
        resolver=notice_resolvers.card_expiry_notices,
        requires_scopes=[["member"], ["admin"]],
        description="What the member was told of points that expire, the latest expiry first. "
        "Null only with an error.",
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Card:
        """The card with this id; its fields load."""
        return cls(id=id)
