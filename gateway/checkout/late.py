"""A capture after the release: what it can still get, and what the merchant bears.

See docs/rules/checkout.md, rule 8.
"""

from __future__ import annotations

import dataclasses

from gateway.checkout import checkouts_sql
from gateway.checkout.desk import Desk
from gateway.checkout.saved import SavedCheckout, priced_json
from gateway.checkout.states import CheckoutState
from gateway.checkout.taking import lock_coupons
from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from kernel.refusals import NotFound
from kernel.units import reversed_share
from ledger.contract import OrderReceipt
from merchants.offers import DecisionKind, DecisionOutcome, Priced
from merchants.port import PriceCart
from merchants.pricing.versions import version_of
from merchants.refusals import CouponBudgetSpent, CouponTaken


async def take_anew(desk: Desk, checkout: SavedCheckout) -> SavedCheckout:
    """The checkout with the alliance's coupons locked that could be, and without the others.

    The merchant's own coupons are taken by its backend when it places the order, points and
    coins by the ledger. The customer pays what was agreed either way.
    """
    if not checkout.lacks_locks:
        return checkout
    lost: set[str] = set()
    for coupon_id in checkout.agreed.alliance_coupon_ids:
        try:
            await lock_coupons(
                desk, checkout, merchant_id=ALLIANCE_MERCHANT_ID, coupon_ids=(coupon_id,)
            )
        except (CouponTaken, CouponBudgetSpent, NotFound):
            lost.add(coupon_id)
    agreed, absorbed_minor = without_coupons(checkout.cart, checkout.agreed, lost)
    following = dataclasses.replace(
        checkout,
        agreed=agreed,
        absorbed_minor=checkout.absorbed_minor + absorbed_minor,
        lacks_locks=False,
    )
    await desk.database.transaction(
        lambda connection: checkouts_sql.change(
            connection,
            checkout.id,
            CheckoutState.CAPTURING,
            agreed=priced_json(agreed),
            absorbed_minor=following.absorbed_minor,
            lacks_locks=0,
        )
    )
    desk.reach("late.taken")
    return following


def earning_nothing(checkout: SavedCheckout) -> SavedCheckout:
    """The checkout at the same price, for no points: its merchant issues none any more."""
    cart = dataclasses.replace(checkout.cart, earn_points_per_major_unit=0)
    agreed = dataclasses.replace(checkout.agreed, points_to_earn=0)
    agreed = dataclasses.replace(agreed, version=version_of(cart, agreed))
    return dataclasses.replace(checkout, cart=cart, agreed=agreed)


def without_coupons(cart: PriceCart, agreed: Priced, lost: set[str]) -> tuple[Priced, int]:
    """The price without the redemption of lost coupons, and the minor units they took off.

    What each line costs stays as agreed. The whole amount falls on the merchant.
    """
    if not lost:
        return agreed, 0
    absorbed_minor = sum(
        redemption.amount_minor for redemption in agreed.redemptions if redemption.coupon_id in lost
    )
    kept = dataclasses.replace(
        agreed,
        alliance_coupon_ids=tuple(
            coupon_id for coupon_id in agreed.alliance_coupon_ids if coupon_id not in lost
        ),
        redemptions=tuple(
            redemption for redemption in agreed.redemptions if redemption.coupon_id not in lost
        ),
    )
    return dataclasses.replace(kept, version=version_of(cart, kept)), absorbed_minor


def absorbed_funds_minor(agreed: Priced, receipt: OrderReceipt | None) -> int:
    """What points and coins took off that the card no longer had, minor units."""
    if receipt is None:
        return 0
    points_discount_minor = sum(
        decision.amount_minor
        for decision in agreed.decisions
        if decision.kind is DecisionKind.POINTS and decision.outcome is DecisionOutcome.APPLIED
    )
    absorbed_points_minor = reversed_share(
        points_discount_minor, part=receipt.points_absorbed, of_whole=agreed.points_spent
    )
    return absorbed_points_minor + receipt.coins_absorbed_minor
