"""Cards, memberships and their wallets in GraphQL."""

from __future__ import annotations

import strawberry
from strawberry import Parent

from merchants.context import MerchantsInfo
from merchants.keys_sql import Key
from merchants.resolvers import wallets as resolve
from merchants.resolvers.parents import KnownById, MerchantsOwn


@strawberry.type(description="What a member has at one merchant, or at the alliance.")
class Wallet:
    """What a card has at one merchant."""

    merchant_id: strawberry.Private[str]
    card_id: strawberry.Private[str]
    tier = strawberry.field(
        resolver=resolve.wallet_tier,
        description="Standing that stands for all under the merchant's policy: in the primary "
        "ladder, the best or the lowest one; null when the merchant has no ladder.",
    )
    tiers = strawberry.field(
        resolver=resolve.wallet_tiers, description="Standing in each ladder, the primary first."
    )
    benefits = strawberry.field(
        resolver=resolve.wallet_benefits,
        description="Benefits in force, of tiers as the merchant's policy "
        "combines them, and of paid memberships.",
    )
    paid_memberships = strawberry.field(
        resolver=resolve.wallet_paid,
        description="Paid memberships, the latest first; over and refunded ones too.",
    )
    coupons = strawberry.field(
        resolver=resolve.wallet_coupons,
        description="Coupons, soonest to end first; absent `states`: all.",
    )
    orders = strawberry.field(
        resolver=resolve.wallet_orders,
        description="Orders at this merchant, newest first; empty for the alliance.",
    )

    @classmethod
    def of(cls, key: Key) -> Wallet:
        """The wallet of a key that was checked."""
        return cls(merchant_id=key[0], card_id=key[1])


def alliance_wallet(card: Parent[KnownById], info: MerchantsInfo) -> Wallet | None:
    """What the card has at the alliance."""
    merchant_id = resolve.alliance_merchant_id(info)
    return Wallet.of(resolve.checked_key(info, merchant_id=merchant_id, card_id=card.id))


async def membership_wallet(membership: Parent[MerchantsOwn], info: MerchantsInfo) -> Wallet | None:
    """What the member has at the merchant."""
    return Wallet.of(await resolve.membership_key(membership, info))


@strawberry.federation.type(keys=["id"])
class Card:
    """A member's card, as far as the alliance's own backend knows it."""

    id: strawberry.ID = strawberry.field(description="TypeID `card_…`; outlives every number.")

    alliance_wallet = strawberry.field(
        resolver=alliance_wallet,
        description="Alliance-wide tiers and coupons, from the alliance's own backend. Null only "
        "with an error.",
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Card:
        """The card that a key names."""
        return cls(id=id)


@strawberry.federation.type(keys=["id merchantId"])
class Membership:
    """A member at one merchant."""

    id: strawberry.ID = strawberry.field(description="TypeID `mbs_…`; embeds the merchant.")
    merchant_id: strawberry.ID = strawberry.field(
        description="Id of `merchant`; names the backend that holds the wallet."
    )

    wallet = strawberry.field(
        resolver=membership_wallet,
        description="What the member has at this merchant. Null only with an error, when its "
        "backend is down or late.",
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, merchantId: strawberry.ID) -> Membership:
        """The membership that a key names."""
        return cls(id=id, merchant_id=merchantId)
