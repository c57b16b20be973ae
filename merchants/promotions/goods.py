"""What goods cost after promotions and member prices: the first two layers, for one buyer. Pure.

Source: docs/rules/pricing.md, rules 10 to 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kernel.units import apportion
from merchants.offers import CartLine, StockUnits
from merchants.promotions.bundles import Bundle
from merchants.promotions.items import (
    FlashRule,
    ItemPrices,
    ItemRules,
    Parts,
    Shares,
    UnitRule,
    item_prices,
    unit_rule,
)
from merchants.promotions.terms import ORDER_KINDS, Buyer, Promotion, PromotionKind, why_closed
from merchants.promotions.thresholds import OrderPromotions, order_promotions


@dataclass(frozen=True, slots=True)
class MemberRate:
    """What a buyer's tier makes of prices: a percentage off, or a price of a unit.

    Attributes:
        price_minor: what a unit costs; None for a percentage.
        skus, category_ids: goods that it is limited to; None for all.
    """

    decision_id: str
    title: str
    rule_version: int
    off_bps: int = 0
    price_minor: int | None = None
    skus: tuple[str, ...] | None = None
    category_ids: tuple[str, ...] | None = None

    def covered(self, lines: Sequence[CartLine]) -> frozenset[int]:
        """Positions of the lines that it is for."""
        return frozenset(
            index
            for index, line in enumerate(lines)
            if (self.skus is None or line.sku in self.skus)
            and (self.category_ids is None or line.category_id in self.category_ids)
        )


@dataclass(frozen=True, slots=True)
class GoodsPrice:
    """The cart after the first two layers.

    Attributes:
        left_minor: what is left of each line.
        shares: by line, each decision's share in the order of taking.
        open: promotions that the buyer may have.
        closed: promotions that it may not have, with the reason code.
        buyer, at: who bought, and when.
        rates: what the buyer's tiers make of prices.
        parts: by line, its units where they do not all cost alike; empty where they do.
    """

    left_minor: tuple[int, ...]
    shares: tuple[Shares, ...]
    items: ItemPrices
    orders: OrderPromotions
    open: tuple[Promotion, ...]
    closed: tuple[tuple[Promotion, str], ...]
    buyer: Buyer
    at: datetime
    rates: tuple[MemberRate, ...] = ()
    parts: tuple[Parts, ...] = ()

    @property
    def stock(self) -> tuple[StockUnits, ...]:
        """Units that flash sales give."""
        return self.items.stock

    def costs_as(self, other: GoodsPrice) -> bool:
        """Whether each line, and each unit that may be given of it, costs as by the other."""
        return self.left_minor == other.left_minor and self.parts == other.parts

    def taken_by(self, decision_id: str) -> int:
        """What one decision takes off in all."""
        return sum(amount for line in self.shares for each, amount in line if each == decision_id)


def goods_price(
    lines: Sequence[CartLine],
    promotions: Sequence[Promotion],
    *,
    buyer: Buyer,
    rates: tuple[MemberRate, ...],
    at: datetime,
) -> GoodsPrice:
    """The goods' price for this buyer.

    Args:
        promotions: those that are on, see `terms.is_on`.
        rates: what the buyer's tiers make of prices; nothing for a stranger.
    """
    ranked = sorted(promotions, key=lambda each: each.promotion_id)
    reasons = [(each, why_closed(each.terms, buyer, at)) for each in ranked]
    may = tuple(each for each, reason in reasons if reason is None)
    items = item_prices(lines, _item_rules(lines, may, rates))
    left = [
        line.list_minor - sum(amount for _, amount in shares)
        for line, shares in zip(lines, items.shares, strict=True)
    ]
    orders = order_promotions([each for each in may if each.terms.kind in ORDER_KINDS], lines, left)
    shares = [list(each) for each in items.shares]
    parts = list(items.parts)
    for applied in orders.applied:
        for index, share in enumerate(applied.shares_minor):
            if share:
                left[index] -= share
                shares[index].append((applied.promotion.promotion_id, share))
                parts[index] = _less(parts[index], share)
    return GoodsPrice(
        left_minor=tuple(left),
        shares=tuple(tuple(each) for each in shares),
        items=items,
        orders=orders,
        open=may,
        closed=tuple((each, reason) for each, reason in reasons if reason is not None),
        buyer=buyer,
        at=at,
        rates=rates,
        parts=tuple(parts),
    )


def _less(parts: Parts, share: int) -> Parts:
    """The parts after an order promotion took its share of their line, by what each costs."""
    if not parts:
        return parts
    spread = apportion(share, [left for _, left in parts])
    return tuple((units, left - taken) for (units, left), taken in zip(parts, spread, strict=True))


def _item_rules(
    lines: Sequence[CartLine], promotions: Sequence[Promotion], rates: Sequence[MemberRate]
) -> ItemRules:
    units = [
        UnitRule(each.decision_id, each.price_minor, each.off_bps, True, False, each.covered(lines))
        for each in rates
    ]
    flashes: list[FlashRule] = []
    bundles: list[Bundle] = []
    for promotion in promotions:
        terms = promotion.terms
        if terms.kind in (PromotionKind.LIMITED_PRICE, PromotionKind.MEMBER_PRICE):
            units.append(unit_rule(promotion, lines))
        elif terms.kind is PromotionKind.FLASH_SALE:
            flashes.append(FlashRule(unit_rule(promotion, lines), promotion.stock_left or 0))
        elif terms.kind is PromotionKind.BUNDLE:
            bundles.append(
                Bundle(
                    promotion.promotion_id,
                    terms.price_minor or 0,
                    terms.skus or (),
                    terms.stacks,
                )
            )
    flashes.sort(key=lambda each: (each.rule.price_minor or 0, each.rule.decision_id))
    return ItemRules(tuple(units), tuple(flashes), tuple(bundles))
