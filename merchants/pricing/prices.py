"""What a cart costs, and why: the layers in their fixed order. Pure.

Source: docs/rules/pricing.md.
"""

from __future__ import annotations

from dataclasses import replace

from kernel.units import WHOLE_BP
from merchants.benefits.in_force import earn_rate, flags
from merchants.offers import MAJOR, Priced, PricedLine, Redemption
from merchants.port import PriceCart
from merchants.pricing.layers import Layers, PriceRules
from merchants.pricing.line_order import by_content
from merchants.pricing.parity import up_to_coupons
from merchants.pricing.policy import cap_decisions
from merchants.pricing.spending import Spending, coins_spending, points_spending
from merchants.pricing.versions import version_of
from merchants.promotions.goods import GoodsPrice


def price(cart: PriceCart, rules: PriceRules) -> Priced:
    """The cart's price under these rules.

    Identities: `list == payable` + Σ allocations, for each line and in all (shipping apart); a
    member never pays more than a stranger. The order of the lines moves none of the sums.

    Source: docs/rules/pricing.md.
    """
    order = by_content(cart.lines)
    ordered = replace(cart, lines=tuple([cart.lines[position] for position in order]))
    layers, public = up_to_coupons(ordered, rules)
    layers.put_back(cart, order)
    return _finish(cart, rules, layers, public)


def points_earned(cash_minor: int, *, per_major: int, bps: int = WHOLE_BP) -> int:
    """Points that cash earns, rounded down once for the whole order.

    Source: docs/rules/pricing.md, rule 7.
    """
    return cash_minor * per_major * bps // (MAJOR * WHOLE_BP)


def _finish(cart: PriceCart, rules: PriceRules, layers: Layers, public: GoodsPrice) -> Priced:
    points = points_spending(cart, layers.left, budget_minor=layers.budget)
    _spend(layers, points)
    if layers.budget is not None:
        layers.budget -= sum(points.shares_minor)
        layers.decisions.extend(cap_decisions(rules.policy, left_minor=layers.budget))
    coins = coins_spending(cart, layers.left)
    _spend(layers, coins)
    earn_bps, earning = earn_rate(rules.benefits)
    layers.decisions.extend([*earning, *flags(rules.benefits)])
    cash = sum(layers.left)
    own = tuple(each for each in layers.applied if not each.is_alliances)
    foreign = tuple(each for each in layers.applied if each.is_alliances)
    unversioned = Priced(
        version="",
        list_minor=sum(line.list_minor for line in cart.lines),
        payable_minor=cash + layers.shipping,
        anonymous_payable_minor=sum(public.left_minor) + cart.shipping_minor,
        points_spent=points.spent,
        coins_spent_minor=coins.spent,
        shipping_minor=layers.shipping,
        points_to_earn=points_earned(
            cash, per_major=cart.earn_points_per_major_unit if cart.card_id else 0, bps=earn_bps
        ),
        earn_bps=earn_bps,
        lines=_priced_lines(layers, points, coins),
        decisions=tuple(layers.decisions),
        coupon_ids=tuple(each.coupon.coupon_id for each in own),
        alliance_coupon_ids=tuple(each.coupon.coupon_id for each in foreign),
        redemptions=tuple(
            Redemption(
                each.coupon.coupon_id,
                each.effect.amount_minor,
                each.coupon.terms.funder_alliance_bps,
                each.coupon.terms if each.is_alliances and each.coupon.is_rechecked else None,
            )
            for each in layers.applied
        ),
        stock=layers.goods.stock,
    )
    return replace(unversioned, version=version_of(cart, unversioned))


def _priced_lines(layers: Layers, points: Spending, coins: Spending) -> tuple[PricedLine, ...]:
    return tuple(
        PricedLine(
            index=index,
            sku=line.sku,
            quantity=line.quantity,
            list_minor=line.list_minor,
            payable_minor=layers.left[index],
            points=points.spent_by_line[index],
            coins_minor=coins.spent_by_line[index],
            allocations=tuple(layers.allocations[index]),
        )
        for index, line in enumerate(layers.cart.lines)
    )


def _spend(layers: Layers, spending: Spending) -> None:
    layers.decisions.extend(spending.decisions)
    if spending.spent:
        layers.take(spending.decisions[0].id, spending.shares_minor)
