"""What points and coins pay of a cart, as far as they are there and allowed. Pure.

Source: docs/rules/pricing.md, rules 4 to 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.units import WHOLE_BP, apportion
from merchants.offers import Decision, DecisionKind, DecisionOutcome
from merchants.port import PriceCart

POINTS = "points"
"""The decision about points; its shares are what points paid."""

COINS = "coins"
"""The decision about coins; its shares are what coins paid."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Points or coins spent on a cart.

    Attributes:
        spent: points, or coins in minor units.
        spent_by_line: the same, line by line.
        shares_minor: what they take off each line.
        decisions: first what they did, then why some are left.
    """

    spent: int
    spent_by_line: tuple[int, ...]
    shares_minor: tuple[int, ...]
    decisions: tuple[Decision, ...]


def points_spending(
    cart: PriceCart, left_minor: Sequence[int], *, budget_minor: int | None = None
) -> Spending:
    """The most that the offered points buy, for the fewest of them.

    Identity: `value.floor(spent) == Σ shares`.

    Args:
        left_minor: what is left to pay of each line.
        budget_minor: most that they may take off, by the merchant's limit of discounts.

    Source: docs/rules/pricing.md, rules 4 and 5.
    """
    nothing = (0,) * len(left_minor)
    if cart.points == 0:
        return Spending(0, nothing, nothing, ())
    value = cart.member_point_value
    limit = sum(left_minor) * cart.points_cap_bps // WHOLE_BP
    if budget_minor is not None:
        limit = min(limit, budget_minor)
    available = min(cart.points, cart.points_available)
    points = 0
    if value.numerator:
        points = min(available, ((limit + 1) * value.denominator - 1) // value.numerator)
    discount = value.floor(points)
    # The fewest points that buy the same: what would buy nothing stays with the member.
    points = -(-discount * value.denominator // value.numerator) if discount else 0
    is_capped = budget_minor is not None and limit == budget_minor
    decisions = _points_decisions(
        cart,
        points=points,
        discount_minor=discount,
        available=available,
        is_capped=is_capped,
    )
    if discount == 0:
        return Spending(0, nothing, nothing, decisions)
    shares = apportion(discount, left_minor)
    return Spending(points, tuple(apportion(points, shares)), tuple(shares), decisions)


def coins_spending(cart: PriceCart, left_minor: Sequence[int]) -> Spending:
    """The coins that pay; one coin is one minor unit.

    Source: docs/rules/pricing.md, rule 6.
    """
    nothing = (0,) * len(left_minor)
    if cart.coins_minor == 0:
        return Spending(0, nothing, nothing, ())
    coins = min(cart.coins_minor, cart.coins_available_minor, sum(left_minor))
    decisions = _coins_decisions(cart, coins)
    if coins == 0:
        return Spending(0, nothing, nothing, decisions)
    shares = tuple(apportion(coins, left_minor))
    return Spending(coins, shares, shares, decisions)


def _points_decisions(
    cart: PriceCart, *, points: int, discount_minor: int, available: int, is_capped: bool
) -> tuple[Decision, ...]:
    done = _decision(
        POINTS,
        DecisionKind.POINTS,
        discount_minor,
        says="POINTS_TAKE_OFF" if discount_minor else "POINTS_NO_EFFECT",
        facts=(("points", points), ("amount", discount_minor)) if discount_minor else (),
    )
    unused = cart.points - points
    if unused == 0:
        return (done,)
    facts: tuple[tuple[str, int | str], ...] = (("unused", unused),)
    if cart.points > cart.points_available and points == available:
        reason = "POINTS_NOT_AVAILABLE"
        facts = (*facts, ("available", cart.points_available))
    elif cart.member_point_value.floor(available) == discount_minor:
        reason = "POINTS_BUY_NOTHING"
    elif is_capped:
        reason = "POINTS_DISCOUNT_CAP"
    else:
        reason = "POINTS_CAP"
        facts = (*facts, ("share", cart.points_cap_bps))
    return (done, _cap("points-cap", reason, facts))


def _coins_decisions(cart: PriceCart, coins: int) -> tuple[Decision, ...]:
    done = _decision(
        COINS,
        DecisionKind.COINS,
        coins,
        says="COINS_PAY" if coins else "COINS_NONE",
        facts=(("amount", coins),) if coins else (),
    )
    unused = cart.coins_minor - coins
    if unused == 0:
        return (done,)
    is_short = coins == cart.coins_available_minor
    reason = "COINS_NOT_AVAILABLE" if is_short else "NOTHING_LEFT_TO_PAY"
    return (done, _cap("coins-cap", reason, (("unused", unused),)))


def _decision(
    decision_id: str,
    kind: DecisionKind,
    amount_minor: int,
    *,
    says: str,
    facts: tuple[tuple[str, int | str], ...],
) -> Decision:
    return Decision(
        id=decision_id,
        title="",
        kind=kind,
        outcome=DecisionOutcome.APPLIED if amount_minor else DecisionOutcome.REFUSED,
        says=says,
        amount_minor=amount_minor,
        reason=None if amount_minor else "NO_EFFECT",
        facts=facts,
    )


def _cap(decision_id: str, reason: str, facts: tuple[tuple[str, int | str], ...]) -> Decision:
    return Decision(
        id=decision_id,
        title="",
        kind=DecisionKind.CAP,
        outcome=DecisionOutcome.REFUSED,
        says=reason,
        reason=reason,
        facts=facts,
    )
