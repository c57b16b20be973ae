"""The price of a large cart: 50 lines, 20 coupons in 4 groups, 10 promotions, a tier, points.

The pure function, then the same through a backend's GraphQL over its database. The yardstick is
the plainest work on such a cart: one share of each line for each coupon and promotion.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kernel.callers import Caller, CallerKind
from kernel.clock import SetClock
from kernel.database import open_database
from kernel.graphql import format_datetime
from kernel.ids import SeededIds, derived_id, derived_id_within
from kernel.units import Ratio, share_bp
from merchants.benefits.in_force import BenefitInForce
from merchants.coupons.issuing import create_template, issue_to_cards
from merchants.coupons.templates import TemplateDraft
from merchants.coupons.templates_sql import read_template
from merchants.hosted import HostedBackend, MerchantSettings
from merchants.ladders.tiers import Benefit
from merchants.offers import CartLine, CouponKind, CouponTerms, OfferedCoupon
from merchants.port import JoinMerchant, MerchantState, PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from merchants.promotions.setting import set_promotion
from merchants.promotions.terms import Promotion, PromotionKind, PromotionTerms
from merchants.subgraph import HostedMerchants, merchants_schema
from merchants.tables import metadata

ROUNDS = 200
LINES, COUPONS, GROUPS = 50, 20, 4
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
SHOP, ALLIANCE = derived_id("mer", "shop"), derived_id("mer", "alliance")
STORE, CARD = derived_id("sto", "shop"), derived_id("card", "ann")
QUERY = """
query ($input: BackendPriceInput!) {
  backendPrice(input: $input) {
    ... on BackendPriced {
      version payable { amountMinor }
      lines { sku payable { amountMinor } allocations { decisionId amount { amountMinor } } }
      decisions { id title outcome reason message amount { amountMinor } blockedBy }
    }
  }
}
"""


def cart_lines() -> tuple[CartLine, ...]:
    """The lines of the cart."""
    return tuple(
        CartLine(f"sku-{index}", 1 + index % 3, 990 + 137 * index, f"cat-{index % 5}")
        for index in range(LINES)
    )


def _cart() -> PriceCart:
    return PriceCart(
        merchant_id=SHOP,
        store_id=STORE,
        channel="WEB_SHOP",
        at=NOW,
        lines=cart_lines(),
        member_point_value=Ratio(1, 1),
        points_cap_bps=5_000,
        earn_points_per_major_unit=1,
        membership_id=derived_id_within("mbs", SHOP, "ann"),
        card_id=CARD,
        points=5_000,
        points_available=5_000,
        shipping_minor=800,
    )


def coupon_terms() -> list[CouponTerms]:
    """The coupons on offer."""
    amounts = [
        CouponTerms(f"减{index}", CouponKind.AMOUNT_OFF, 10_000, amount_minor=500 + 100 * index)
        for index in range(COUPONS // 2)
    ]
    percents = [
        CouponTerms(
            f"折{index}",
            CouponKind.PERCENT_OFF,
            10_000,
            percent_off_bps=300 + 50 * index,
            category_ids=(f"cat-{index % 5}",),
        )
        for index in range(COUPONS // 2)
    ]
    return [
        replace(terms, stacking_group=f"group-{index % GROUPS}")
        for index, terms in enumerate([*amounts, *percents])
    ]


def promotion_terms() -> list[PromotionTerms]:
    """The promotions that are on."""
    span: dict[str, Any] = {
        "starts_at": NOW - timedelta(days=1),
        "ends_at": NOW + timedelta(days=1),
    }
    kind = PromotionKind

    def made(of_kind: PromotionKind, **more: Any) -> PromotionTerms:
        return PromotionTerms(title=of_kind.value, kind=of_kind, **span, **more)

    return [
        made(kind.LIMITED_PRICE, percent_off_bps=800, category_ids=("cat-1",), stacks=True),
        made(kind.LIMITED_PRICE, price_minor=2_000, skus=("sku-10", "sku-11", "sku-12")),
        made(kind.MEMBER_PRICE, percent_off_bps=600, category_ids=("cat-2",)),
        made(kind.MEMBER_PRICE, price_minor=3_000, skus=("sku-20",)),
        made(kind.FLASH_SALE, price_minor=990, skus=("sku-30", "sku-31"), stock=1_000),
        made(kind.BUNDLE, price_minor=5_000, skus=("sku-20", "sku-21")),
        made(kind.BUNDLE, price_minor=9_000, skus=("sku-22", "sku-23", "sku-24")),
        made(kind.THRESHOLD_OFF, threshold_minor=20_000, off_minor=2_000),
        made(kind.THRESHOLD_OFF, threshold_minor=50_000, off_minor=6_000),
        made(kind.THRESHOLD_PERCENT, threshold_minor=9_000, percent_off_bps=500, skus=("sku-9",)),
    ]


def _rules() -> PriceRules:
    tier = Benefit("PERCENT_OFF", "95折", percent_off_bps=500)
    return PriceRules(
        benefits=(BenefitInForce("tiers", 1, 0, tier),),
        coupons=tuple(
            Candidate(OfferedCoupon(f"cpn-{index:02}", SHOP, terms))
            for index, terms in enumerate(coupon_terms())
        ),
        promotions=tuple(
            Promotion(f"prm-{index:02}", 1, terms, terms.stock)
            for index, terms in enumerate(promotion_terms())
        ),
    )


def plainest_work() -> None:
    """The yardstick: one share of each line for each coupon and promotion."""
    lines = _cart().lines
    for bps in range(COUPONS + len(promotion_terms())):
        for line in lines:
            share_bp(line.list_minor, bps)


def times_ms(work: Callable[[], object]) -> list[float]:
    """Processor times of the work, sorted."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1_000)
    return sorted(times)


