"""Loads what a price depends on, and prices a cart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import MalformedId, merchant_of
from kernel.refusals import InvalidInput
from merchants.alliance_facts import AllianceFacts
from merchants.benefits.in_force import BenefitInForce
from merchants.benefits.terms import early_minutes
from merchants.coupons.coupons_sql import HeldCoupon, read_coupons, read_usable_coupons
from merchants.coupons.eligibility import why_barred
from merchants.coupons.templates import CouponState
from merchants.ladders.standings import tiers_of
from merchants.limits import cart_problems
from merchants.offers import CouponKind, CouponTerms, OfferedCoupon, Priced
from merchants.policy_sql import read_policy
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from merchants.promotions.promotions_sql import read_open_promotions
from merchants.promotions.stock_sql import read_held
from merchants.promotions.terms import Promotion, is_on
from merchants.sales.orders_sql import read_bought_lines
from merchants.stored import lines_from_json, load

CANDIDATES_MAX = 100
_UNKNOWN = CouponTerms(title="", kind=CouponKind.AMOUNT_OFF, min_spend_minor=0)
_BARRED = {
    CouponState.LOCKED: ("COUPON_LOCKED", "COUPON_LOCKED"),
    CouponState.REDEEMED: ("COUPON_REDEEMED", "COUPON_REDEEMED"),
    CouponState.TRANSFERRED: ("COUPON_TRANSFERRED", "COUPON_TRANSFERRED"),
    CouponState.VOID: ("COUPON_VOID", "COUPON_VOID"),
    CouponState.EXPIRED: ("COUPON_EXPIRED", "COUPON_EXPIRED"),
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
    benefits, rank = _benefits(connection, cart, alliance)
    own = _own_coupons(connection, cart, alliance, paid_attempt_id=paid_attempt_id)
    foreign = _alliance_coupons(cart)
    return price(
        cart,
        PriceRules(
            benefits=benefits,
            rank=rank,
            promotions=_promotions(
                connection,
                cart,
                alliance,
                early_minutes=early_minutes(each.benefit for each in benefits),
                paid_attempt_id=paid_attempt_id,
            ),
            coupons=own,
            alliance_coupons=foreign,
            owned_skus=_owned(connection, cart, (*own, *foreign)),
            policy=read_policy(connection, cart.merchant_id),
        ),
    )


def _owned(
    connection: Connection, cart: PriceCart, candidates: Sequence[Candidate]
) -> frozenset[str]:
    """What the buyer bought here before, read only when a coupon asks."""
    asks = any(
        each.coupon.terms.zone is not None and each.coupon.terms.zone.excludes_owned
        for each in candidates
    )
    if cart.card_id is None or not asks:
        return frozenset()
    orders = read_bought_lines(connection, merchant_id=cart.merchant_id, card_id=cart.card_id)
    return frozenset(line.sku for lines in orders for line in lines_from_json(load(lines)))


def _promotions(
    connection: Connection,
    cart: PriceCart,
    alliance: AllianceFacts,
    *,
    early_minutes: int,
    paid_attempt_id: str | None,
) -> tuple[Promotion, ...]:
    """Promotions that are on; units that the paid attempt holds count as left for it."""
    found = [
        each
        for each in read_open_promotions(
            connection,
            cart.merchant_id,
            at=to_micros(cart.at),
            early_by=to_micros(cart.at + timedelta(minutes=early_minutes)),
        )
        if is_on(each.terms, cart.at, alliance.zone, early_minutes=early_minutes)
    ]
    if paid_attempt_id is None:
        return tuple(found)
    held = {
        each.promotion_id: each.units
        for each in read_held(connection, cart.merchant_id, paid_attempt_id)
    }
    return tuple(
        replace(each, stock_left=(each.stock_left or 0) + held[each.promotion_id])
        if each.promotion_id in held
        else each
        for each in found
    )


def _benefits(
    connection: Connection, cart: PriceCart, alliance: AllianceFacts
) -> tuple[tuple[BenefitInForce, ...], int]:
    """The benefits of the buyer's tiers, and its best rank, here or in the alliance."""
    if cart.card_id is None:
        return (), 0
    key = (cart.merchant_id, cart.card_id)
    tiers = tiers_of(
        connection, [key], now=cart.at, alliance=alliance, alliance_rank=cart.alliance_rank
    )[key]
    rank = max((standing.rank for standing in tiers.standings), default=0)
    benefits = tuple(
        BenefitInForce(each.giver, each.version, each.position, each.benefit)
        for each in tiers.benefits
    )
    return benefits, max(rank, cart.alliance_rank)


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
        why = ("MEMBERS_ONLY", "COUPONS_FOR_MEMBERS")
        return tuple(_unknown(cart, coupon_id, why) for coupon_id in named)
    candidates: dict[str, Candidate] = {}
    if named:
        at = to_micros(cart.at)
        held = read_coupons(connection, [(cart.merchant_id, coupon_id) for coupon_id in named])
        own = [each for each in held.values() if each.card_id == cart.card_id]
        barred = why_barred(connection, own, now=cart.at, zone=alliance.zone)
        for coupon_id in named:
            found = held.get((cart.merchant_id, coupon_id))
            if found is None or found.card_id != cart.card_id:
                why = _why_unknown(coupon_id, cart.merchant_id, alliance.alliance_merchant_id)
                candidates[coupon_id] = _unknown(cart, coupon_id, why)
            elif paid_attempt_id is not None:
                candidates[coupon_id] = Candidate(found.offer)
            else:
                why_not = _why_unusable(found, at) or barred.get(coupon_id)
                candidates[coupon_id] = Candidate(found.offer, why_not)
    if cart.choose_best:
        usable = read_usable_coupons(
            connection,
            merchant_id=cart.merchant_id,
            card_id=cart.card_id,
            at=to_micros(cart.at),
            limit=CANDIDATES_MAX,
        )
        barred = why_barred(connection, usable, now=cart.at, zone=alliance.zone)
        for each in usable:
            candidates.setdefault(each.coupon_id, Candidate(each.offer, barred.get(each.coupon_id)))
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
        return ("COUPON_NOT_AVAILABLE", "COUPON_NOT_AVAILABLE")
    if issuer != merchant_id:
        return ("COUPON_WRONG_MERCHANT", "COUPON_WRONG_MERCHANT")
    return ("COUPON_NOT_FOUND", "COUPON_NOT_FOUND")


def _why_unusable(coupon: HeldCoupon, at: int) -> tuple[str, str] | None:
    state = coupon.state_at(at)
    if state is not CouponState.ISSUED:
        return _BARRED[state]
    if coupon.valid_from > at:
        return ("COUPON_NOT_YET_VALID", "COUPON_NOT_YET_VALID")
    return None
