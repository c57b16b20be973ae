"""A merchant's promotions from the setting of them to the member's receipt, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from kernel.graphql import format_datetime
from tests.builders import START
from tests.journeys.town import Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUOTE = """query ($cart: CartInput!) {
  quote(cart: $cart) {
    ... on Quote {
      version payable { amountMinor } anonymousPayable { amountMinor }
      decisions { title reason message amount { amountMinor } }
    }
  }
}"""
RECEIPT = """query ($id: ID!) {
  node(id: $id) { ... on Order { payable { amountMinor } decisions { title message } } }
}"""
LISTED = """query ($id: ID!) {
  merchant(id: $id) { promotions { nodes { title stockLeft membersOnly weekdays } } }
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("member-day")) as town:
        yield await settle(town)


def days() -> dict[str, Any]:
    return {
        "startsAt": format_datetime(START - timedelta(days=1)),
        "endsAt": format_datetime(START + timedelta(days=30)),
    }


async def test_a_member_day_and_a_flash_sale_reach_quote_order_and_list(people: Settled) -> None:
    town = people.town
    till = town.merchant(people.tea)
    weekdays = list(range(1, 8))
    await town.done(
        "SetPromotion",
        till,
        merchantId=people.tea,
        title="会员日",
        kind="LIMITED_PRICE",
        percentOffBps=1_000,
        categoryIds=["tea"],
        membersOnly=True,
        weekdays=weekdays,
        **days(),
    )
    town.gateway.clock.set(town.gateway.clock.now() + timedelta(seconds=1))
    await town.done(
        "SetPromotion",
        till,
        merchantId=people.tea,
        title="秒杀",
        kind="FLASH_SALE",
        price=cny(100),
        skus=["cup"],
        stock=1,
        **days(),
    )
    cart = {
        "storeId": people.tea_shop,
        "cardId": people.ann_card,
        "chooseBest": False,
        "lines": [{**line(10_000), "categoryId": "tea"}, line(5_000, sku="cup", quantity=2)],
    }

    quoted = await town.gateway.data(
        QUOTE, token=till, headers={"accept-language": "zh-CN"}, cart=cart
    )
    sold = await town.done("Checkout", till, orderNo="md-1", cart=cart)
    receipt = await town.gateway.data(
        RECEIPT, token=town.member(people.ann), id=sold["order"]["id"]
    )
    listed = await town.gateway.data(LISTED, token=town.member(people.ann), id=people.tea)

    assert quoted["quote"]["payable"] == {"amountMinor": 9_000 + 100 + 5_000}
    assert quoted["quote"]["anonymousPayable"] == {"amountMinor": 10_000 + 100 + 5_000}
    said = {each["title"]: each["message"] for each in quoted["quote"]["decisions"]}
    assert said == {"会员日": "已优惠 10.00。", "秒杀": "已优惠 49.00。"}
    assert receipt["node"]["payable"] == {"amountMinor": 14_100}
    told = {each["title"]: each["message"] for each in receipt["node"]["decisions"]}
    assert told == {"会员日": "Takes 10.00 off.", "秒杀": "Takes 49.00 off."}
    assert listed["merchant"]["promotions"]["nodes"] == [
        {"title": "秒杀", "stockLeft": 0, "membersOnly": False, "weekdays": None},
        {"title": "会员日", "stockLeft": None, "membersOnly": True, "weekdays": weekdays},
    ]
