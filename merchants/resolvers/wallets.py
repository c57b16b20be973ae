"""What a card has at a merchant; one read for all wallets of the request, per kind of field."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry
from strawberry import Parent

from kernel.pages import After, Connection, First, connection_of, page_args
from merchants.context import MerchantsInfo
from merchants.coupons.templates import CouponState
from merchants.keys_sql import Key
from merchants.ladders.standings import CardTiers
from merchants.loaders import CouponPageKey, OrderPageKey
from merchants.resolvers.parents import CardWallet, MerchantsOwn
from merchants.resolvers.refused import not_yours
from merchants.rights import may_see_wallet
from merchants.schema.coupons import Coupon
from merchants.schema.orders import Order
from merchants.schema.paid import PaidMembership
from merchants.schema.tiers import Benefit, TierStanding


async def membership_key(membership: MerchantsOwn, info: MerchantsInfo) -> Key:
    """merchant_id and card_id of a membership whose wallet the caller may see."""
    key = (membership.merchant_id, membership.id)
    card_id = await info.context.loaders.card_by_membership.load(key)
    if card_id is None:
        raise not_yours()
    return checked_key(info, merchant_id=membership.merchant_id, card_id=card_id)


def checked_key(info: MerchantsInfo, *, merchant_id: str, card_id: str) -> Key:
    """The two as a key, if the caller may see that wallet."""
    if not may_see_wallet(info.context.caller, merchant_id=merchant_id, card_id=card_id):
        raise not_yours()
    return (merchant_id, card_id)


async def wallet_tier(wallet: Parent[CardWallet], info: MerchantsInfo) -> TierStanding | None:
    """Standing that stands for all."""
    deciding = (await _tiers(wallet, info)).deciding
    return None if deciding is None else TierStanding.of(deciding, _key(wallet))


async def wallet_tiers(wallet: Parent[CardWallet], info: MerchantsInfo) -> Sequence[TierStanding]:
    """Standing in each ladder."""
    standings = (await _tiers(wallet, info)).standings
    return [TierStanding.of(standing, _key(wallet)) for standing in standings]


async def wallet_benefits(wallet: Parent[CardWallet], info: MerchantsInfo) -> Sequence[Benefit]:
    """Benefits in force."""
    currency = info.context.currency
    return [Benefit.of(each.benefit, currency) for each in (await _tiers(wallet, info)).benefits]


async def wallet_paid(wallet: Parent[CardWallet], info: MerchantsInfo) -> Sequence[PaidMembership]:
    """Paid memberships, the latest first."""
    now, currency = info.context.backend.clock.now(), info.context.currency
    bought = (await _tiers(wallet, info)).paid
    return [PaidMembership.of(each, currency, now) for each in bought]


async def wallet_coupons(
    wallet: Parent[CardWallet],
    info: MerchantsInfo,
    first: First = 20,
    after: After = None,
    states: Sequence[CouponState] | None = None,
) -> Connection[Coupon]:
    """Coupons, soonest to end first."""
    page = page_args(first, after, key_length=2)
    wanted = CouponState if states is None else sorted(set(states))
    rows = await info.context.loaders.coupon_pages.load(
        CouponPageKey(_key(wallet), page.after, tuple(wanted), page.limit)
    )
    return connection_of(
        rows, page, key=lambda row: (row.valid_until, row.coupon_id), node=Coupon.of
    )


async def wallet_orders(
    wallet: Parent[CardWallet], info: MerchantsInfo, first: First = 20, after: After = None
) -> Connection[Order]:
    """Orders, newest first."""
    page = page_args(first, after, key_length=2)
    rows = await info.context.loaders.order_pages.load(
        OrderPageKey(_key(wallet), page.after, page.limit)
    )
    return connection_of(rows, page, key=lambda row: (row.placed_at, row.order_id), node=Order.of)


def alliance_merchant_id(info: MerchantsInfo) -> strawberry.ID:
    """Id of the alliance's own merchant."""
    return strawberry.ID(info.context.backend.settings().alliance_merchant_id)


async def _tiers(wallet: CardWallet, info: MerchantsInfo) -> CardTiers:
    return await info.context.loaders.tiers.load(_key(wallet))


def _key(wallet: CardWallet) -> Key:
    return (wallet.merchant_id, wallet.card_id)
