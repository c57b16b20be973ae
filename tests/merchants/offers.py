"""Short ways to make promotions and coupons, and to price with them alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from merchants.benefits.in_force import BenefitInForce
from merchants.ladders.tiers import Benefit
from merchants.offers import Decision, Priced
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.promotions.terms import Promotion, PromotionKind, PromotionTerms
from tests.merchants.shop import NOW


def terms(kind: str, **more: Any) -> PromotionTerms:
    """A promotion that is on today."""
    wanted = PromotionTerms(
        title=kind,
        kind=PromotionKind(kind),
        starts_at=NOW - timedelta(hours=1),
        ends_at=NOW + timedelta(days=1),
    )
    return replace(wanted, **more)


def promotion(kind: str, name: str = "p", *, left: int | None = None, **more: Any) -> Promotion:
    return Promotion(name, 1, terms(kind, **more), left)


def tier(bps: int) -> BenefitInForce:
    return BenefitInForce("tiers", 1, 0, Benefit("PERCENT_OFF", "tier", percent_off_bps=bps))


def priced(wanted: PriceCart, *promotions: Promotion, **more: Any) -> Priced:
    return price(wanted, PriceRules(promotions=promotions, **more))


def stranger(wanted: PriceCart) -> PriceCart:
    return replace(wanted, card_id=None, membership_id=None, points=0, coins_minor=0)


def reasons(result: Priced) -> dict[str, str | None]:
    return {each.id: each.reason for each in result.decisions}


def decision(result: Priced, decision_id: str) -> Decision:
    return next(each for each in result.decisions if each.id == decision_id)
