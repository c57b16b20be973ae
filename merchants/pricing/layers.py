"""The layers of a price up to coupons: what each line keeps, and why. Pure.

Source: docs/rules/pricing.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kernel.units import WHOLE_BP
from merchants.benefits.gifts import tier_gifts
from merchants.benefits.in_force import BenefitInForce, free_shipping
from merchants.benefits.line_parts import GivenUnits
from merchants.offers import Allocation, Decision
from merchants.port import PriceCart
from merchants.pricing.coupon_kinds import OpenCart
from merchants.pricing.line_order import as_given
from merchants.pricing.policy import PricingPolicy
from merchants.pricing.stacking import AppliedCoupon, Candidate, CouponRules, coupon_layer
from merchants.promotions.goods import GoodsPrice
from merchants.promotions.terms import Promotion

NO_UNITS: Mapping[int, GivenUnits] = {}


@dataclass(frozen=True, slots=True)
class PriceRules:
    """What a price depends on beside the cart: what is on offer, and what the buyer has here.

    Attributes:
        promotions: those that are on at the instant, open to this buyer or not.
        rank: the buyer's best rank in any ladder; 0 for none.
        owned_skus: articles that the buyer bought here before.
        policy: the merchant's own limits; None without any.
    """

    benefits: tuple[BenefitInForce, ...] = ()
    coupons: tuple[Candidate, ...] = ()
    alliance_coupons: tuple[Candidate, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    rank: int = 0
    owned_skus: frozenset[str] = frozenset()
    policy: PricingPolicy | None = None


class Layers:
    """The lines as the layers take their shares, and the decisions so far."""

    def __init__(self, cart: PriceCart, goods: GoodsPrice) -> None:
        self.cart = cart
        self.goods = goods
        self.shipping = cart.shipping_minor
        self.left = list(goods.left_minor)
        self.budget: int | None = None
        self.allocations = [[Allocation(*each) for each in line] for line in goods.shares]
        self.decisions: list[Decision] = []
        self.applied: tuple[AppliedCoupon, ...] = ()

    @property
    def to_pay(self) -> int:
        """What is left to pay in all."""
        return sum(self.left) + self.shipping

    def take(
        self,
        decision_id: str,
        shares: Sequence[int],
        given_units: Mapping[int, GivenUnits] = NO_UNITS,
        told_lines: Collection[int] = (),
    ) -> None:
        """Takes each line's share of one decision off it.

        Of told lines a share of 0 is kept where there is no other, and beside what is given,
        which may be outside of what the coupon covers.
        """
        for index, share in enumerate(shares):
            given = given_units.get(index)
            if given is not None:
                allocation = Allocation(decision_id, share, given.units, given.worth_minor)
                self.allocations[index].append(allocation)
            elif share:
                self.allocations[index].append(Allocation(decision_id, share))
            self.left[index] -= share
            if index in told_lines and (given or not share):
                self.allocations[index].append(Allocation(decision_id, 0))

    def put_back(self, cart: PriceCart, order: Sequence[int]) -> None:
        """Puts the lines back into the order in which they stand in the cart."""
        place_of = as_given(cart.lines, order, self.allocations)
        self.cart = cart
        self.left = [self.left[place] for place in place_of]
        self.allocations = [self.allocations[place] for place in place_of]


def after_coupons(cart: PriceCart, rules: PriceRules, goods: GoodsPrice) -> Layers:
    """What is left of these prices of goods once free shipping, gifts and coupons are taken."""
    layers = Layers(cart, goods)
    shipping = free_shipping(rules.benefits, cart.shipping_minor)
    layers.decisions.extend(shipping)
    layers.shipping -= sum(each.amount_minor for each in shipping)
    gifts = tier_gifts(rules.benefits, cart.lines, goods.left_minor, goods.parts)
    layers.decisions.extend(gifts.decisions)
    for decision_id, shares in gifts.shares:
        layers.take(decision_id, shares)
    layer = coupon_layer(
        CouponRules(rules.coupons, rules.alliance_coupons, rules.owned_skus),
        cart.lines,
        channel=cart.channel,
        cart=OpenCart(tuple(layers.left), layers.shipping, _budget(cart, rules, goods)),
        spend_minor=goods.left_minor,
        parts=gifts.parts,
    )
    layers.decisions.extend(layer.decisions)
    for applied in layer.applied:
        layers.take(
            applied.coupon.coupon_id,
            applied.effect.shares_minor,
            {each.index: each for each in applied.effect.given},
            applied.told_lines,
        )
    layers.applied = layer.applied
    layers.shipping = layer.cart.shipping_minor
    layers.budget = layer.cart.budget_minor
    return layers


def _budget(cart: PriceCart, rules: PriceRules, goods: GoodsPrice) -> int | None:
    """What coupons and points may take off goods; None without a limit.

    What tiers give is not counted: it would use up the limit, and cost the member a coupon.

    Source: docs/rules/pricing.md, rule 22.
    """
    if rules.policy is None or rules.policy.discount_cap_bps is None:
        return None
    list_minor = sum(line.list_minor for line in cart.lines)
    taken = list_minor - sum(goods.left_minor)
    return max(0, list_minor * rules.policy.discount_cap_bps // WHOLE_BP - taken)
