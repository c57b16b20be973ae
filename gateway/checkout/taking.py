"""Locks the coupons and holds the points and coins of an opening checkout."""

from __future__ import annotations

import dataclasses

from gateway.checkout.desk import UNANSWERED, Desk
from gateway.checkout.refusals import QuoteStale
from gateway.checkout.release import give_up
from gateway.checkout.running import all_done
from gateway.checkout.saved import SavedCheckout, priced_as_dict
from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from kernel.ids import merchant_of
from kernel.refusals import NotFound, Refusal, RequestInProgress
from kernel.requests import RequestKey
from ledger.contract import AttemptReleased, HoldFunds
from merchants.offers import StockUnits
from merchants.port import LockCoupons
from merchants.refusals import BackendAttemptReleased, BackendSoldOut, CouponBudgetSpent


async def take_or_give_up(desk: Desk, checkout: SavedCheckout, key: RequestKey) -> None:
    """Takes all that the checkout needs; when one thing cannot be had, gives back the rest.

    The refusal is kept as the request's answer, unless a later try may be answered otherwise.

    Raises:
        CouponTaken, InsufficientPoints, InsufficientCoins, DebtOpen: another was faster.
        QuoteStale: others spent what a coupon's template may cost in all, or bought what a flash
            sale had left, so that the cart costs something else now.
        DatabaseUnavailable, Overloaded: a backend or the ledger does not answer.
    """
    try:
        await _refuse_taken(desk, checkout)
        await _take(desk, checkout)
    except (BackendAttemptReleased, AttemptReleased) as refusal:
        # A sweeper gave the attempt up meanwhile; a repeat begins another one.
        await give_up(desk, checkout, key=key, refusal=None)
        raise RequestInProgress from refusal
    except CouponBudgetSpent:
        stale = await _stale(desk, checkout)
        await give_up(desk, checkout, key=key, refusal=stale)
        raise stale from None
    except Refusal as refusal:
        await give_up(desk, checkout, key=key, refusal=refusal)
        raise
    except UNANSWERED:
        await give_up(desk, checkout, key=key, refusal=None)
        raise


async def _refuse_taken(desk: Desk, checkout: SavedCheckout) -> None:
    """Learns who has the coupons that the customer asked for and the price lacks.

    Raises:
        CouponTaken: another checkout has one of them.
        QuoteStale: one became free, so that the cart costs something else now.
    """
    became_free = False
    for coupon_id in checkout.barred_coupon_ids:
        try:
            await lock_coupons(
                desk, checkout, merchant_id=merchant_of(coupon_id), coupon_ids=(coupon_id,)
            )
            became_free = True
        except (NotFound, CouponBudgetSpent):
            # Nobody has it: its time is over, or it never was the customer's. The price says so.
            continue
    if became_free:
        raise await _stale(desk, checkout)


async def _stale(desk: Desk, checkout: SavedCheckout) -> QuoteStale:
    """The refusal that tells what the cart costs by now."""
    cart = checkout.cart
    if cart.card_id is not None:
        offers = await desk.backend.offers(ALLIANCE_MERCHANT_ID, cart.card_id)
        cart = dataclasses.replace(cart, alliance_coupons=offers.coupons)
    priced = await desk.backend.price(cart)
    currency = desk.settings.current.values.currency
    return QuoteStale(priced=priced_as_dict(priced), currency=currency)


async def _take(desk: Desk, checkout: SavedCheckout) -> None:
    async def lock(merchant_id: str, coupon_ids: tuple[str, ...]) -> None:
        stock = checkout.agreed.stock if merchant_id == checkout.merchant_id else ()
        try:
            await lock_coupons(
                desk, checkout, merchant_id=merchant_id, coupon_ids=coupon_ids, stock=stock
            )
        except BackendSoldOut as refusal:
            raise await _stale(desk, checkout) from refusal
        desk.reach(f"take.coupons.{merchant_id == ALLIANCE_MERCHANT_ID}")

    async def hold(card_id: str) -> None:
        await desk.ledger.hold(
            HoldFunds(
                attempt_id=checkout.attempt_id,
                card_id=card_id,
                merchant_id=checkout.merchant_id,
                points=checkout.agreed.points_spent,
                coins_minor=checkout.agreed.coins_spent_minor,
                now=desk.clock.now(),
            )
        )
        desk.reach("take.funds")

    steps = []
    if checkout.agreed.coupon_ids or checkout.agreed.stock:
        steps.append(lock(checkout.merchant_id, checkout.agreed.coupon_ids))
    if checkout.agreed.alliance_coupon_ids:
        steps.append(lock(ALLIANCE_MERCHANT_ID, checkout.agreed.alliance_coupon_ids))
    if checkout.holds_funds and checkout.card_id is not None:
        steps.append(hold(checkout.card_id))
    await all_done(*steps)


async def lock_coupons(
    desk: Desk,
    checkout: SavedCheckout,
    *,
    merchant_id: str,
    coupon_ids: tuple[str, ...],
    stock: tuple[StockUnits, ...] = (),
) -> None:
    """Locks coupons of one backend, and holds stock, for the checkout's attempt, all or none.

    Raises:
        CouponTaken: another attempt has one.
        BackendSoldOut: a flash sale has fewer units left.
    """
    costs = {each.coupon_id: each.amount_minor for each in checkout.agreed.redemptions}
    are_priced = all(coupon_id in costs for coupon_id in coupon_ids)
    await desk.backend.lock(
        LockCoupons(
            merchant_id=merchant_id,
            attempt_id=checkout.attempt_id,
            store_id=checkout.cart.store_id,
            card_id=checkout.card_id,
            coupon_ids=coupon_ids,
            costs_minor=tuple(costs[each] for each in coupon_ids) if are_priced else (),
            at_merchant_id=checkout.merchant_id,
            stock=stock,
        )
    )
