"""The hash that names a price. Pure."""

from __future__ import annotations

import hashlib

import orjson

from merchants.offers import DecisionOutcome, Priced
from merchants.port import PriceCart


def version_of(cart: PriceCart, priced: Priced) -> str:
    """The hash that names a price: the same goods, buyer, rules and result give the same.

    What was merely on offer and did not apply has no part in it, nor has the instant.

    Source: docs/rules/pricing.md, rule 8.
    """
    facts = [
        cart.merchant_id,
        cart.store_id,
        cart.channel,
        cart.card_id,
        [(line.sku, line.category_id, line.quantity, line.unit_price_minor) for line in cart.lines],
        str(cart.member_point_value),
        cart.earn_points_per_major_unit,
        priced.payable_minor,
        priced.anonymous_payable_minor,
        priced.points_spent,
        priced.coins_spent_minor,
        priced.shipping_minor,
        priced.points_to_earn,
        priced.earn_bps,
        [
            [
                (each.decision_id, each.amount_minor)
                for each in line.allocations
                if each.amount_minor
            ]
            for line in priced.lines
        ],
        [
            (decision.id, decision.rule_version)
            for decision in priced.decisions
            if decision.outcome is DecisionOutcome.APPLIED
        ],
        [(each.coupon_id, each.funder_alliance_bps) for each in priced.redemptions],
        [(each.promotion_id, each.units) for each in priced.stock],
    ]
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()[:32]
