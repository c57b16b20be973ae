"""Gifts of tiers: free with enough other goods, kept back by refunds that leave too little."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.journeys.test_tier_benefits import cart, give, quote, refund, said, told
from tests.journeys.town import JSON, Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("gifts")) as town:
        yield await settle(town)


async def test_a_gift_is_free_with_enough_other_goods_and_kept_back_without_them(
    people: Settled,
) -> None:
    await give(people, {"kind": "GIFT", "title": "赠杯", "giftSku": "cup", "minSpend": cny(10_000)})
    wanted = cart(people, line(6_000), line(4_000, sku="pot"), line(1_500, sku="cup", quantity=2))

    quoted = await quote(people, wanted)
    alone = await quote(people, cart(people, line(1_500, sku="cup")))
    without = await quote(people, cart(people, line(20_000)))
    sold = await people.town.done(
        "Checkout", people.town.merchant(people.tea), orderNo="gift-1", cart=wanted
    )
    order = sold["order"]["id"]

    assert [each["payable"]["amountMinor"] for each in quoted["lines"]] == [6_000, 4_000, 1_500]
    assert told(quoted) == {"赠杯": ("APPLIED", None, 1_500)}
    assert told(alone) == {"赠杯": ("REFUSED", "BELOW_MIN_SPEND", 0)}
    assert alone["decisions"][0]["missing"] == {"amountMinor": 10_000}
    assert said(without) == {"赠杯": "Put what it gives into the cart: cup."}
    # 40.00 and a paid cup of 15.00 are left, which earn no gift: its 15.00 stay with the shop.
    assert await refund(people, order, "r1", (0, 1)) == 6_000 - 1_500
    assert await refund(people, order, "r2", (1, 1)) == 4_000
    assert await refund(people, order, "r3", (2, 2)) == 1_500 + 1_500


KEPT = """mutation ($input: RefundOrderInput!) { refundOrder(input: $input) {
  ... on OrderRefunded { refund {
    cash { amountMinor } coinsReturned { amountMinor } couponOutcome
    keptBack { cash { amountMinor } coins { amountMinor } points reasons }
  } }
} }"""


async def keeping_refund(people: Settled, order: str, number: str, index: int) -> JSON:
    asked = {
        "requestId": people.town.request_id(),
        "orderId": order,
        "refundNo": number,
        "lines": [{"lineIndex": index, "quantity": 1}],
    }
    token = people.town.merchant(people.tea)
    first = await people.town.gateway.data(KEPT, token=token, input=asked)
    again = await people.town.gateway.data(KEPT, token=token, input=asked)
    later = await people.town.gateway.data(
        KEPT, token=token, input={**asked, "requestId": people.town.request_id()}
    )
    assert first == again == later
    refunded: JSON = first["refundOrder"]["refund"]
    return refunded


async def test_a_gift_that_coins_earned_is_paid_in_coins_once_they_come_back(
    people: Settled,
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    gift = {"kind": "GIFT", "title": "赠壶", "giftSku": "pot", "minSpend": cny(50_000)}
    await give(people, gift)
    await town.done(
        "GrantCoins", town.admin, cardId=people.ann_card, amount=cny(50_000), reason="gift"
    )
    wanted = cart(people, line(50_000), line(20_000, sku="pot"), coins=cny(50_000))
    sold = await town.done("Checkout", till, orderNo="coins-1", cart=wanted)
    order = sold["order"]["id"]

    first = await keeping_refund(people, order, "r1", 0)
    second = await keeping_refund(people, order, "r2", 1)

    def kept(coins: int) -> JSON:
        return {
            "cash": {"amountMinor": 0},
            "coins": {"amountMinor": coins},
            "points": 0,
            "reasons": ["TIER_GIFT"],
        }

    assert first == {
        "cash": {"amountMinor": 0},
        "coinsReturned": {"amountMinor": 30_000},
        "couponOutcome": "NONE",
        "keptBack": kept(20_000),
    }
    assert second["coinsReturned"] == {"amountMinor": 20_000}
    assert second["keptBack"] == kept(-20_000)


async def test_a_coupon_that_stays_used_is_told_as_kept_when_a_gift_is_lost(
    people: Settled,
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    gift = {"kind": "GIFT", "title": "赠壶", "giftSku": "pot", "minSpend": cny(50_000)}
    await give(people, gift)
    made = await town.done(
        "CreateCouponTemplate",
        town.admin,
        merchantId=people.tea,
        title="满减券",
        kind="AMOUNT_OFF",
        amount=cny(5_000),
        minSpend=cny(50_000),
    )
    got = await town.done(
        "IssueCoupons", town.admin, templateId=made["template"]["id"], cardIds=[people.ann_card]
    )
    wanted = cart(
        people,
        line(40_000),
        line(15_000, sku="cup"),
        line(20_000, sku="pot"),
        couponIds=[got["coupons"][0]["id"]],
    )
    sold = await town.done("Checkout", till, orderNo="keep-1", cart=wanted)
    refunded = await keeping_refund(people, sold["order"]["id"], "r1", 1)

    assert refunded["couponOutcome"] == "KEPT"
    assert refunded["cash"] == {"amountMinor": 0}
    assert refunded["keptBack"]["reasons"] == ["TIER_GIFT"]
    assert refunded["keptBack"]["cash"]["amountMinor"] == 15_000 - 1_364
