"""Tiers over time: kept, ended, revoked. The rules alone, and the books against the rules."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.clock import to_micros
from merchants.ladders.evaluation import Cause, Deed, Reduction, Rule, evaluate
from merchants.ladders.held_sql import read_evaluations, read_held
from merchants.ladders.history_sql import read_deeds
from merchants.ladders.policies_sql import read_rules
from merchants.tiers import Downgrade, Ladder, TierGround, TierMetric, TierWindow
from tests.merchants.shop import ANN, BOB, NOW, TEA, Shop, cart, ladder, membership_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
MARCH = datetime(2026, 3, 15, 4, tzinfo=UTC)
STEPS = (("银牌", 10_000), ("金牌", 50_000), ("钻石", 100_000))


def rolling(**more: Any) -> Ladder:
    given = {"window": TierWindow.ROLLING_12_MONTHS, "effective_from": MARCH - timedelta(days=900)}
    return ladder(TierMetric.AMOUNT, *STEPS, **(given | more))


def bought(amount: int, days: float = 0, *refunds: tuple[float, int]) -> Deed:
    """An order so many days after the middle of March, and what refunds left of it how long after.

    A refund that leaves nothing ends the order.
    """
    at = MARCH + timedelta(days=days)
    return Deed(
        f"order-{amount}-{days}",
        at,
        amount_minor=amount,
        reductions=tuple(
            Reduction(f"r-{index}", at + timedelta(days=later), int(left > 0), left)
            for index, (later, left) in enumerate(refunds)
        ),
    )


def rank(made: Ladder, deeds: Sequence[Deed], days: float) -> int:
    verdict = evaluate(
        [Rule(made.effective_from, made)],
        deeds,
        until=MARCH + timedelta(days=days),
        zone=SHANGHAI,
    )
    assert verdict is not None
    return verdict.held.rank


def test_a_tier_is_reached_at_once_and_kept_to_the_end_of_the_month_a_year_later() -> None:
    made, history = rolling(), [bought(60_000)]
    [reached] = evaluate(
        [Rule(made.effective_from, made)], history, until=MARCH, zone=SHANGHAI
    ).evaluations  # type: ignore[union-attr]
    end = datetime(2027, 3, 31, 16, tzinfo=UTC)

    assert (reached.rank_after, reached.valid_until) == (2, end)
    assert rank(made, history, -1) == 0
    last = evaluate(
        [Rule(made.effective_from, made)],
        history,
        until=end - timedelta(microseconds=1),
        zone=SHANGHAI,
    )
    assert last is not None
    assert (last.held.rank, last.figure) == (2, 60_000)


@pytest.mark.parametrize(
    ("downgrade", "ranks"), [(Downgrade.ONE_DOWN, (2, 1, 0)), (Downgrade.TO_METRIC, (0, 0, 0))]
)
def test_a_tier_that_is_not_reached_again_goes_down_by_the_ladders_policy(
    downgrade: Downgrade, ranks: tuple[int, int, int]
) -> None:
    made, history = rolling(downgrade=downgrade), [bought(100_000)]

    assert rank(made, history, 381) == 3
    assert tuple(rank(made, history, days) for days in (382, 748, 1_113)) == ranks


def test_what_was_bought_in_the_last_twelve_months_keeps_the_tier_for_twelve_more() -> None:
    history = [bought(60_000), bought(30_000, 100), bought(20_000, 200)]

    two_steps = replace(rolling(), steps=rolling().steps[:2])

    assert [rank(two_steps, history, days) for days in (381, 383, 747, 749)] == [2, 2, 2, 1]


def test_an_upgrade_while_a_tier_is_kept_counts_from_then_on() -> None:
    history = [bought(60_000), bought(45_000, 150)]

    assert [rank(rolling(), history, days) for days in (149, 150, 500, 535)] == [2, 3, 3, 2]


def test_a_calendar_years_tier_is_kept_to_the_end_of_the_next_year() -> None:
    made = rolling(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.TO_METRIC)
    spent_again = [bought(60_000), bought(20_000, 300 + 60)]

    assert rank(made, [bought(60_000)], 656) == 2
    assert rank(made, [bought(60_000)], 657) == 0
    assert rank(made, spent_again, 657) == 1


def test_a_window_of_three_months_counts_three_months() -> None:
    made = rolling(window=TierWindow.ROLLING_MONTHS, window_months=3, retention_months=1)

    assert rank(made, [bought(6_000), bought(4_000, 100)], 100) == 1
    assert rank(made, [bought(6_000), bought(4_000, 120)], 120) == 0


def test_a_refund_inside_the_return_window_revokes_what_only_its_order_gave() -> None:
    history = [bought(20_000), bought(40_000, 30, (5, 0))]

    assert [rank(rolling(), history, days) for days in (34, 36)] == [2, 1]


def test_a_refund_after_the_return_window_costs_the_tier_only_when_its_time_is_over() -> None:
    history = [bought(20_000), bought(40_000, 30, (8, 0))]

    assert [rank(rolling(), history, days) for days in (39, 400, 412)] == [2, 2, 1]


def test_a_refund_of_what_was_not_needed_changes_nothing() -> None:
    history = [bought(55_000), bought(40_000, 30, (5, 0))]

    assert rank(rolling(), history, 36) == 2


def test_a_later_order_reaches_the_tier_that_a_refund_revoked() -> None:
    history = [bought(50_000, 0, (2, 10_000)), bought(40_000, 20)]

    assert [rank(rolling(), history, days) for days in (1, 3, 20)] == [2, 1, 2]


def test_a_new_version_lets_nobody_fall_before_the_tiers_time_is_over() -> None:
    harder = ladder(
        TierMetric.AMOUNT,
        ("银牌", 20_000),
        ("金牌", 90_000),
        ("钻石", 900_000),
        window=TierWindow.ROLLING_12_MONTHS,
        effective_from=MARCH + timedelta(days=10),
        version=2,
    )
    rules = [Rule(rolling().effective_from, rolling()), Rule(harder.effective_from, harder)]

    def at(days: float) -> tuple[int, int]:
        verdict = evaluate(
            rules, [bought(60_000)], until=MARCH + timedelta(days=days), zone=SHANGHAI
        )
        assert verdict is not None
        return verdict.held.rank, verdict.held.version

    assert [at(9)[0], at(11)[0], at(381)[0], at(383)[0]] == [2, 2, 2, 1]


def test_from_lifetime_to_a_window_a_tier_is_kept_as_if_it_was_reached_then() -> None:
    lifetime = rolling(window=TierWindow.LIFETIME)
    windowed = rolling(version=2, effective_from=MARCH + timedelta(days=800))
    rules = [Rule(lifetime.effective_from, lifetime), Rule(windowed.effective_from, windowed)]
    verdict = evaluate(rules, [bought(60_000)], until=MARCH + timedelta(days=801), zone=SHANGHAI)

    assert verdict is not None
    assert (verdict.held.rank, verdict.figure) == (2, 0)
    assert verdict.held.valid_until == datetime(2029, 5, 31, 16, tzinfo=UTC)


def test_evaluations_tell_what_was_measured_from_when_and_why() -> None:
    made = rolling(downgrade=Downgrade.TO_METRIC)
    verdict = evaluate(
        [Rule(made.effective_from, made)],
        [bought(60_000), bought(12_000, 300)],
        until=MARCH + timedelta(days=400),
        zone=SHANGHAI,
    )

    assert verdict is not None
    assert [
        (each.cause, each.figure, each.rank_before, each.rank_after) for each in verdict.evaluations
    ] == [(Cause.ORDER, 60_000, 0, 2), (Cause.DUE, 12_000, 2, 1)]
    assert verdict.evaluations[1].window_from == datetime(2026, 3, 31, 16, tzinfo=UTC)


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
