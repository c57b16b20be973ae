"""Loads what a price depends on, and prices a cart."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import MalformedId, merchant_of
from kernel.refusals import InvalidInput
from merchants.alliance_facts import AllianceFacts
from merchants.coupons import CouponState
from merchants.coupons_sql import HeldCoupon, read_coupons, read_usable_coupons
from merchants.limits import cart_problems
from merchants.offers import CouponKind, CouponTerms, OfferedCoupon, Priced
from merchants.port import PriceCart
from merchants.pricing import BenefitInForce, PriceRules, price
from merchants.stacking import Candidate
from merchants.standings import tiers_of

CANDIDATES_MAX = 100
_UNKNOWN = CouponTerms(title="Coupon", kind=CouponKind.AMOUNT_OFF, min_spend_minor=0)
_BARRED = {
    CouponState.LOCKED: ("COUPON_LOCKED", "This coupon is in use at another checkout."),
    CouponState.REDEEMED: ("COUPON_REDEEMED", "This coupon was used already."),
    CouponState.TRANSFERRED: ("COUPON_TRANSFERRED", "This coupon was passed on."),
    CouponState.VOID: ("COUPON_VOID", "This coupon was withdrawn."),
    CouponState.EXPIRED: ("COUPON_EXPIRED", "This coupon's time is over."),
}


def price_cart(
    connection: Connection,
    cart: PriceCart,
    alliance: AllianceFacts,
    *,
    paid_attempt_id: str | None = None,
) -> Priced:
    """The cart's price by the rules and coupons of this instant.

    Args:
        paid_attempt_id: the attempt that has been paid, if one has: then the coupons that it
            names or has locked are priced as usable, whoever holds them by now.

    Raises:
        InvalidInput: the cart is outside its limits.
    """
    problems = cart_problems(cart)
    if problems:
        raise InvalidInput(problems)
    return price(
        cart,
        PriceRules(
            benefits=_benefits(connection, cart, alliance),
            coupons=_own_coupons(connection, cart, alliance, paid_attempt_id=paid_attempt_id),
            alliance_coupons=_alliance_coupons(cart),
        ),
    )


def _benefits(
    connection: Connection, cart: PriceCart, alliance: AllianceFacts
) -> tuple[BenefitInForce, ...]:
    if cart.card_id is None:
        return ()
    key = (cart.merchant_id, cart.card_id)
    tiers = tiers_of(
        connection, [key], now=cart.at, alliance=alliance, alliance_rank=cart.alliance_rank
    )[key]
    return tuple(
        BenefitInForce(each.giver, each.version, each.position, each.benefit)
        for each in tiers.benefits
    )


def _own_coupons(
    connection: Connection,
    cart: PriceCart,
    alliance: AllianceFacts,
    *,
    paid_attempt_id: str | None,
) -> tuple[Candidate, ...]:
    offered = {coupon.coupon_id for coupon in cart.alliance_coupons}
    named = [each for each in dict.fromkeys(cart.coupon_ids) if each not in offered]
    if cart.card_id is None:
        why = ("MEMBERS_ONLY", "Coupons are for members.")
        return tuple(_unknown(cart, coupon_id, why) for coupon_id in named)
    candidates: dict[str, Candidate] = {}
    if named:
        at = to_micros(cart.at)
        held = read_coupons(connection, [(cart.merchant_id, coupon_id) for coupon_id in named])
        for coupon_id in named:
            found = held.get((cart.merchant_id, coupon_id))
            if found is None or found.card_id != cart.card_id:
                why = _why_unknown(coupon_id, cart.merchant_id, alliance.alliance_merchant_id)
                candidates[coupon_id] = _unknown(cart, coupon_id, why)
            elif paid_attempt_id is not None:
                candidates[coupon_id] = Candidate(found.offer)
            else:
                candidates[coupon_id] = Candidate(found.offer, _why_barred(found, at))
    if cart.choose_best:
        for usable in read_usable_coupons(
            connection,
            merchant_id=cart.merchant_id,
            card_id=cart.card_id,
            at=to_micros(cart.at),
            limit=CANDIDATES_MAX,
        ):
            candidates.setdefault(usable.coupon_id, Candidate(usable.offer))
    return tuple(candidates.values())


def _alliance_coupons(cart: PriceCart) -> tuple[Candidate, ...]:
    if cart.card_id is None:
        return ()
    offered: Sequence[OfferedCoupon] = cart.alliance_coupons
    return tuple(
        Candidate(coupon)
        for coupon in offered
        if cart.choose_best or coupon.coupon_id in cart.coupon_ids
    )


def _unknown(cart: PriceCart, coupon_id: str, why: tuple[str, str]) -> Candidate:
    return Candidate(OfferedCoupon(coupon_id, cart.merchant_id, _UNKNOWN), why)


def _why_unknown(coupon_id: str, merchant_id: str, alliance_merchant_id: str) -> tuple[str, str]:
    try:
        issuer = merchant_of(coupon_id)
    except MalformedId:
        issuer = merchant_id
    if issuer == alliance_merchant_id:
        return ("COUPON_NOT_AVAILABLE", "This coupon can not be used now.")
    if issuer != merchant_id:
        return ("COUPON_WRONG_MERCHANT", "This coupon is for another merchant.")
    return ("COUPON_NOT_FOUND", "You have no such coupon here.")


def _why_barred(coupon: HeldCoupon, at: int) -> tuple[str, str] | None:
    state = coupon.state_at(at)
    if state is not CouponState.ISSUED:
        return _BARRED[state]
    if coupon.valid_from > at:
        return ("COUPON_NOT_YET_VALID", "This coupon can not be used yet.")
    return None
