"""Prices a cart; nothing is written. See docs/rules/checkout.md, rules 5 and 6."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from gateway.alliance.settings import DepositPolicy
from gateway.checkout.carts import CartAsked, Problems, cart_problems, refuse_if
from gateway.checkout.desk import Desk
from gateway.checkout.refusals import QuoteStale
from gateway.checkout.saved import barred_coupons, priced_as_dict
from gateway.directory.entries import (
    ALLIANCE_MERCHANT_ID,
    Merchant,
    MerchantState,
    Store,
    StoreState,
)
from gateway.membership.buyers import Buyer
from gateway.membership.refusals import MemberFrozen
from kernel.callers import Caller
from kernel.refusals import InvalidInput, NotFound
from ledger.contract import CardStanding, DebtOpen, InsufficientCoins, InsufficientPoints
from merchants.offers import CartLine, Priced
from merchants.port import Offers, PriceCart
from merchants.refusals import MerchantNotActive

_NO_OFFERS = Offers(coupons=(), tiers=())


@dataclass(frozen=True, slots=True)
class Quoted:
    """A priced cart.

    Attributes:
        cart: what the backend was asked.
        standing: what the card has; None when neither points nor coins were asked for.
    """

    cart: PriceCart
    priced: Priced
    currency: str
    standing: CardStanding | None


async def quote(
    desk: Desk, caller: Caller, asked: CartAsked, *, also: Problems | None = None
) -> Quoted:
    """What the cart costs now.

    Args:
        also: faults of the input around the cart, told with those of the cart.

    Raises:
        InvalidInput: the input is beyond its limits, or the card has not joined the merchant.
        NotFound: no such store, card or coupon for this caller.
        MerchantNotActive: the merchant may not sell with the card.
        MemberFrozen: the member is frozen.
        DatabaseUnavailable, Overloaded: the backend or the ledger does not answer.
    """
    currency = desk.settings.current.values.currency
    refuse_if(cart_problems(asked, currency=currency) + (also or []))
    store, merchant = desk.directory.store_for(caller, asked.store_id)
    if not merchant.may_sell(desk.clock.now()):
        raise MerchantNotActive(merchant_id=merchant.id)
    if store.state is not StoreState.OPEN:
        raise InvalidInput.at("cart.storeId", "must be a store that is open")
    buyer, offers, standing = await _read_card(desk, asked, merchant.id)
    earn_rate = await _earn_rate(desk, merchant)
    cart = _to_price(desk, asked, store, merchant, earn_rate=earn_rate)
    if buyer is not None:
        cart = replace(
            cart,
            membership_id=buyer.membership_id,
            card_id=buyer.card_id,
            alliance_coupons=offers.coupons,
            alliance_rank=offers.best_rank,
        )
    if standing is not None:
        cart = replace(
            cart,
            points_available=standing.available,
            coins_available_minor=standing.coins_available,
        )
    priced = await desk.backend.price(cart)
    return Quoted(cart, priced, currency, standing)


def _to_price(
    desk: Desk, asked: CartAsked, store: Store, merchant: Merchant, *, earn_rate: int
) -> PriceCart:
    settings = desk.settings.current.values
    return PriceCart(
        merchant_id=merchant.id,
        store_id=store.id,
        channel=store.channel.value,
        at=desk.clock.now(),
        lines=tuple(
            CartLine(line.sku, line.quantity, line.unit_price.amount_minor, line.category_id)
            for line in asked.lines
        ),
        member_point_value=settings.member_point_value,
        points_cap_bps=settings.points_cap_bps,
        earn_points_per_major_unit=earn_rate,
        coupon_ids=asked.coupon_ids,
        choose_best=asked.choose_best,
        shipping_minor=asked.shipping_minor,
        points=asked.points,
        coins_minor=asked.coins_minor,
    )


def check_funds(quoted: Quoted) -> None:
    """Accepts a cart whose card has the points and coins that it asks for.

    Raises:
        DebtOpen, InsufficientPoints, InsufficientCoins: it has not.
    """
    standing = quoted.standing
    if standing is None:
        return
    if quoted.cart.points and standing.debt:
        raise DebtOpen(debt=standing.debt)
    if quoted.cart.points > standing.available:
        raise InsufficientPoints(available=standing.available, requested=quoted.cart.points)
    if quoted.cart.coins_minor > standing.coins_available:
        raise InsufficientCoins(
            available_coins=standing.coins_available, requested_coins=quoted.cart.coins_minor
        )


def check_version(quoted: Quoted, version: str | None) -> None:
    """Accepts a cart that costs what the customer saw; any cart when `version` is None.

    A cart that lacks a coupon which another checkout has is accepted too: taking that coupon
    tells who has it.

    Raises:
        QuoteStale: it costs something else now.
    """
    if version in (None, quoted.priced.version) or barred_coupons(quoted.cart, quoted.priced):
        return
    raise QuoteStale(priced=priced_as_dict(quoted.priced), currency=quoted.currency)


async def _earn_rate(desk: Desk, merchant: Merchant) -> int:
    """A merchant on its way out, or over what its deposit covers, redeems points and issues none.

    Source: docs/rules/deposits.md, rules 3 and 4.
    """
    if merchant.state is MerchantState.WINDING_DOWN:
        return 0
    values = desk.settings.current.values
    is_required = values.deposit_policy is DepositPolicy.REQUIRED
    if is_required and not await desk.issuing.issuing_allowed(merchant.id):
        return 0
    return values.earn_points_per_major_unit


async def _read_card(
    desk: Desk, asked: CartAsked, merchant_id: str
) -> tuple[Buyer | None, Offers, CardStanding | None]:
    if asked.card_id is None:
        return None, _NO_OFFERS, None
    buyer, offers, standing = await asyncio.gather(
        desk.buyers.buyer(asked.card_id, merchant_id),
        desk.backend.offers(ALLIANCE_MERCHANT_ID, asked.card_id),
        _read_standing(desk, asked, asked.card_id),
    )
    if buyer is None:
        raise NotFound(id=asked.card_id)
    if buyer.is_frozen:
        raise MemberFrozen
    if buyer.membership_id is None:
        raise InvalidInput.at("cart.cardId", "must be a card that has joined this merchant")
    return buyer, offers, standing


async def _read_standing(desk: Desk, asked: CartAsked, card_id: str) -> CardStanding | None:
    if not asked.points and not asked.coins_minor:
        return None
    [standing] = await desk.ledger.balances([card_id], now=desk.clock.now())
    return standing
