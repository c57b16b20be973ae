"""The public `quote` of a large cart, through the whole gateway in one process: where time goes.

The cart of `benchmarks.prices`, furnished through the public API: 50 lines, 20 coupons in 4
groups, 10 promotions, a tier. Processor time of the whole process, and of each phase in its thread.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql.execution import executor
from strawberry.schema import schema_converter

from benchmarks.prices import (
    COUPONS,
    LINES,
    NOW,
    ROUNDS,
    cart_lines,
    coupon_terms,
    plainest_work,
    promotion_terms,
    times_ms,
    told,
)
from gateway.assembly.data_directory import open_alliance
from gateway.federation import engine
from gateway.federation.engine import Engine, EngineRequest
from gateway.federation.transport import CallContext
from gateway.feeding import operations
from gateway.http import responses
from gateway.schema.checkouts import Quote
from kernel.callers import Caller, CallerKind
from kernel.clock import SetClock
from kernel.graphql import format_datetime
from kernel.ids import SeededIds
from merchants.offers import CouponTerms
from merchants.promotions.terms import PromotionTerms
from merchants.sales import quoting

QUOTE = """
query ($cart: CartInput!) {
  quote(cart: $cart) {
    ... on Quote {
      version payable { amountMinor } anonymousPayable { amountMinor } pointsToEarn
      lines { sku payable { amountMinor } allocations { decisionId amount { amountMinor } } }
      decisions { id title kind outcome reason message amount { amountMinor } blockedBy }
    }
    ... on Refusal { code message }
  }
}
"""
SET_PROMOTION = """mutation ($input: SetPromotionInput!) {
  setPromotion(input: $input) {
    __typename ... on PromotionSet { promotion { id } } ... on Refusal { code message }
  }
}"""
PHASES = {
    "request: parse, check, plan": (engine.Engine, "_readied"),
    "variables coerced": (executor, "get_variable_values"),
    "inputs as objects": (schema_converter, "convert_arguments"),
    "tiers read": (quoting, "_benefits"),
    "coupons read": (quoting, "_own_coupons"),
    "promotions read": (quoting, "_promotions"),
    "limits read": (quoting, "read_policy"),
    "price": (quoting, "price"),
    "price in words": (Quote, "of"),
    "answer as JSON": (responses, "body_of"),
}
"""What is timed on its own: where it is looked up, and its name; none is within another."""


@dataclass
class _Town:
    engine: Engine
    merchant_id: str = ""
    requests: int = 0

    async def ask(self, document: str, caller: Caller, **variables: Any) -> Any:
        context = CallContext(request_id="bench", caller=caller, headers={"accept-language": "zh"})
        answer = await self.engine.execute(EngineRequest(document, None, variables), context)
        assert answer.data is not None, answer.errors
        [value] = answer.data.values()
        return value

    async def change(self, document: str, **fields: Any) -> Any:
        self.requests += 1
        given = {"requestId": f"bench-{self.requests}", **fields}
        is_join = document == operations.JOIN
        kind, subject = (
            (CallerKind.MERCHANT, self.merchant_id) if is_join else (CallerKind.ADMIN, "bench")
        )
        answer = await self.ask(document, Caller(kind, subject), input=given)
        assert "code" not in answer, answer
        return answer


def main() -> None:
    """Prints p50 and p99 of processor time, and where it goes."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_run(Path(directory)))