def told(name: str, times: list[float], yardstick_ms: float) -> None:
    """Prints p50 and p99."""
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, {p50 / yardstick_ms:.1f} yardsticks")


async def _backend(directory: Path) -> HostedBackend:
    clock, ids = SetClock(NOW), SeededIds("prices")
    settings = MerchantSettings("CNY", ZONE.key, ALLIANCE)
    database = await open_database(directory / "merchants.db", metadata)
    backend = HostedBackend(database, clock=clock, ids=ids, settings=lambda: settings)
    await backend.register(SHOP, MerchantState.ACTIVE, version=1)
    membership_id = derived_id_within("mbs", SHOP, "ann")
    await backend.join(JoinMerchant(SHOP, membership_id, CARD, STORE, NOW, True))

    def furnish(connection: Any) -> None:
        for terms in promotion_terms():
            set_promotion(connection, terms, merchant_id=SHOP, promotion_id=None, now=NOW, ids=ids)
        for wanted in coupon_terms():
            template_id, _ = create_template(
                connection,
                TemplateDraft(terms=wanted),
                merchant_id=SHOP,
                now=NOW,
                ids=ids,
                may_spend_alliance_money=False,
            )
            template = read_template(connection, merchant_id=SHOP, template_id=template_id)
            assert template is not None
            issue_to_cards(connection, template, [CARD], now=NOW, zone=ZONE, ids=ids)

    await database.transaction(furnish)
    return backend


def _input() -> dict[str, Any]:
    cart = _cart()
    return {
        "merchantId": SHOP,
        "storeId": STORE,
        "channel": cart.channel,
        "at": format_datetime(NOW),
        "cardId": CARD,
        "membershipId": cart.membership_id,
        "lines": [
            {
                "sku": line.sku,
                "categoryId": line.category_id,
                "quantity": line.quantity,
                "unitPrice": {"amountMinor": line.unit_price_minor, "currency": "CNY"},
            }
            for line in cart.lines
        ],
        "shipping": {"amountMinor": cart.shipping_minor, "currency": "CNY"},
        "points": cart.points,
        "pointsAvailable": cart.points_available,
        "memberPointValue": "1",
        "pointsCapBps": cart.points_cap_bps,
        "earnPointsPerMajorUnit": 1,
    }


async def _through_graphql() -> list[float]:
    with tempfile.TemporaryDirectory() as directory:
        backend = await _backend(Path(directory))
        try:
            schema, hosted = merchants_schema().strawberry, HostedMerchants(backend)
            staff, given = Caller(CallerKind.MERCHANT, SHOP), _input()
            times = []
            for _ in range(ROUNDS):
                started = time.process_time()
                result = await schema.execute(
                    QUERY,
                    variable_values={"input": given},
                    context_value=hosted.context_for(staff, "r", "zh"),
                )
                times.append((time.process_time() - started) * 1_000)
                assert result.errors is None
        finally:
            await backend.database.close()
    return sorted(times)


def main() -> None:
    """Prints p50 and p99 of processor time; with `--profile` also where it goes."""
    cart, rules = _cart(), _rules()
    yardstick = times_ms(plainest_work)[ROUNDS // 2]
    print(f"yardstick {yardstick:.2f} ms; {LINES} lines, {COUPONS} coupons, 10 promotions")
    told("pure", times_ms(lambda: price(cart, rules)), yardstick)
    told("graphql", asyncio.run(_through_graphql()), yardstick)
    if "--profile" in sys.argv:
        with cProfile.Profile() as profile:
            for _ in range(50):
                price(cart, rules)
        pstats.Stats(profile).sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    main()
