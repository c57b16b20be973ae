"""Why redemptions have no order, or none of the coupon's products, by the history's own rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from gateway.replay.coupons.recount import NO_ORDER, OUT_OF_SCOPE, Key, rows_of

NEAR_DAYS = 7
NIGHT_HOURS = 5
"""A basket so early on the next day is the same evening by a clock some hours behind."""

_Baskets = Mapping[datetime, set[str]]
"""Products by the time of the basket."""


def reasons_of(directory: Path, outcomes: Mapping[int, str]) -> Counter[tuple[str, str]]:
    """How many of the refused redemptions the history explains in which way, by outcome.

    Args:
        outcomes: what each redemption came to, by its place in the file.
    """
    redeemed = [
        (
            (row["coupon_upc"], row["campaign_id"]),
            row["household_id"],
            date.fromisoformat(row["redemption_date"]),
        )
        for row in rows_of(directory / "coupon_redemptions.csv.gz")
    ]
    wanted = [place for place, each in outcomes.items() if each in (NO_ORDER, OUT_OF_SCOPE)]
    products = _products(directory, {redeemed[place][0] for place in wanted})
    bought = _bought(directory, {redeemed[place][1] for place in wanted})
    reasons: Counter[tuple[str, str]] = Counter()
    for place in wanted:
        key, household, day = redeemed[place]
        baskets = bought.get(household, {})
        if outcomes[place] == NO_ORDER:
            reasons[NO_ORDER, _why_no_order(baskets, day, products[key])] += 1
        else:
            reasons[OUT_OF_SCOPE, _why_out_of_scope(baskets, day, products[key])] += 1
    return reasons


def _why_no_order(baskets: _Baskets, day: date, products: set[str]) -> str:
    if not baskets:
        return "the household has no basket at all"
    if _is_in_the_night(baskets, day, products):
        return f"a basket before {NIGHT_HOURS}:00 of the next day holds a product of the coupon"
    # Of two baskets as near, the one that explains the redemption.
    nearest = min(baskets, key=lambda at: (_gap(at, day), not products & baskets[at], at))
    if _gap(nearest, day) > NEAR_DAYS:
        return f"the nearest basket is more than {NEAR_DAYS} days away"
    holds = "holds a product" if products & baskets[nearest] else "holds no product"
    side = "later" if nearest.date() > day else "earlier"
    return f"the nearest basket is {_gap(nearest, day)} day(s) {side} and {holds} of the coupon"


def _why_out_of_scope(baskets: _Baskets, day: date, products: set[str]) -> str:
    gaps = [_gap(at, day) for at, held in baskets.items() if held & products]
    if not gaps:
        return "the household never buys a product of the coupon"
    if _is_in_the_night(baskets, day, products):
        return f"a basket before {NIGHT_HOURS}:00 of the next day holds a product of the coupon"
    if min(gaps) <= NEAR_DAYS:
        return f"the household buys one within {NEAR_DAYS} days, not that day"
    return f"the household buys one only more than {NEAR_DAYS} days away"


def _is_in_the_night(baskets: _Baskets, day: date, products: set[str]) -> bool:
    return any(
        at.date() == day + timedelta(days=1) and at.hour < NIGHT_HOURS and held & products
        for at, held in baskets.items()
    )


def _gap(at: datetime, day: date) -> int:
    return abs((at.date() - day).days)


def _products(directory: Path, keys: set[Key]) -> dict[Key, set[str]]:
    products: dict[Key, set[str]] = {key: set() for key in keys}
    for row in rows_of(directory / "coupons.csv.gz"):
        key = (row["coupon_upc"], row["campaign_id"])
        if key in products:
            products[key].add(row["product_id"])
    return products


def _bought(directory: Path, households: set[str]) -> dict[str, dict[datetime, set[str]]]:
    bought: dict[str, dict[datetime, set[str]]] = defaultdict(dict)
    baskets: dict[str, set[str]] = {}
    for row in rows_of(directory / "orders.csv.gz"):
        if row["member_id"] in households:
            at = datetime.fromisoformat(row["placed_at"])
            baskets[row["order_id"]] = bought[row["member_id"]].setdefault(at, set())
    for path in sorted(directory.glob("order_lines*.csv.gz")):
        for row in rows_of(path):
            if row["order_id"] in baskets:
                baskets[row["order_id"]].add(row["product_id"])
    return bought
