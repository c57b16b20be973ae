"""The combination of coupons that takes most off: one of each group, or none. Pure.

Source: docs/rules/coupons.md, rule 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kernel.units import WHOLE_BP
from merchants.coupon_kinds import CouponEffect, OpenCart, Reach, amount_of, effect_of, most_of
from merchants.offers import OfferedCoupon

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
    most = [
        max((most_of(each.coupon.terms, each.reach, cart) for each in group), default=0)
        for group in ranked
    ]
    bounds = [sum(most[position:]) for position in range(len(most) + 1)]
    first = _greedy(ranked, cart)
    search = _Search(
        groups=ranked,
        bounds=bounds,
        visits_left=VISITS_MAX,
        best=first,
        best_rank=_rank_of(first, cart),
    )
    _descend(search, cart, 0, (), 0, 0)
    taken, left = _applied(search.best, cart)
    untried: frozenset[str] = frozenset()
    if search.is_cut:
        every = {each.coupon.coupon_id for group in groups for each in group}
        untried = frozenset(every - search.tried)
    return Choice(taken, left, untried)


def _descend(
    search: _Search,
    cart: OpenCart,
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
    for amount, each in _by_amount(search, cart, position):
        if search.is_cut:
            return
        search.tried.add(each.coupon.coupon_id)
        after = cart
        if position + 1 < len(search.groups):
            search.visits_left -= _VISITS_OF_EFFECT * len(cart.left_minor)
            after = cart.without(effect_of(each.coupon.terms, each.reach, cart))
        _descend(
            search,
            after,
            position + 1,
            (*chosen, each),
            taken + amount,
            cost + amount * each.own_bps,
        )
    _descend(search, cart, position + 1, chosen, taken, cost)


def _by_amount(search: _Search, cart: OpenCart, position: int) -> list[tuple[int, Usable]]:
    """The group's coupons that would take something off now, the best first."""
    group = search.groups[position]
    search.visits_left -= len(cart.left_minor) * len(group)
    if search.visits_left < 0:
        search.is_cut = True
        return []
    amounts = []
    for each in group:
        amount = amount_of(each.coupon.terms, each.reach, cart)
        if amount:
            amounts.append((amount, each))
        else:
            search.tried.add(each.coupon.coupon_id)
    amounts.sort(key=lambda pair: (-pair[0], pair[1].own_bps, pair[1].coupon.coupon_id))
    return amounts


def _greedy(groups: Sequence[Sequence[Usable]], cart: OpenCart) -> tuple[Usable, ...]:
    chosen = []
    for group in groups:
        rivals = [(amount_of(each.coupon.terms, each.reach, cart), each) for each in group]
        amount, best = min(
            rivals, key=lambda pair: (-pair[0], pair[1].own_bps, pair[1].coupon.coupon_id)
        )
        if amount:
            chosen.append(best)
            cart = cart.without(effect_of(best.coupon.terms, best.reach, cart))
    return tuple(chosen)


def _applied(
    chosen: Sequence[Usable], cart: OpenCart
) -> tuple[tuple[tuple[Usable, CouponEffect], ...], OpenCart]:
    taken = []
    for each in chosen:
        effect = effect_of(each.coupon.terms, each.reach, cart)
        taken.append((each, effect))
        cart = cart.without(effect)
    return tuple(taken), cart


def _rank_of(chosen: Sequence[Usable], cart: OpenCart) -> _Rank:
    taken, _ = _applied(chosen, cart)
    return (
        -sum(effect.amount_minor for _, effect in taken),
        sum(effect.amount_minor * each.own_bps for each, effect in taken),
        len(taken),
        tuple(each.coupon.coupon_id for each, _ in taken),
    )
