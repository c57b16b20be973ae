"""Several ladders together, the alliance's rank, and what orders weigh at each merchant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kernel.refusals import InvalidInput
from merchants.changes.tier_book import TierBook
from merchants.ladders.policies import (
    HonouredRank,
    TierCombination,
    TierPolicy,
    combine,
    policy_problems,
)
from merchants.ladders.segments import SegmentThresholds
from merchants.ladders.tiers import Benefit, Ladder, TierGround, TierMetric, TierWindow, standing_in
from merchants.port import RecordEvent
from tests.merchants.shop import (
    ADMIN,
    ALLIANCE,
    ANN,
    BOOKS,
    NOW,
    TEA,
    Shop,
    cart,
    ladder,
)


def giving(made: Ladder, percent_bps: int) -> Ladder:
    """The ladder whose step of rank n takes n times that much off."""
    return replace(
        made,
        steps=tuple(
            replace(
                step,
                benefits=(
                    Benefit("PERCENT_OFF", step.name, percent_off_bps=step.rank * percent_bps),
                ),
            )
            for step in made.steps
        ),
    )


COUNT = giving(ladder(TierMetric.PURCHASE_COUNT, ("新客", 1), ("普通", 2), ("高级", 5)), 100)
AMOUNT = giving(ladder(TierMetric.AMOUNT, ("银牌", 10_000), ("金牌", 50_000)), 1_000)


@pytest.mark.parametrize(
    ("combination", "deciding", "benefits"),
    [
        (TierCombination.ANY, "PURCHASE_COUNT", [300, 1_000]),
        (TierCombination.BEST_OF, "PURCHASE_COUNT", [300]),
        (TierCombination.ALL, "AMOUNT", [100, 1_000]),
    ],
)
def test_a_merchant_chooses_how_its_ladders_go_together(
    combination: TierCombination, deciding: str, benefits: list[int]
) -> None:
    primary = replace(COUNT, is_primary=True)
    standings = (standing_in(primary, 5), standing_in(AMOUNT, 12_000))

    combined = combine(TierPolicy(combination=combination), standings, [primary, AMOUNT])

    assert combined.deciding is not None
    assert combined.deciding.ladder == deciding
    assert [
        each.percent_off_bps for standing in combined.benefits_of for each in standing.benefits
    ] == benefits


def test_every_fault_of_a_policy_is_told() -> None:
    policy = TierPolicy(
        honoured=(HonouredRank(2, 3), HonouredRank(2, 1)), segments=SegmentThresholds(0)
    )

    assert [path for path, _ in policy_problems(policy)] == [
        "honoured.1.allianceRank",
        "honoured.1.rank",
        "segments.keyOrders",
    ]


async def set_policy(shop: Shop, policy: TierPolicy, merchant_id: str = TEA) -> None:
    book = TierBook(shop.backend, ADMIN)
    given = {"request_id": f"p-{shop.ids.new('req')}", "body": {}}
    (await book.set_tier_policy(merchant_id, policy, **given)).success()


async def set_weights(shop: Shop, weights: dict[str, int]) -> None:
    book = TierBook(shop.backend, ADMIN)
    given = {"request_id": f"w-{shop.ids.new('req')}", "body": {}}
    (await book.set_weights(ALLIANCE, weights, **given)).success()


def told(order: str, amount: int, at_merchant_id: str = TEA, **more: Any) -> RecordEvent:
    given: dict[str, Any] = {"refund_no": None, "attempt_id": order, "at": NOW, **more}
    return RecordEvent(
        merchant_id=ALLIANCE,
        at_merchant_id=at_merchant_id,
        order_id=order,
        card_id=ANN,
        qualifying_minor=amount,
        **given,
    )


async def test_a_merchant_honours_the_alliances_rank_in_wallets_and_prices(shop: Shop) -> None:
    await shop.set_ladder(COUNT)
    await shop.set_ladder(ladder(TierMetric.AMOUNT, ("银", 10_000), ("金", 50_000)), ALLIANCE)
    await shop.backend.record(told("o-1", 60_000, BOOKS))
    before = await shop.standings()
    await set_policy(shop, TierPolicy(honoured=(HonouredRank(1, 2), HonouredRank(2, 3))))

    [standing] = await shop.standings()
    priced = await shop.backend.price(cart(1_000, alliance_rank=2))
    unlifted = await shop.backend.price(cart(1_000))

    assert before[0].rank == 0
    assert (standing.rank, standing.ground, standing.current) == (3, TierGround.ALLIANCE, 0)
    assert standing.name == "高级"
    assert (priced.payable_minor, unlifted.payable_minor) == (970, 1_000)


async def test_own_tiers_stand_when_they_are_better_than_the_honoured_rank(shop: Shop) -> None:
    await shop.set_ladder(COUNT)
    await shop.set_ladder(ladder(TierMetric.AMOUNT, ("银", 1)), ALLIANCE)
    await set_policy(shop, TierPolicy(honoured=(HonouredRank(1, 1),)))
    await shop.place(cart(100))
    await shop.place(cart(100))
    await shop.backend.record(told("o-1", 60_000))

    [standing] = await shop.standings()

    assert (standing.rank, standing.ground) == (2, TierGround.METRIC)


@pytest.mark.parametrize("window", [TierWindow.LIFETIME, TierWindow.ROLLING_12_MONTHS])
async def test_weights_say_what_each_merchants_orders_count(shop: Shop, window: TierWindow) -> None:
    steps = (("银", 10_000), ("金", 50_000))
    await shop.set_ladder(ladder(TierMetric.AMOUNT, *steps, window=window), ALLIANCE)
    await set_weights(shop, {BOOKS: 2_500, TEA: 20_000})
    await shop.backend.record(told("o-1", 3_333, TEA))
    await shop.backend.record(told("o-2", 33_335, BOOKS))

    [standing] = await shop.standings(merchant_id=ALLIANCE)

    assert (standing.current, standing.rank) == (2 * 3_333 + 33_335 // 4, 1)


async def test_new_weights_raise_at_once_and_cost_no_kept_tier(shop: Shop) -> None:
    rolling = ladder(TierMetric.AMOUNT, ("银", 10_000), window=TierWindow.ROLLING_12_MONTHS)
    await shop.set_ladder(rolling, ALLIANCE)
    await shop.backend.record(told("o-1", 6_000))
    low = (await shop.standings(merchant_id=ALLIANCE))[0].rank
    shop.pass_time(days=1)
    await set_weights(shop, {TEA: 20_000})
    raised = (await shop.standings(merchant_id=ALLIANCE))[0].rank
    shop.pass_time(days=1)
    await set_weights(shop, {})
    [kept] = await shop.standings(merchant_id=ALLIANCE)

    assert (low, raised) == (0, 1)
    assert (kept.rank, kept.ground, kept.current) == (1, TierGround.RETAINED, 6_000)


async def test_only_the_alliances_own_ladders_weigh(shop: Shop) -> None:
    book = TierBook(shop.backend, ADMIN)
    for merchant_id, weights, path in (
        (TEA, {}, "merchantId"),
        (ALLIANCE, {"tea": 1}, "weights.0.merchantId"),
        (ALLIANCE, {TEA: -1}, "weights.0.weightBps"),
    ):
        answer = await book.set_weights(merchant_id, weights, request_id=path, body={})
        with pytest.raises(InvalidInput) as refused:
            answer.success()
        assert refused.value.problems[0][0] == path
