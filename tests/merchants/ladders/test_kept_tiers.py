"""Tiers that the books keep: what the history gives, swept once, with evidence."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.clock import to_micros
from merchants.ladders.evaluation import Cause, evaluate
from merchants.ladders.held_sql import read_evaluations, read_held
from merchants.ladders.history_sql import read_deeds
from merchants.ladders.policies_sql import read_rules
from merchants.ladders.tiers import Downgrade, TierGround, TierMetric, TierWindow
from tests.merchants.ladders.test_retention import SHANGHAI, rolling
from tests.merchants.shop import ANN, BOB, NOW, TEA, Shop, cart, ladder, membership_of

events = st.lists(
    st.tuples(
        st.sampled_from(["order", "order", "order", "refund", "wait", "rule", "sweep", "late"]),
        st.integers(0, 400),
        st.integers(0, 60_000),
    ),
    min_size=5,
    max_size=40,
)
WINDOWS = (
    (TierWindow.ROLLING_12_MONTHS, None),
    (TierWindow.CALENDAR_YEAR, None),
    (TierWindow.ROLLING_MONTHS, 3),
    (TierWindow.LIFETIME, None),
)


async def _live(shop: Shop, course: Sequence[tuple[str, int, int]]) -> None:
    """A history of orders, refunds, rules and passing time at one merchant."""
    placed: list[Any] = []
    metrics = (TierMetric.AMOUNT, TierMetric.PURCHASE_COUNT, TierMetric.GROWTH)
    for number, (what, days, amount) in enumerate(course):
        if what == "order":
            placed.append(await shop.place(cart(amount + 1)))
        elif what == "late":
            # A sale that a till paid for some time ago.
            placed.append(
                await shop.place(cart(amount + 1), paid_at=shop.clock.now() - timedelta(days=days))
            )
        elif what == "refund" and placed:
            sold = placed[days % len(placed)]
            lines = () if amount % 2 else ((0, 1),)
            left = sold.order.payable_minor - (await _refunded(shop, sold))
            if left > 0:
                await shop.refund(
                    sold, f"r-{number}", *lines, amount=1 + amount % left if amount % 2 else None
                )
        elif what == "wait":
            shop.pass_time(days=days)
        elif what == "rule":
            window, months = WINDOWS[days % len(WINDOWS)]
            metric = metrics[amount % len(metrics)]
            scale = 1 if metric is TierMetric.PURCHASE_COUNT else 10_000
            await shop.set_ladder(
                ladder(
                    metric,
                    *(
                        (str(step), scale * threshold)
                        for step, threshold in ((1, 1), (2, 3), (3, 7))
                    ),
                    name="等级",
                    window=window,
                    window_months=months,
                    retention_months=12 if window is TierWindow.CALENDAR_YEAR else 1 + days % 14,
                    downgrade=list(Downgrade)[amount % 2],
                    return_days=days % 20,
                    effective_from=shop.clock.now(),
                )
            )
        elif what == "sweep":
            await shop.backend.end_due_tiers()


async def _refunded(shop: Shop, sold: Any) -> int:
    [order] = await shop.backend.orders([(TEA, sold.order.id)])
    assert order is not None
    return order.refunded_minor


async def _check(shop: Shop) -> None:
    """What is read now, and what is kept, is what the whole history gives."""
    now = shop.clock.now()

    def scratch(connection: Any, until: datetime) -> Any:
        rules = read_rules(connection, TEA, ladder="等级", until=to_micros(until))
        deeds = read_deeds(connection, [(TEA, ANN)]).get((TEA, ANN), [])
        shuffled = random.Random(7).sample(deeds, len(deeds))
        return evaluate(rules, shuffled, until=until, zone=SHANGHAI), rules

    [standing] = await shop.standings()
    verdict, _ = await shop.database.snapshot(lambda connection: scratch(connection, now))
    assert (standing.rank, standing.valid_until, standing.current) == (
        verdict.held.rank,
        verdict.held.valid_until,
        verdict.figure,
    )
    held = await shop.database.snapshot(lambda connection: read_held(connection, [(TEA, ANN)]))
    for kept in held.values():
        verdict, rules = await shop.database.snapshot(
            lambda connection, at=kept.as_of: scratch(connection, at)
        )
        if kept.rule == rules[-1].key:
            assert (kept.held.rank, kept.held.valid_until) == (
                verdict.held.rank,
                verdict.held.valid_until,
            )


@settings(max_examples=25, deadline=None, database=None, derandomize=True)
@given(course=events, first=st.integers(0, 400))
def test_whatever_happens_the_books_say_what_the_history_gives(
    tmp_path_factory: pytest.TempPathFactory,
    course: list[tuple[str, int, int]],
    first: int,
) -> None:
    async def play(directory: Path) -> None:
        shop = await Shop.open(directory / "shop.sqlite")
        try:
            await shop.join()
            for begun in range(0, len(course), 8):
                opening = [("rule", first, first)] if begun == 0 else []
                await _live(shop, [*opening, *course[begun : begun + 8]])
                await _check(shop)
        finally:
            await shop.database.close()

    asyncio.run(play(tmp_path_factory.mktemp("history")))


async def test_due_tiers_alone_are_evaluated_once_and_leave_their_evidence(shop: Shop) -> None:
    await shop.set_ladder(rolling(effective_from=NOW, downgrade=Downgrade.TO_METRIC))
    await shop.place(cart(60_000))
    await shop.place(cart(200_000, card_id=BOB, membership_id=membership_of(BOB)))
    shop.pass_time(days=300)
    await shop.place(cart(20_000))

    early = await shop.backend.end_due_tiers()
    shop.pass_time(days=150)
    read = await shop.standings()
    done = [await shop.backend.end_due_tiers(limit=1) for _ in range(3)]
    swept = await shop.standings()
    evidence = await shop.database.snapshot(
        lambda connection: read_evaluations(connection, (TEA, ANN, "AMOUNT"), after=None, limit=10)
    )

    assert (early, done) == (0, [1, 1, 0])
    assert read == swept
    assert [(each.cause, each.rank_before, each.rank_after) for each in evidence] == [
        (Cause.DUE, 2, 1),
        (Cause.ORDER, 0, 2),
    ]
    assert evidence[0].figure == 20_000


async def test_a_kept_tier_tells_its_ground_and_the_distance_to_the_next(shop: Shop) -> None:
    await shop.set_ladder(rolling(effective_from=NOW, retention_months=30))
    await shop.place(cart(60_000))
    shop.pass_time(days=500)

    [standing] = await shop.standings()

    assert (standing.rank, standing.ground) == (2, TierGround.RETAINED)
    assert (standing.current, standing.next, standing.remaining) == (0, 100_000, 100_000)


@pytest.mark.parametrize("window", [TierWindow.LIFETIME, TierWindow.ROLLING_12_MONTHS])
async def test_a_refund_that_costs_a_tier_voids_its_unused_coupons(
    shop: Shop, window: TierWindow
) -> None:
    lost: list[dict[str, Any]] = []

    def void(_: Any, **of: Any) -> list[str]:
        lost.append(of)
        return []

    shop.backend.void_tier_coupons = void
    await shop.set_ladder(rolling(effective_from=NOW, window=window))
    placed = await shop.place(cart(60_000))
    shop.pass_time(days=1)
    await shop.refund(placed, "r-1", amount=45_000)

    assert lost == [{"merchant_id": TEA, "card_id": ANN, "ladder": "AMOUNT", "rank": 1}]


async def test_a_fall_that_is_found_late_voids_by_the_tier_that_was_reached_again(
    shop: Shop,
) -> None:
    lost: list[int] = []

    def void(_: Any, **of: Any) -> list[str]:
        lost.append(of["rank"])
        return []

    shop.backend.void_tier_coupons = void
    await shop.set_ladder(rolling(effective_from=NOW))
    await shop.place(cart(60_000))
    shop.pass_time(days=500)
    await shop.place(cart(60_000))

    evidence = await shop.database.snapshot(
        lambda connection: read_evaluations(connection, (TEA, ANN, "AMOUNT"), after=None, limit=10)
    )
    assert [each.rank_after for each in evidence] == [2, 1, 2]
    assert lost == [2]


async def test_a_late_sale_of_before_the_ladder_began_counts_in_it_at_once(shop: Shop) -> None:
    await shop.set_ladder(rolling(effective_from=NOW))
    await shop.place(cart(45_000))
    before = await shop.standings()

    await shop.place(cart(10_000), paid_at=NOW - timedelta(days=100))

    after = await shop.standings()
    assert [(each.rank, each.current) for each in (*before, *after)] == [(1, 45_000), (2, 55_000)]


async def test_spending_points_never_costs_a_tier(shop: Shop) -> None:
    await shop.set_ladder(replace(rolling(effective_from=NOW), metric=TierMetric.GROWTH))
    await shop.place(cart(1_000_000))
    before = await shop.standings()
    await shop.place(cart(1_000, points=500, points_available=500))
    after = await shop.standings()

    assert before[0].current == 10_000
    assert after[0].current == 10_005
