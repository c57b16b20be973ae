"""What one coupon of each kind takes off a cart. Pure.

Source: docs/rules/coupons.md, rules 5 and 29 to 31.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import sub

from kernel.units import apportion, share_bp
from merchants.benefits.line_parts import GivenUnits, LineParts, unit_cost
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
        parts: the units of each line of which a coupon may give some, by its position.
    """

    left_minor: tuple[int, ...]
    shipping_minor: int
    budget_minor: int | None
    parts: Mapping[int, LineParts] = field(default_factory=dict)

    def without(self, effect: CouponEffect) -> OpenCart:
        """The same after a coupon."""
        budget = self.budget_minor
        return OpenCart(
            tuple(map(sub, self.left_minor, effect.shares_minor)),
            self.shipping_minor - effect.shipping_minor,
            None if budget is None else budget - sum(effect.shares_minor),
            PartsAfter(self.parts, effect) if self.parts else self.parts,
        )


class PartsAfter(Mapping[int, LineParts]):
    """The units of each line after a coupon; found where asked for, as searches ask for few."""

    def __init__(self, before: Mapping[int, LineParts], effect: CouponEffect) -> None:
        self._before = before
        self._effect = effect
        self._found: dict[int, LineParts] = {}

    def __getitem__(self, index: int) -> LineParts:
        found = self._found.get(index)
        if found is None:
            found = self._found[index] = self._after(index)
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(self._before)

    def __len__(self) -> int:
        return len(self._before)

    def _after(self, index: int) -> LineParts:
        line, share = self._before[index], self._effect.shares_minor[index]
        given = next((each for each in self._effect.given if each.index == index), None)
        if given is not None:
            return line.without(given, amount_minor=share)
        return line.less(share) if share else line


@dataclass(frozen=True, slots=True)
class CouponEffect:
    """What a coupon takes off each line, and off shipping.

    Attributes:
        given: the units that it gives, by line.
    """

    shares_minor: tuple[int, ...]
    shipping_minor: int = 0
    given: tuple[GivenUnits, ...] = ()

    @property
    def amount_minor(self) -> int:
        """What it takes off in all."""
        return sum(self.shares_minor) + self.shipping_minor


@dataclass(frozen=True, slots=True)
class Reach:
    """Which lines a coupon may take something off, found once for a cart.

    Attributes:
        lines: positions of the covered lines.
        spend_minor: what these cost for its minimum spend, with what it gives.
        places: (line, part) of what it may give, in the order of giving; None for kinds that do
            not give articles.
    """

    lines: tuple[int, ...]
    spend_minor: int = 0
    places: tuple[tuple[int, int], ...] | None = None


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
    cart: OpenCart,
    owned_skus: Collection[str],
    *,
    spend_minor: Sequence[int],
) -> Reach:
    """What the coupon may touch: covered lines, and units of its zone, the dearest first.

    Args:
        cart: before any coupon.

    Source: docs/rules/coupons.md, rules 5 and 30.
    """
    scope = scope_of(terms, lines)
    spent = sum([spend_minor[index] for index in scope])
    if terms.zone is None:
        return Reach(scope, spent)
    zone = terms.zone
    places = [
        (-unit_cost(part), line.sku, index, position)
        for index, line in enumerate(lines)
        if in_zone(zone, line) and not (zone.excludes_owned and line.sku in owned_skus)
        for position, part in enumerate(cart.parts[index].open)
        if part[0]
    ]
    return Reach(scope, spent, tuple((index, position) for _, _, index, position in sorted(places)))


def gifts_of(terms: CouponTerms, reach: Reach, cart: OpenCart) -> tuple[GivenUnits, ...]:
    """The units that the coupon gives of what others left, earned or not, by line.

    Units that cost no more than its add-on price by now are passed over.

    Source: docs/rules/coupons.md, rule 30.
    """
    if terms.zone is None or reach.places is None:
        return ()
    wanted, add_on = terms.zone.pick, terms.zone.add_on_minor
    picked: dict[int, list[tuple[int, int]]] = {}
    worth_minor: dict[int, int] = {}
    for index, position in reach.places:
        line = cart.parts[index]
        units = min(wanted, line.open[position][0])
        worth = line.worth(position, units) if units else 0
        if worth > units * add_on:
            picked.setdefault(index, []).append((position, units))
            worth_minor[index] = worth_minor.get(index, 0) + worth
            wanted -= units
            if not wanted:
                break
    return tuple(
        [GivenUnits(index, tuple(picked[index]), worth_minor[index]) for index in sorted(picked)]
    )


