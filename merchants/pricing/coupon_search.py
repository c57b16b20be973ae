"""The combination of coupons that takes most off: one of each group, or none. Pure.

Source: docs/rules/coupons.md, rule 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kernel.units import WHOLE_BP
from merchants.offers import OfferedCoupon
from merchants.pricing.coupon_kinds import (
    CouponEffect,
    OpenCart,
    Reach,
    amount_of,
    effect_of,
    most_of,
)

VISITS_MAX = 20_000
"""Lines that the search may look at; a search that needs more keeps the best found so far."""

_VISITS_OF_EFFECT = 8
"""What spreading an amount over the lines costs, in looks at a line."""


@dataclass(frozen=True, slots=True)
class Usable:
    """A coupon that the cart fulfils the conditions of."""

    coupon: OfferedCoupon
    reach: Reach

    @property
    def own_bps(self) -> int:
        """The merchant's share of its cost, basis points."""
        return WHOLE_BP - self.coupon.terms.funder_alliance_bps


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen coupons in the order of taking, each with its effect.

    Attributes:
        untried: coupons that the search did not come to; empty when the choice is exact.
    """

    taken: tuple[tuple[Usable, CouponEffect], ...]
    cart: OpenCart
    untried: frozenset[str] = frozenset()


_Rank = tuple[int, int, int, tuple[str, ...]]
"""What is taken off (negative), the merchant's cost, coupons used, their ids: least is best."""


class _Step:
    """A cart after some coupons, and what each other one would do to it; found once.

    Attributes:
        cart: what they left.
    """

    __slots__ = ("_after", "_amounts", "_effects", "cart")

    def __init__(self, cart: OpenCart) -> None:
        self.cart = cart
        self._amounts: dict[str, int] = {}
        self._effects: dict[str, CouponEffect] = {}
        self._after: dict[str, _Step] = {}

    def amount(self, each: Usable) -> int:
        """What the coupon would take off in all."""
        coupon_id, terms = each.coupon.coupon_id, each.coupon.terms
        amount = self._amounts.get(coupon_id)
        if amount is None:
            # Finding what is given is most of the work of spreading it.
            is_gift = terms.zone is not None
            amount = (
                self.effect(each).amount_minor
                if is_gift
                else amount_of(terms, each.reach, self.cart)
            )
            self._amounts[coupon_id] = amount
        return amount

    def effect(self, each: Usable) -> CouponEffect:
        """What the coupon would take off each line."""
        coupon_id = each.coupon.coupon_id
        effect = self._effects.get(coupon_id)
        if effect is None:
            effect = self._effects[coupon_id] = effect_of(each.coupon.terms, each.reach, self.cart)
        return effect

    def after(self, each: Usable) -> _Step:
        """The cart once the coupon is taken."""
        coupon_id = each.coupon.coupon_id
        after = self._after.get(coupon_id)
        if after is None:
            after = self._after[coupon_id] = _Step(self.cart.without(self.effect(each)))
        return after


@dataclass(slots=True)
class _Search:
    groups: Sequence[Sequence[Usable]]
    bounds: Sequence[int]
    visits_left: int
    best: tuple[Usable, ...]
    best_rank: _Rank
    tried: set[str] = field(default_factory=set)
    is_cut: bool = False


def best_combination(groups: Sequence[Sequence[Usable]], cart: OpenCart) -> Choice:
    """At most one coupon of each group, taken in the order of the groups.

    Most is taken off; ties go to the lower cost for the merchant, then to fewer coupons, then to
    the lower ids. The order within a group has no influence.
    """
    ranked = [sorted(group, key=lambda each: each.coupon.coupon_id) for group in groups]
    first = _Step(cart)
    most = [
        max((most_of(each.coupon.terms, first.amount(each)) for each in group), default=0)
        for group in ranked
    ]
    bounds = [sum(most[position:]) for position in range(len(most) + 1)]
    greedy = _greedy(ranked, first)
    search = _Search(
        groups=ranked,
        bounds=bounds,
        visits_left=VISITS_MAX,
        best=greedy,
        best_rank=_rank_of(greedy, first),
    )
    _descend(search, first, 0, (), 0, 0)
    taken, last = _applied(search.best, first)
    untried: frozenset[str] = frozenset()
    if search.is_cut:
        every = {each.coupon.coupon_id for group in groups for each in group}
        untried = frozenset(every - search.tried)
    return Choice(taken, last.cart, untried)


def _descend(
    search: _Search,
    step: _Step,
    position: int,
    chosen: tuple[Usable, ...],
    taken: int,
    cost: int,
) -> None:
    if position == len(search.groups):
        ids = tuple(each.coupon.coupon_id for each in chosen)
        rank = (-taken, cost, len(chosen), ids)
        if rank < search.best_rank:
            search.best, search.best_rank = chosen, rank
        return
    reachable = -(taken + search.bounds[position])
    if (reachable, cost) > search.best_rank[:2]:
        return
    for amount, each in _by_amount(search, step, position):
        if search.is_cut:
            return
        search.tried.add(each.coupon.coupon_id)
        after = step
        if position + 1 < len(search.groups):
            search.visits_left -= _VISITS_OF_EFFECT * len(step.cart.left_minor)
            after = step.after(each)
        _descend(
            search,
            after,
            position + 1,
            (*chosen, each),
            taken + amount,
            cost + amount * each.own_bps,
        )
    _descend(search, step, position + 1, chosen, taken, cost)


def _by_amount(search: _Search, step: _Step, position: int) -> list[tuple[int, Usable]]:
    """The group's coupons that would take something off now, the best first."""
    group = search.groups[position]
    search.visits_left -= len(step.cart.left_minor) * len(group)
    if search.visits_left < 0:
        search.is_cut = True
        return []
    amounts = []
    for each in group:
        amount = step.amount(each)
        if amount:
            amounts.append((amount, each))
        else:
            search.tried.add(each.coupon.coupon_id)
    amounts.sort(key=lambda pair: (-pair[0], pair[1].own_bps, pair[1].coupon.coupon_id))
    return amounts


def _greedy(groups: Sequence[Sequence[Usable]], step: _Step) -> tuple[Usable, ...]:
    chosen = []
    for group in groups:
        rivals = [(step.amount(each), each) for each in group]
        amount, best = min(
            rivals, key=lambda pair: (-pair[0], pair[1].own_bps, pair[1].coupon.coupon_id)
        )
        if amount:
            chosen.append(best)
            step = step.after(best)
    return tuple(chosen)


def _applied(
    chosen: Sequence[Usable], step: _Step
) -> tuple[tuple[tuple[Usable, CouponEffect], ...], _Step]:
    taken = []
    for each in chosen:
        taken.append((each, step.effect(each)))
        step = step.after(each)
    return tuple(taken), step


def _rank_of(chosen: Sequence[Usable], step: _Step) -> _Rank:
    taken, _ = _applied(chosen, step)
    return (
        -sum(effect.amount_minor for _, effect in taken),
        sum(effect.amount_minor * each.own_bps for each, effect in taken),
        len(taken),
        tuple(each.coupon.coupon_id for each, _ in taken),
    )