async def _run(directory: Path) -> None:
    async with open_alliance(
        directory, clock=SetClock(NOW), ids=SeededIds("quotes"), with_sweepers=False
    ) as alliance:
        town = _Town(alliance.engine)
        cart = await _furnish(town)
        staff = Caller(CallerKind.MERCHANT, town.merchant_id)

        async def quote() -> None:
            context = CallContext(
                request_id="bench", caller=staff, headers={"accept-language": "zh"}
            )
            answer = await town.engine.execute(EngineRequest(QUOTE, None, {"cart": cart}), context)
            responses.body_of(answer)

        first = await town.ask(QUOTE, staff, cart=cart)
        assert "version" in first, first
        yardstick = times_ms(plainest_work)[ROUNDS // 2]
        times = []
        for _ in range(ROUNDS):
            started = time.process_time()
            await quote()
            times.append((time.process_time() - started) * 1_000)
        print(f"yardstick {yardstick:.2f} ms; {LINES} lines, {COUPONS} coupons, 10 promotions")
        told("public quote", sorted(times), yardstick)
        await _tell_phases(quote)
        if "--profile" in sys.argv:
            with cProfile.Profile() as profile:
                for _ in range(ROUNDS // 4):
                    await quote()
            pstats.Stats(profile).sort_stats("tottime").print_stats(30)


async def _tell_phases(quote: Callable[[], Awaitable[None]]) -> None:
    """Prints each phase's share of processor time; the rest is fields, transport, waiting."""
    spent = dict.fromkeys(PHASES, 0.0)
    kept = {phase: vars(place)[name] for phase, (place, name) in PHASES.items()}
    for phase, (place, name) in PHASES.items():
        setattr(place, name, _timed(kept[phase], phase, spent))
    started = time.process_time()
    for _ in range(ROUNDS):
        await quote()
    whole = time.process_time() - started
    for phase, (place, name) in PHASES.items():
        setattr(place, name, kept[phase])
    spent["fields, transports, all else"] = whole - sum(spent.values())
    for phase, seconds in sorted(spent.items(), key=lambda each: -each[1]):
        print(f"{seconds / whole:6.1%} {seconds / ROUNDS * 1_000:7.2f} ms  {phase}")


def _timed(kept: Any, phase: str, spent: dict[str, float]) -> Any:
    """The function with its time counted; it runs in one thread from beginning to end."""
    work = kept.__func__ if isinstance(kept, classmethod) else kept

    def counted(*args: Any, **more: Any) -> Any:
        started = time.thread_time()
        result = work(*args, **more)
        spent[phase] += time.thread_time() - started
        return result

    return classmethod(counted) if isinstance(kept, classmethod) else counted


async def _furnish(town: _Town) -> dict[str, Any]:
    """The cart, in a shop that has all the offers."""
    admitted = await town.change(
        operations.ADMIT_MERCHANT, reference="shop", name="shop", backend={"kind": "HOSTED"}
    )
    town.merchant_id = shop = admitted["merchant"]["id"]
    opened = await town.change(
        operations.OPEN_STORE, merchantId=shop, reference="web", name="web", channel="WEB_SHOP"
    )
    store = opened["store"]["id"]
    joined = await town.change(
        operations.JOIN, storeId=store, credential={"phone": "+8613800000001"}, consents=[]
    )
    card = joined["member"]["card"]["id"]
    benefit = {"kind": "PERCENT_OFF", "title": "95折", "percentOffBps": 500}
    await town.change(
        operations.SET_TIER_LADDER,
        merchantId=shop,
        name="tiers",
        metric="PURCHASE_COUNT",
        steps=[{"name": "all", "rank": 1, "threshold": 0, "benefits": [benefit]}],
    )
    for promotion in promotion_terms():
        await town.change(SET_PROMOTION, merchantId=shop, **_promotion(promotion))
    for terms in coupon_terms():
        made = await town.change(
            operations.CREATE_COUPON_TEMPLATE, merchantId=shop, **_template(terms)
        )
        await town.change(
            operations.ISSUE_COUPONS, templateId=made["template"]["id"], cardIds=[card]
        )
    return {
        "storeId": store,
        "cardId": card,
        "shipping": _cny(800),
        "lines": [
            {
                "sku": line.sku,
                "categoryId": line.category_id,
                "quantity": line.quantity,
                "unitPrice": _cny(line.unit_price_minor),
            }
            for line in cart_lines()
        ],
    }


def _cny(amount_minor: int) -> dict[str, Any]:
    return {"amountMinor": amount_minor, "currency": "CNY"}


def _promotion(terms: PromotionTerms) -> dict[str, Any]:
    wanted = {
        "title": terms.title,
        "kind": terms.kind.value,
        "startsAt": format_datetime(terms.starts_at),
        "endsAt": format_datetime(terms.ends_at),
        "percentOffBps": terms.percent_off_bps,
        "price": None if terms.price_minor is None else _cny(terms.price_minor),
        "threshold": None if terms.threshold_minor is None else _cny(terms.threshold_minor),
        "off": None if terms.off_minor is None else _cny(terms.off_minor),
        "skus": terms.skus,
        "categoryIds": terms.category_ids,
        "stock": terms.stock,
        "stacksWithMemberPrice": terms.stacks,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _template(terms: CouponTerms) -> dict[str, Any]:
    wanted = {
        "title": terms.title,
        "kind": terms.kind.value,
        "amount": None if terms.amount_minor is None else _cny(terms.amount_minor),
        "percentOffBps": terms.percent_off_bps,
        "categoryIds": terms.category_ids,
        "minSpend": _cny(terms.min_spend_minor),
        "stackingGroup": terms.stacking_group,
    }
    return {name: value for name, value in wanted.items() if value is not None}


if __name__ == "__main__":
    main()
