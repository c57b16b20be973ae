"""A threshold belongs to the higher tier: seen through the API, order by order."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.journeys.town import JSON, Settled, Town, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

BY_COUNT = [(1, "新客"), (2, "普通"), (5, "高级"), (10, "超级")]
BY_AMOUNT = [(0, "基础"), (10_000, "银牌"), (50_000, "金牌"), (100_000, "钻石")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    """Tea counts orders, books adds up what was paid."""
    async with town_at(tmp_path_factory.mktemp("tiers")) as town:
        people = await settle(town)
        await _set_ladder(town, people.tea, "PURCHASE_COUNT", BY_COUNT)
        await _set_ladder(town, people.books, "AMOUNT", BY_AMOUNT)
        yield people


async def _set_ladder(
    town: Town, merchant_id: str, metric: str, steps: list[tuple[int, str]]
) -> None:
    await town.done(
        "SetTierLadder",
        town.merchant(merchant_id),
        merchantId=merchant_id,
        name="等级",
        metric=metric,
        steps=[
            {"name": name, "rank": rank, "threshold": threshold}
            for rank, (threshold, name) in enumerate(steps, start=1)
        ],
    )


async def _tier(town: Town, member_id: str) -> JSON:
    [membership] = (await town.query("MyCard", town.member(member_id)))["card"]["memberships"][
        "nodes"
    ]
    tier: JSON = membership["wallet"]["tier"]
    return tier


async def test_the_number_of_orders_makes_the_tier(people: Settled) -> None:
    town = people.town
    seen = [(await _tier(town, people.ann))["name"]]
    for number in range(1, 11):
        await town.sell(people.tea, people.tea_shop, f"N-{number}", 100, cardId=people.ann_card)
        seen.append((await _tier(town, people.ann))["name"])

    assert {count: seen[count] for count in (0, 1, 2, 4, 5, 9, 10)} == {
        0: None,
        1: "新客",
        2: "普通",
        4: "普通",
        5: "高级",
        9: "高级",
        10: "超级",
    }


async def test_the_amount_paid_makes_the_tier(people: Settled) -> None:
    town = people.town
    seen = {0: (await _tier(town, people.bob))["name"]}
    paid = 0
    for total in (9_999, 10_000, 49_999, 50_000, 99_999, 100_000):
        await town.sell(
            people.books, people.books_shop, f"A-{total}", total - paid, cardId=people.bob_card
        )
        paid = total
        tier = await _tier(town, people.bob)
        assert tier["progress"]["current"] == total
        seen[total] = tier["name"]

    assert seen == {
        0: "基础",
        9_999: "基础",
        10_000: "银牌",
        49_999: "银牌",
        50_000: "金牌",
        99_999: "金牌",
        100_000: "钻石",
    }


async def test_the_top_has_no_next_tier(people: Settled) -> None:
    town = people.town
    _, card_id = await town.join(people.books, people.books_shop, phone="+8613800000009")
    await town.sell(people.books, people.books_shop, "TOP", 100_000, cardId=card_id)
    identified = await town.query(
        "Identify",
        town.merchant(people.books),
        credential={"phone": "+8613800000009"},
        storeId=people.books_shop,
    )

    assert identified["membership"]["wallet"]["tier"]["progress"] == {
        "metric": "AMOUNT",
        "current": 100_000,
        "next": None,
        "nextName": None,
        "remaining": None,
    }