def missing_spend(
    terms: CouponTerms, reach: Reach, given: Sequence[GivenUnits], cart: OpenCart
) -> int:
    """What lacks to a coupon's minimum spend; 0 or less when it is reached.

    Covered goods count at what they cost before coupons, without what it gives.

    Source: docs/rules/coupons.md, rules 6 and 30.
    """
    counts = reach.spend_minor
    for each in given:
        if each.index in reach.lines:
            counts -= cart.parts[each.index].before_coupons(each.worth_minor)
    return terms.min_spend_minor - counts


def amount_of(terms: CouponTerms, reach: Reach, cart: OpenCart) -> int:
    """What the coupon would take off in all: `effect_of(...).amount_minor`, found faster."""
    if terms.kind is CouponKind.SHIPPING:
        return _shipping(terms, cart)
    left = cart.left_minor
    if terms.kind is CouponKind.AMOUNT_OFF:
        face = min(terms.amount_minor or 0, sum([left[index] for index in reach.lines]))
    elif terms.zone is not None:
        face = sum(_weights_of_gifts(terms, _earned_gifts(terms, reach, cart)))
    else:
        face = sum(_weights(terms, reach, cart))
    return _capped(terms, face, cart)


def most_of(terms: CouponTerms, amount_minor: int) -> int:
    """No less than what the coupon takes off after any others.

    Of units that cost alike, rounding can make a later one a minor unit dearer than the first.

    Args:
        amount_minor: what it takes off before any other.
    """
    return amount_minor if terms.zone is None else amount_minor + terms.zone.pick


def effect_of(terms: CouponTerms, reach: Reach, cart: OpenCart) -> CouponEffect:
    """What the coupon takes off each line and off shipping; never more than is left.

    Source: docs/rules/coupons.md, rules 5 and 29 to 31.
    """
    if terms.kind is CouponKind.SHIPPING:
        return CouponEffect((0,) * len(cart.left_minor), _shipping(terms, cart))
    if terms.zone is not None:
        given = _earned_gifts(terms, reach, cart)
        weights = _weights_of_gifts(terms, given)
        total = _capped(terms, sum(weights), cart)
        lines = [each.index for each in given]
        return CouponEffect(_spread(total, weights, lines, cart), given=given if total else ())
    weights = _weights(terms, reach, cart)
    face = sum(weights)
    if terms.kind is CouponKind.AMOUNT_OFF:
        face = min(terms.amount_minor or 0, face)
    total = _capped(terms, face, cart)
    if total < face and terms.kind is CouponKind.PERCENT_OFF:
        # What a limit leaves of a percentage is an amount, and spread as one.
        weights = [cart.left_minor[index] for index in reach.lines]
    return CouponEffect(_spread(total, weights, reach.lines, cart))


def _spread(
    total: int, weights: Sequence[int], lines: Sequence[int], cart: OpenCart
) -> tuple[int, ...]:
    shares = [0] * len(cart.left_minor)
    if total:
        for index, share in zip(lines, apportion(total, weights), strict=True):
            shares[index] = share
    return tuple(shares)


def _earned_gifts(terms: CouponTerms, reach: Reach, cart: OpenCart) -> tuple[GivenUnits, ...]:
    given = gifts_of(terms, reach, cart)
    return given if given and missing_spend(terms, reach, given, cart) <= 0 else ()


def _weights_of_gifts(terms: CouponTerms, given: Sequence[GivenUnits]) -> list[int]:
    add_on = terms.zone.add_on_minor if terms.zone is not None else 0
    if not add_on:
        return [each.worth_minor for each in given]
    return [each.worth_minor - each.units * add_on for each in given]


def _weights(terms: CouponTerms, reach: Reach, cart: OpenCart) -> list[int]:
    left = cart.left_minor
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
