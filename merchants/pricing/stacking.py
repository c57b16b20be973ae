"""Which coupons of a cart apply, what each takes off, and why the others do not. Pure.

Source: docs/rules/coupons.md, rules 5 to 9 and 29 to 31.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from merchants.benefits.line_parts import LineParts, parts_of
from merchants.offers import (
    CartLine,
    CouponKind,
    Decision,
    DecisionKind,
    DecisionOutcome,
    OfferedCoupon,
)
from merchants.pricing.coupon_kinds import (
    ZONE_KINDS,
    CouponEffect,
    OpenCart,
    gifts_of,
    in_zone,
    is_told_by_shares,
    missing_spend,
    reach_of,
)
from merchants.pricing.coupon_search import Choice, Usable, best_combination
from merchants.promotions.items import Parts

ZONE_TOLD_MAX = 5
"""Articles or categories of a zone that a sentence names."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A coupon to be considered.

    Attributes:
        barred: reason code and code of the sentence when it can not be used at all.
    """

    coupon: OfferedCoupon
    barred: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CouponRules:
    """The candidates of both issuers, and what their conditions ask about the buyer.

    Attributes:
        owned_skus: articles that the buyer bought here before.
    """

    own: tuple[Candidate, ...] = ()
    alliance: tuple[Candidate, ...] = ()
    owned_skus: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AppliedCoupon:
    """A coupon that applies.

    Attributes:
        told_lines: positions of the lines that it covers, where the order is to tell so by
            shares of 0.
    """

    coupon: OfferedCoupon
    effect: CouponEffect
    is_alliances: bool
    told_lines: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class CouponLayer:
    """What all coupons do together; `cart` is what is left afterwards."""

    applied: tuple[AppliedCoupon, ...]
    decisions: tuple[Decision, ...]
    cart: OpenCart


def coupon_layer(
    rules: CouponRules,
    lines: Sequence[CartLine],
    *,
    channel: str,
    cart: OpenCart,
    spend_minor: Sequence[int],
    parts: Sequence[Parts] = (),
) -> CouponLayer:
    """The combination that takes most off: the merchant's coupons first, then the alliance's.

    The result does not depend on the order of candidates.

    Args:
        spend_minor: what minimum spends are tested on: each line after prices of goods and
            promotions on orders.
        parts: by line, the units that tiers leave, those that cost alike together; empty where
            all of them do, and tiers gave none.

    Source: docs/rules/coupons.md, rules 6 and 7.
    """
    decisions: list[Decision] = []
    groups: dict[tuple[bool, str], list[Usable]] = {}
    parts_of_zones = _parts_of_zones(rules, lines, cart.left_minor, parts)
    cart = OpenCart(cart.left_minor, cart.shipping_minor, cart.budget_minor, parts_of_zones)
    bought = _Bought(lines, channel, cart, spend_minor, rules.owned_skus)
    for is_alliances, candidates in ((False, rules.own), (True, rules.alliance)):
        for candidate in candidates:
            checked = _check(candidate, bought)
            if isinstance(checked, Decision):
                decisions.append(checked)
            else:
                group = candidate.coupon.terms.stacking_group or ""
                groups.setdefault((is_alliances, group), []).append(checked)
    order = sorted(groups)
    choice = best_combination([groups[key] for key in order], cart)
    applied = []
    for is_alliances, group in order:
        rivals = groups[(is_alliances, group)]
        taken = next((pair for pair in choice.taken if pair[0] in rivals), None)
        if taken is not None:
            usable, effect = taken
            applied.append(_apply(usable, effect, is_alliances=is_alliances))
        decisions.extend(_decide(rivals, taken, choice))
    decisions.sort(key=lambda decision: decision.id)
    return CouponLayer(tuple(applied), tuple(decisions), choice.cart)


def _parts_of_zones(
    rules: CouponRules,
    lines: Sequence[CartLine],
    left_minor: Sequence[int],
    parts: Sequence[Parts],
) -> dict[int, LineParts]:
    """The units of each line, of which a coupon may give some; none where no coupon gives any."""
    if all(each.coupon.terms.zone is None for each in (*rules.own, *rules.alliance)):
        return {}
    return dict(enumerate(map(LineParts, parts_of(lines, left_minor, parts))))


def _apply(usable: Usable, effect: CouponEffect, *, is_alliances: bool) -> AppliedCoupon:
    coupon = usable.coupon
    is_told = coupon.is_rechecked and is_told_by_shares(coupon.terms)
    return AppliedCoupon(coupon, effect, is_alliances, usable.reach.lines if is_told else ())


def refused(
    coupon: OfferedCoupon,
    reason: str,
    *,
    says: str | None = None,
    blocked_by: str | None = None,
    missing_minor: int | None = None,
    facts: tuple[tuple[str, int | str], ...] = (),
    outcome: DecisionOutcome = DecisionOutcome.REFUSED,
) -> Decision:
    """The decision of a coupon that does not apply."""
    return Decision(
        id=coupon.coupon_id,
        title=coupon.terms.title,
        kind=DecisionKind.COUPON,
        outcome=outcome,
        says=says or reason,
        reason=reason,
        blocked_by=blocked_by,
        missing_minor=missing_minor,
        rule_version=1,
        facts=facts,
    )


@dataclass(frozen=True, slots=True)
class _Bought:
    """What the conditions of coupons are tested on."""

    lines: Sequence[CartLine]
    channel: str
    cart: OpenCart
    spend_minor: Sequence[int]
    owned_skus: Collection[str]


def _check(candidate: Candidate, bought: _Bought) -> Usable | Decision:
    """The coupon as the search takes it, or why it can not be used in this cart."""
    coupon, terms, lines = candidate.coupon, candidate.coupon.terms, bought.lines
    if candidate.barred is not None:
        reason, says = candidate.barred
        return refused(coupon, reason, says=says)
    if terms.channels is not None and bought.channel not in terms.channels:
        return refused(coupon, "COUPON_WRONG_CHANNEL")
    cart = bought.cart
    reach = reach_of(terms, lines, cart, bought.owned_skus, spend_minor=bought.spend_minor)
    if not reach.lines:
        return refused(coupon, "OUT_OF_SCOPE")
    if terms.kind in ZONE_KINDS and not reach.places:
        return _not_given(coupon, bought)
    missing = missing_spend(terms, reach, gifts_of(terms, reach, cart), cart)
    if missing > 0:
        return refused(
            coupon, "BELOW_MIN_SPEND", missing_minor=missing, facts=(("missing", missing),)
        )
    if terms.kind is CouponKind.SHIPPING and cart.shipping_minor == 0:
        return refused(coupon, "NO_EFFECT", says="NO_SHIPPING")
    return Usable(coupon, reach)


def _not_given(coupon: OfferedCoupon, bought: _Bought) -> Decision:
    zone = coupon.terms.zone
    assert zone is not None
    found = [line for line in bought.lines if in_zone(zone, line)]
    if found and zone.excludes_owned and all(line.sku in bought.owned_skus for line in found):
        return refused(coupon, "GIFT_OWNED")
    if found:
        return refused(coupon, "NO_EFFECT")
    named = (*(zone.skus or ()), *(zone.category_ids or ()))
    told = ", ".join(named[:ZONE_TOLD_MAX]) + ("…" if len(named) > ZONE_TOLD_MAX else "")
    return refused(coupon, "GIFT_NOT_IN_CART", facts=(("zone", told),))


def _decide(
    rivals: Sequence[Usable], taken: tuple[Usable, CouponEffect] | None, choice: Choice
) -> list[Decision]:
    decisions = []
    for each in rivals:
        coupon = each.coupon
        if taken is not None and each is taken[0]:
            decisions.append(_applied(coupon, taken[1].amount_minor))
        elif coupon.coupon_id in choice.untried:
            decisions.append(refused(coupon, "SEARCH_LIMIT", outcome=DecisionOutcome.NOT_EVALUATED))
        elif taken is not None:
            winner = taken[0].coupon
            decisions.append(
                refused(
                    coupon,
                    "STACKING_GROUP",
                    blocked_by=winner.coupon_id,
                    facts=(("winner", winner.terms.title),),
                )
            )
        else:
            says = "NO_MORE_EFFECT" if choice.taken else "NO_EFFECT"
            decisions.append(refused(coupon, "NO_EFFECT", says=says))
    return decisions


_SAYS = {
    CouponKind.AMOUNT_OFF: "TAKES_OFF",
    CouponKind.PERCENT_OFF: "TAKES_OFF",
    CouponKind.SHIPPING: "SHIPPING_OFF",
    CouponKind.GIFT: "GIVES",
    CouponKind.EXCHANGE: "ADD_ON",
}


def _applied(coupon: OfferedCoupon, amount_minor: int) -> Decision:
    return Decision(
        id=coupon.coupon_id,
        title=coupon.terms.title,
        kind=DecisionKind.COUPON,
        outcome=DecisionOutcome.APPLIED,
        says=_SAYS[coupon.terms.kind],
        amount_minor=amount_minor,
        rule_version=1,
        facts=(("amount", amount_minor),),
    )
