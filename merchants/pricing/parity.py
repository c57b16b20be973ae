"""The member's own prices of goods, unless others leave less to pay. Pure.

Source: docs/rules/pricing.md, rules 18 and 25.
"""

from __future__ import annotations

from merchants.benefits.in_force import early_decisions, member_rates
from merchants.benefits.terms import GIFT, early_minutes
from merchants.port import PriceCart
from merchants.pricing.coupon_kinds import ZONE_KINDS
from merchants.pricing.layers import Layers, PriceRules, after_coupons
from merchants.promotions.decisions import (
    closed_decisions,
    parity_decisions,
    promotion_decisions,
)
from merchants.promotions.goods import GoodsPrice, goods_price
from merchants.promotions.terms import Buyer


def up_to_coupons(cart: PriceCart, rules: PriceRules) -> tuple[Layers, GoodsPrice]:
    """The layers that look at single lines, of lines by content; and what goods cost publicly.

    Source: docs/rules/pricing.md, rules 18 and 25.
    """
    public = goods_price(
        cart.lines, rules.promotions, buyer=Buyer(is_member=False), rates=(), at=cart.at
    )
    goods = public if cart.card_id is None else _members_goods(cart, rules)
    layers = own = after_coupons(cart, rules, goods)
    decisions = promotion_decisions(goods, cart.lines)
    for base in _other_bases(cart, rules, public, goods):
        if not _may_be_lower(base, goods, own, rules):
            continue
        otherwise = after_coupons(cart, rules, base)
        if otherwise.to_pay < layers.to_pay:
            layers = otherwise
            decisions = promotion_decisions(base, cart.lines)
            decisions += parity_decisions(base, goods)
    decisions += closed_decisions(goods)
    decisions += early_decisions(rules.benefits, layers.goods)
    layers.decisions[:0] = decisions
    return layers, public


def _members_goods(cart: PriceCart, rules: PriceRules, *, with_rates: bool = True) -> GoodsPrice:
    return goods_price(
        cart.lines,
        rules.promotions,
        buyer=Buyer(True, rules.rank, early_minutes(each.benefit for each in rules.benefits)),
        rates=member_rates(rules.benefits) if with_rates else (),
        at=cart.at,
    )


def _other_bases(
    cart: PriceCart, rules: PriceRules, public: GoodsPrice, goods: GoodsPrice
) -> list[GoodsPrice]:
    """Prices of goods that leave something of the member's own out, most first.

    Source: docs/rules/pricing.md, rule 18.
    """
    if cart.card_id is None:
        return []
    bases = [public]
    # Who may have no more promotions than everybody has the public prices without a tier.
    if goods.rates and goods.open != public.open:
        without_tier = _members_goods(cart, rules, with_rates=False)
        if not (without_tier.costs_as(public) or without_tier.costs_as(goods)):
            bases.append(without_tier)
    return bases


def _may_be_lower(public: GoodsPrice, goods: GoodsPrice, layers: Layers, rules: PriceRules) -> bool:
    """Whether other prices of goods could leave less to pay once coupons are taken.

    They could not where no line is cheaper by them and no coupon reaches its minimum spend only
    because lines are dearer. But what is given depends on what each unit costs, and what else
    would have lowered the price of another one is lost on it.
    """
    if goods.costs_as(public):
        return False
    dearer = sum(public.left_minor) - sum(goods.left_minor)
    if any(each < mine for each, mine in zip(public.left_minor, goods.left_minor, strict=True)):
        return True
    if _may_give(rules, layers.cart):
        return True
    return any(
        each.reason == "BELOW_MIN_SPEND" and (each.missing_minor or 0) <= dearer
        for each in layers.decisions
    )


def _may_give(rules: PriceRules, cart: PriceCart) -> bool:
    """Whether a tier or a coupon could give something of this cart."""
    skus = {line.sku for line in cart.lines}
    if any(each.benefit.kind == GIFT and each.benefit.gift_sku in skus for each in rules.benefits):
        return True
    return any(
        each.barred is None and each.coupon.terms.kind in ZONE_KINDS
        for each in (*rules.coupons, *rules.alliance_coupons)
    )
