"""What coupons take off a cart, by docs/rules/coupons.md alone: slow, plain, every choice tried.

Nothing of the rules' own code is used, so that both can not be wrong alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

from merchants.offers import CartLine, CouponTerms, OfferedCoupon

WHOLE = 10_000
Picked = dict[int, dict[int, int]]
"""Units that a coupon gives, by line and by the piece of the line."""


@dataclass(frozen=True)
class Wallet:
    """Coupons that may be used, of the merchant and of the alliance."""

    own: Sequence[OfferedCoupon] = ()
    alliance: Sequence[OfferedCoupon] = ()


@dataclass(frozen=True)
class Counter:
    """A cart as it comes to the coupons.

    Attributes:
        left: what is left to pay of each line.
        spent: the same before tiers gave anything; minimum spends are tested on it.
        alike: by line, the units that tiers leave, as (units, price) of those that cost alike;
            without any, all units of a line do.
        budget: the most that coupons may take off goods; None without a limit.
    """

    lines: Sequence[CartLine]
    left: Sequence[int]
    spent: Sequence[int]
    shipping: int = 0
    budget: int | None = None
    channel: str = "STORE_POS"
    owned: Collection[str] = ()
    alike: Sequence[Sequence[tuple[int, int]]] = ()

    def pieces(self, index: int) -> list[Piece]:
        """The units of a line that no tier gave."""
        alike = self.alike[index] if self.alike else ()
        return [Piece(*each) for each in alike or [(self.lines[index].quantity, self.left[index])]]


@dataclass
class Piece:
    """Units of one line that cost alike."""

    units: int
    left: int

    def price(self, units: int) -> int:
        """What so many of them cost, rounded down."""
        return self.left * units // self.units


@dataclass
class Shelf:
    """One line by now.

    Attributes:
        free: the units that nobody gave.
        given: what is left to pay of the units of each coupon that gave some.
        taken: what each coupon so far took off the free units.
    """

    free: list[Piece]
    given: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)

    @property
    def free_left(self) -> int:
        return sum(piece.left for piece in self.free)

    @property
    def left(self) -> int:
        return self.free_left + sum(self.given)

    def taken_of(self, price: int) -> list[int]:
        """What each coupon took off free units of that price."""
        return [taken * price // self.free_left for taken in self.taken]

    def give(self, units: dict[int, int], price: int, share: int) -> None:
        """A coupon gives units, by piece, that cost the price, and takes its share off them."""
        parts = self.taken_of(price)
        for at, count in units.items():
            piece = self.free[at]
            piece.units, piece.left = piece.units - count, piece.left - piece.price(count)
        self.given.append(price - share)
        self.taken = [taken - part for taken, part in zip(self.taken, parts, strict=True)]

    def take(self, share: int) -> None:
        """A coupon takes its share off all units by what they cost."""
        own, *others = spread(share, [self.free_left, *self.given])
        offs = spread(own, [piece.left for piece in self.free])
        for piece, off in zip(self.free, offs, strict=True):
            piece.left -= off
        self.given = [left - off for left, off in zip(self.given, others, strict=True)]
        self.taken.append(own)


@dataclass
class Outcome:
    """What a choice of coupons does.

    Attributes:
        shares: by coupon id, what it takes off each line; `off_shipping` off shipping.
    """

    lines: list[Shelf]
    shipping: int
    budget: int | None
    shares: dict[str, list[int]] = field(default_factory=dict)
    off_shipping: dict[str, int] = field(default_factory=dict)
    merchants_cost: int = 0

    @classmethod
    def of(cls, counter: Counter) -> Outcome:
        """Before any coupon."""
        lines = [Shelf(counter.pieces(index)) for index in range(len(counter.lines))]
        return cls(lines, counter.shipping, counter.budget)

    @property
    def left(self) -> list[int]:
        return [line.left for line in self.lines]

    @property
    def to_pay(self) -> int:
        return sum(self.left) + self.shipping

    def amount(self, coupon_id: str) -> int:
        return sum(self.shares[coupon_id]) + self.off_shipping[coupon_id]


def best_outcome(counter: Counter, wallet: Wallet) -> Outcome:
    """The choice that takes most off (rule 7), over every choice there is."""
    groups: dict[tuple[int, str], list[OfferedCoupon | None]] = {}
    for issuer, coupons in enumerate((wallet.own, wallet.alliance)):
        for coupon in coupons:
            if is_usable(coupon.terms, counter):
                group = (issuer, coupon.terms.stacking_group or "")
                groups.setdefault(group, [None]).append(coupon)
    outcomes = []
    for chosen in product(*(groups[name] for name in sorted(groups))):
        outcome = take_all([each for each in chosen if each is not None], counter)
        if outcome is not None:
            ids = list(outcome.shares)
            outcomes.append(((outcome.to_pay, outcome.merchants_cost, len(ids), ids), outcome))
    return min(outcomes, key=lambda each: each[0])[1]


def take_all(coupons: Sequence[OfferedCoupon], counter: Counter) -> Outcome | None:
    """The coupons one after the other; None when one of them takes nothing off (rule 8)."""
    outcome = Outcome.of(counter)
    for coupon in coupons:
        terms = coupon.terms
        shares = [0] * len(counter.lines)
        off_shipping = 0
        picked = picks(terms, counter, outcome)
        if not is_reached(terms, counter, outcome):
            return None
        if terms.kind == "SHIPPING":
            off_shipping = smallest(outcome.shipping, terms.amount_minor, terms.cap_minor)
        else:
            shares = shares_of(terms, counter, outcome)
        outcome.shares[coupon.coupon_id] = shares
        outcome.off_shipping[coupon.coupon_id] = off_shipping
        amount = outcome.amount(coupon.coupon_id)
        if amount == 0:
            return None
        for index, share in enumerate(shares):
            if index in picked:
                outcome.lines[index].give(picked[index], worth(picked, index, outcome), share)
            else:
                outcome.lines[index].take(share)
        outcome.shipping -= off_shipping
        if outcome.budget is not None:
            outcome.budget -= sum(shares)
        outcome.merchants_cost += amount * (WHOLE - terms.funder_alliance_bps)
    return outcome


def is_usable(terms: CouponTerms, counter: Counter) -> bool:
    """Channel, goods and minimum spend (rules 5, 6 and 30)."""
    if terms.channels is not None and counter.channel not in terms.channels:
        return False
    if not covered(terms, counter.lines):
        return False
    untouched = Outcome.of(counter)
    if terms.zone is not None and not picks(terms, counter, untouched):
        return False
    return is_reached(terms, counter, untouched)


def is_reached(terms: CouponTerms, counter: Counter, outcome: Outcome) -> bool:
    """Whether covered goods without what it gives now reach its minimum spend."""
    counts = sum(counter.spent[index] for index in covered(terms, counter.lines))
    picked = picks(terms, counter, outcome)
    for index in set(picked) & set(covered(terms, counter.lines)):
        price = worth(picked, index, outcome)
        counts -= price + sum(outcome.lines[index].taken_of(price))
    return counts >= terms.min_spend_minor


def covered(terms: CouponTerms, lines: Sequence[CartLine]) -> list[int]:
    """The lines of its articles and categories."""
    found = []
    for index, line in enumerate(lines):
        is_article = terms.skus is None or line.sku in terms.skus
        is_category = terms.category_ids is None or line.category_id in terms.category_ids
        if is_article and is_category:
            found.append(index)
    return found


def picks(terms: CouponTerms, counter: Counter, outcome: Outcome) -> Picked:
    """Units that it gives of those that nobody gave, the dearest first (rule 30)."""
    zone, picked = terms.zone, {}
    if zone is None:
        return {}
    dearest = [
        (-piece.price(1), counter.lines[index].sku, index, at)
        for index in in_zone(terms, counter)
        for at, piece in enumerate(counter.pieces(index))
        if piece.units
    ]
    wanted = zone.pick
    for _, _, index, at in sorted(dearest):
        piece = outcome.lines[index].free[at]
        units = min(wanted, piece.units)
        if units and piece.price(units) > units * zone.add_on_minor:
            picked.setdefault(index, {})[at] = units
            wanted -= units
    return picked


def worth(picked: Picked, index: int, outcome: Outcome) -> int:
    """What the picked units of a line cost by now."""
    free = outcome.lines[index].free
    return sum(free[at].price(units) for at, units in picked[index].items())


def in_zone(terms: CouponTerms, counter: Counter) -> Iterator[int]:
    """Lines whose article the zone holds."""
    zone = terms.zone
    assert zone is not None
    for index, line in enumerate(counter.lines):
        is_named = line.sku in (zone.skus or ()) or line.category_id in (zone.category_ids or ())
        is_dear = zone.value_minor is not None and line.unit_price_minor > zone.value_minor
        is_owned = zone.excludes_owned and line.sku in counter.owned
        if is_named and not is_dear and not is_owned:
            yield index


def shares_of(terms: CouponTerms, counter: Counter, outcome: Outcome) -> list[int]:
    """What it takes off each line of what is left by now (rules 5, 30 and 31)."""
    open_to_it = [0] * len(counter.lines)
    if terms.zone is not None:
        picked = picks(terms, counter, outcome)
        for index, units in picked.items():
            add_ons = sum(units.values()) * terms.zone.add_on_minor
            open_to_it[index] = worth(picked, index, outcome) - add_ons
        most = smallest(sum(open_to_it), terms.cap_minor, outcome.budget)
        return spread(most, open_to_it)
    for index in covered(terms, counter.lines):
        open_to_it[index] = outcome.left[index]
    if terms.kind == "AMOUNT_OFF":
        return spread(
            smallest(sum(open_to_it), terms.amount_minor, terms.cap_minor, outcome.budget),
            open_to_it,
        )
    off = Fraction(terms.percent_off_bps or 0, WHOLE)
    percentages = [int(each * off + Fraction(1, 2)) for each in open_to_it]
    most = smallest(sum(percentages), terms.cap_minor, outcome.budget)
    return percentages if most == sum(percentages) else spread(most, open_to_it)


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """By largest remainder, ties to the lower index (docs/rules/arithmetic.md, rule 4)."""
    if amount == 0:
        return [0] * len(weights)
    exact = [Fraction(amount * weight, sum(weights)) for weight in weights]
    shares = [int(each) for each in exact]
    while sum(shares) < amount:
        lacking = [each - share for each, share in zip(exact, shares, strict=True)]
        shares[lacking.index(max(lacking))] += 1
    return shares


def smallest(amount: int, *limits: int | None) -> int:
    """The amount, or the lowest limit below it."""
    return min([amount, *(each for each in limits if each is not None)])
