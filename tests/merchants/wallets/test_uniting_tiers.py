"""Tiers of two cards that become one, and two again."""

from __future__ import annotations

from typing import Any

from merchants.ladders.growth import GrowthTask
from merchants.ladders.tiers import TierGround, TierMetric, TierWindow
from merchants.wallets.uniting_tiers import part_tiers, unite_tiers
from tests.merchants.ladders.test_growth_tasks import do, set_task
from tests.merchants.ladders.test_paid_memberships import on_sale, sell
from tests.merchants.shop import ANN, BOB, TEA, Shop, cart, ladder, membership_of

STEPS = (("银牌", 10_000), ("金牌", 50_000))


async def give_orders(shop: Shop, order_ids: list[str], card_id: str, then: Any) -> None:
    """What a merge does to orders, and then with the tiers."""
    names = {"merge_id": "mrg-1", "survivor_card_id": ANN, "merged_card_id": BOB}

    def work(connection: Any) -> None:
        for order_id in order_ids:
            connection.exec_driver_sql(
                "UPDATE sale SET card_id = ? WHERE order_id = ?", (card_id, order_id)
            )
        then(connection, TEA, **names, now=shop.clock.now(), evaluator=shop.backend.evaluator)

    await shop.database.transaction(work)


async def buy(shop: Shop, card_id: str, price: int) -> str:
    placed = await shop.place(cart(price, card_id=card_id, membership_id=membership_of(card_id)))
    return placed.order.id


async def test_both_histories_together_make_the_tier_and_part_again(shop: Shop) -> None:
    window = TierWindow.ROLLING_12_MONTHS
    await shop.set_ladder(ladder(TierMetric.AMOUNT, *STEPS, window=window))
    await buy(shop, ANN, 30_000)
    bobs = [await buy(shop, BOB, 30_000)]

    await give_orders(shop, bobs, ANN, unite_tiers)
    [united] = await shop.standings()
    await give_orders(shop, bobs, BOB, part_tiers)
    parted = [(await shop.standings(card))[0] for card in (ANN, BOB)]

    assert (united.rank, united.current) == (2, 60_000)
    assert [(each.rank, each.current) for each in parted] == [(1, 30_000), (1, 30_000)]


async def test_the_survivor_does_not_fall_below_the_kept_tier_of_either(shop: Shop) -> None:
    window = TierWindow.ROLLING_MONTHS
    made = ladder(TierMetric.AMOUNT, *STEPS, window=window, window_months=1, retention_months=12)
    await shop.set_ladder(made)
    bobs = [await buy(shop, BOB, 60_000)]
    shop.pass_time(seconds=1)
    await shop.set_ladder(
        ladder(
            TierMetric.AMOUNT,
            ("银牌", 10),
            ("金牌", 99_999_999),
            window=window,
            window_months=1,
            retention_months=12,
            effective_from=shop.clock.now(),
        )
    )
    [kept] = await shop.standings(BOB)

    await give_orders(shop, bobs, ANN, unite_tiers)
    [united] = await shop.standings()
    shop.pass_time(days=420)
    [later] = await shop.standings()

    assert kept.rank == 2
    assert united.rank == 2
    assert later.ground is not TierGround.FLOOR
    assert later.rank < 2


async def test_tasks_and_paid_memberships_go_along_and_come_back(shop: Shop) -> None:
    for card_id in (ANN, BOB):
        await shop.join(card_id)
    await on_sale(shop)
    await shop.set_ladder(ladder(TierMetric.GROWTH, ("一", 1)))
    await set_task(shop, GrowthTask("REVIEW", "评价", None, 7, per_day=9))
    for card_id, reference in ((ANN, "same"), (BOB, "same"), (BOB, "other")):
        await do(shop, reference, card_id=card_id, code="REVIEW")
    await sell(shop, "sale-1", card_id=BOB)

    async def seen() -> list[tuple[int, int]]:
        return [
            (standings[0].rank, standings[1].current)
            for standings in [await shop.standings(card) for card in (ANN, BOB)]
        ]

    before = await seen()
    await give_orders(shop, [], ANN, unite_tiers)
    united = await seen()
    await give_orders(shop, [], BOB, part_tiers)

    assert before == [(0, 7), (2, 14)]
    assert united[0] == (2, 14)
    assert await seen() == before
