"""What one coupon of each kind takes off a cart. Pure.

Source: docs/rules/coupons.md, rules 5 and 29 to 31.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import sub

from kernel.units import apportion, share_bp, units_share
from merchants.offers import CartLine, CouponKind, CouponTerms, GiftZone

ZONE_KINDS = frozenset({CouponKind.GIFT, CouponKind.EXCHANGE})
"""Kinds that give articles of a zone."""


@dataclass(frozen=True, slots=True)
class OpenCart:
    """What coupons may still take off.

    Attributes:
        left_minor: of each line.
        shipping_minor: of shipping.
        budget_minor: of goods in all, by the merchant's limit of discounts; None without one.
    """

    left_minor: tuple[int, ...]
    shipping_minor: int
    budget_minor: int | None

    def without(self, effect: CouponEffect) -> OpenCart:
        """The same after a coupon."""
        budget = self.budget_minor
        return OpenCart(
            tuple(map(sub, self.left_minor, effect.shares_minor)),
            self.shipping_minor - effect.shipping_minor,
            None if budget is None else budget - sum(effect.shares_minor),
        )


@dataclass(frozen=True, slots=True)
class CouponEffect:
    """What a coupon takes off each line, and off shipping."""

    shares_minor: tuple[int, ...]
    shipping_minor: int = 0

    @property
    def amount_minor(self) -> int:
        """What it takes off in all."""
        return sum(self.shares_minor) + self.shipping_minor


@dataclass(frozen=True, slots=True)
class Reach:
    """Which lines a coupon may take something off, found once for a cart.

    Attributes:
        lines: positions of the covered lines; of a zone's kind, of the picked articles.
        units: units of each of them that it gives, how many of the line still cost something,
            and how many the line has; None for kinds that do not give articles.
    """

    lines: tuple[int, ...]
    units: tuple[tuple[int, int, int], ...] | None = None

    @property
    def given_units(self) -> dict[int, int]:
        """Units that it gives, by the position of their line."""
        return {
            index: units for index, (units, _, _) in zip(self.lines, self.units or (), strict=False)
        }


def scope_of(terms: CouponTerms, lines: Sequence[CartLine]) -> tuple[int, ...]:
    """Positions of the lines whose article and category count for this coupon."""
    categories = terms.category_ids
    if terms.skus is None and categories is None:
        return tuple(range(len(lines)))
    # A coupon may name thousands of articles: looked up, not searched through for each line.
    skus = None if terms.skus is None else frozenset(terms.skus)
    return tuple(
        [
            index
            for index, line in enumerate(lines)
            if (skus is None or line.sku in skus)
            and (categories is None or line.category_id in categories)
        ]
    )


def is_told_by_shares(terms: CouponTerms) -> bool:
    """Whether an order tells only by a coupon's shares which of its lines the coupon covers.

    Orders keep articles and no categories. What is taken off shipping is not tested again.

    Source: docs/rules/refunds.md, rule 9.
    """
    return terms.category_ids is not None and terms.kind is not CouponKind.SHIPPING


def in_zone(zone: GiftZone, line: CartLine) -> bool:
    """Whether the line is an article that the zone gives."""
    is_named = (zone.skus is not None and line.sku in zone.skus) or (
        zone.category_ids is not None and line.category_id in zone.category_ids
    )
    is_affordable = zone.value_minor is None or line.unit_price_minor <= zone.value_minor
    return is_named and is_affordable


def reach_of(
    terms: CouponTerms,
    lines: Sequence[CartLine],
    left_minor: Sequence[int],
    owned_skus: Collection[str],
    *,
    scope: tuple[int, ...],
    given: Collection[int] = (),
) -> Reach:
    """What the coupon may touch: covered lines, or the dearest articles of its zone.

    Args:
        scope: from `scope_of`.
        given: positions of the lines of which a tier gives a unit already.

    Source: docs/rules/coupons.md, rules 5 and 30.
    """
    if terms.zone is None:
        return Reach(scope)
    zone = terms.zone
    open_units = [line.quantity - (index in given) for index, line in enumerate(lines)]
    inside = [
        index
        for index, line in enumerate(lines)
        if in_zone(zone, line) and not (zone.excludes_owned and line.sku in owned_skus)
    ]
    inside.sort(
        key=lambda index: (
            -(left_minor[index] // max(open_units[index], 1)),
            lines[index].sku,
            index,
        )
    )
    wanted = zone.pick
    picked: list[tuple[int, int]] = []
    for index in inside:
        units = min(wanted, open_units[index])
        if units:
            picked.append((index, units))
            wanted -= units
    picked.sort()
    return Reach(
        tuple(index for index, _ in picked),
        tuple((units, open_units[index], lines[index].quantity) for index, units in picked),
    )


def spending(spend_minor: Sequence[int], reach: Reach, *, scope: tuple[int, ...]) -> int:
    """What counts for a coupon's minimum spend: covered goods without what it gives.

    Source: docs/rules/coupons.md, rules 6 and 30.
    """
    covered = sum([spend_minor[index] for index in scope])
    if reach.units is None:
        return covered
    return covered - sum(
        units_share(spend_minor[index], units=units, of_units=of_units)
        for index, (units, _, of_units) in zip(reach.lines, reach.units, strict=True)
        if index in scope
    )


def amount_of(terms: CouponTerms, reach: Reach, cart: OpenCart) -> int:
    """What the coupon would take off in all: `effect_of(...).amount_minor`, found faster."""
    if terms.kind is CouponKind.SHIPPING:
        return _shipping(terms, cart)
    left = cart.left_minor
    if terms.kind is CouponKind.AMOUNT_OFF:
        face = min(terms.amount_minor or 0, sum([left[index] for index in reach.lines]))
    else:
        face = sum(_weights(terms, reach, cart))
    return _capped(terms, face, cart)


def effect_of(terms: CouponTerms, reach: Reach, cart: OpenCart) -> CouponEffect:
    """What the coupon takes off each line and off shipping; never more than is left.

    Source: docs/rules/coupons.md, rules 5 and 29 to 31.
    """
    shares = [0] * len(cart.left_minor)
    if terms.kind is CouponKind.SHIPPING:
        return CouponEffect(tuple(shares), _shipping(terms, cart))
    weights = _weights(terms, reach, cart)
    face = sum(weights)
    if terms.kind is CouponKind.AMOUNT_OFF:
        face = min(terms.amount_minor or 0, face)
    total = _capped(terms, face, cart)
    if total < face and terms.kind is CouponKind.PERCENT_OFF:
        # What a limit leaves of a percentage is an amount, and spread as one.
        weights = [cart.left_minor[index] for index in reach.lines]
    if total:
        for index, share in zip(reach.lines, apportion(total, weights), strict=True):
            shares[index] = share
    return CouponEffect(tuple(shares))


def _weights(terms: CouponTerms, reach: Reach, cart: OpenCart) -> list[int]:
    left = cart.left_minor
    if reach.units is not None:
        add_on = terms.zone.add_on_minor if terms.zone is not None else 0
        return [
            max(0, units_share(left[index], units=units, of_units=of_units) - units * add_on)
            for index, (units, of_units, _) in zip(reach.lines, reach.units, strict=True)
        ]
    if terms.kind is CouponKind.PERCENT_OFF:
        off = terms.percent_off_bps or 0
        return [share_bp(left[index], off) for index in reach.lines]
    return [left[index] for index in reach.lines]


def _capped(terms: CouponTerms, face: int, cart: OpenCart) -> int:
    if terms.cap_minor is not None:
        face = min(face, terms.cap_minor)
    return face if cart.budget_minor is None else min(face, cart.budget_minor)


def _shipping(terms: CouponTerms, cart: OpenCart) -> int:
    face = cart.shipping_minor
    for limit in (terms.amount_minor, terms.cap_minor):
        if limit is not None:
            face = min(face, limit)
    return face
