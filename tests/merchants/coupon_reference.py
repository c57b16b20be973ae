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
        given: lines of which a tier gives a unit already.
        budget: the most that coupons may take off goods; None without a limit.
    """

    lines: Sequence[CartLine]
    left: Sequence[int]
    spent: Sequence[int]
    shipping: int = 0
    budget: int | None = None
    channel: str = "STORE_POS"
    owned: Collection[str] = ()
    given: Collection[int] = ()


@dataclass
class Piece:
    """Units of one line that cost alike: those that nobody gave, or those that one coupon gave.

    Attributes:
        taken: what each coupon so far took off them.
    """

    units: int
    left: int
    taken: list[int] = field(default_factory=list)

    def price(self, units: int) -> int:
        """What so many of them cost, rounded down."""
        return self.left * units // self.units

    def before_coupons(self, price: int) -> int:
        """What units of that price cost before coupons."""
        return price + sum(taken * price // self.left for taken in self.taken)


@dataclass
class Outcome:
    """What a choice of coupons does.

    Attributes:
        lines: the pieces of each line; the first are the units that nobody gave.
        shares: by coupon id, what it takes off each line; `off_shipping` off shipping.
    """

    lines: list[list[Piece]]
    shipping: int
    budget: int | None
    shares: dict[str, list[int]] = field(default_factory=dict)
    off_shipping: dict[str, int] = field(default_factory=dict)
    merchants_cost: int = 0

    @classmethod
    def of(cls, counter: Counter) -> Outcome:
        """Before any coupon."""
        lines = [
            [Piece(open_units(counter, index), left)] for index, left in enumerate(counter.left)
        ]
        return cls(lines, counter.shipping, counter.budget)

    @property
    def left(self) -> list[int]:
        return [sum(piece.left for piece in line) for line in self.lines]

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
            take(outcome.lines[index], share, given=picked.get(index, 0))
        outcome.shipping -= off_shipping
        if outcome.budget is not None:
            outcome.budget -= sum(shares)
        outcome.merchants_cost += amount * (WHOLE - terms.funder_alliance_bps)
    return outcome


def take(line: list[Piece], share: int, *, given: int) -> None:
    """A share comes off a line: off the units that are given, or by what its units cost."""
    free = line[0]
    if given:
        price = free.price(given)
        parts = [taken * price // free.left for taken in free.taken]
        free.taken = [taken - part for taken, part in zip(free.taken, parts, strict=True)]
        free.units, free.left = free.units - given, free.left - price
        line.append(Piece(given, price - share))
        return
    for piece, part in zip(line, spread(share, [piece.left for piece in line]), strict=True):
        piece.left -= part
        piece.taken.append(part)


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
    for index, units in picks(terms, counter, outcome).items():
        if index in covered(terms, counter.lines):
            free = outcome.lines[index][0]
            counts -= free.before_coupons(free.price(units))
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


def picks(terms: CouponTerms, counter: Counter, outcome: Outcome) -> dict[int, int]:
    """Units that it gives of those that nobody gave, by line, the dearest first (rule 30)."""
    zone, picked = terms.zone, {}
    if zone is None:
        return {}
    dearest = [
        (-unit_cost(counter, index), counter.lines[index].sku, index)
        for index in in_zone(terms, counter)
        if open_units(counter, index)
    ]
    for _, _, index in sorted(dearest):
        free = outcome.lines[index][0]
        units = min(zone.pick - sum(picked.values()), free.units)
        if units and free.price(units) > units * zone.add_on_minor:
            picked[index] = units
    return picked


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


def open_units(counter: Counter, index: int) -> int:
    """Units of a line that no tier gave."""
    return counter.lines[index].quantity - (1 if index in counter.given else 0)


def unit_cost(counter: Counter, index: int) -> int:
    """What a unit of the line costs before coupons."""
    return counter.left[index] // open_units(counter, index)


def shares_of(terms: CouponTerms, counter: Counter, outcome: Outcome) -> list[int]:
    """What it takes off each line of what is left by now (rules 5, 30 and 31)."""
    worth = [0] * len(counter.lines)
    if terms.zone is not None:
        for index, units in picks(terms, counter, outcome).items():
            price = outcome.lines[index][0].price(units)
            worth[index] = price - units * terms.zone.add_on_minor
        most = smallest(sum(worth), terms.cap_minor, outcome.budget)
        return spread(most, worth)
    for index in covered(terms, counter.lines):
        worth[index] = outcome.left[index]
    if terms.kind == "AMOUNT_OFF":
        return spread(
            smallest(sum(worth), terms.amount_minor, terms.cap_minor, outcome.budget), worth
        )
    off = Fraction(terms.percent_off_bps or 0, WHOLE)
    percentages = [int(each * off + Fraction(1, 2)) for each in worth]
    most = smallest(sum(percentages), terms.cap_minor, outcome.budget)
    return percentages if most == sum(percentages) else spread(most, worth)


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
