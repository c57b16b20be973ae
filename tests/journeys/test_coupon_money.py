"""Who bears a coupon's cost, to the minor unit: at the sale, at refunds, and in its budget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from kernel.graphql import format_datetime
from tests.journeys.town import JSON, Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

NET = """query ($id: ID!, $at: DateTime!) {
  merchant(id: $id) { netAsOf(at: $at) { amountMinor } }
}"""
TEMPLATES = """query ($id: ID!) {
  merchant(id: $id) { couponTemplates { nodes { id budgetSpent { amountMinor } } } }
}"""
COUPON = "query ($id: ID!) { node(id: $id) { ... on Coupon { state } } }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("money")) as town:
        yield await settle(town)


async def coupon_of(people: Settled, **template: Any) -> tuple[str, str]:
    """Ids of a template made by an admin, and of ann's coupon of it."""
    town = people.town
    made = await town.done(
        "CreateCouponTemplate",
        town.admin,
        **{
            "merchantId": people.tea,
            "title": "减9.99",
            "kind": "AMOUNT_OFF",
            "amount": cny(999),
            "minSpend": cny(2_000),
            **template,
        },
    )
    template_id = str(made["template"]["id"])
    issued = await town.done(
        "IssueCoupons", town.admin, templateId=template_id, cardIds=[people.ann_card]
    )
    return template_id, str(issued["coupons"][0]["id"])


async def sell(people: Settled, coupon_id: str, *lines: JSON) -> str:
    """Id of an order that used the coupon."""
    sold = await people.town.done(
        "Checkout",
        people.town.merchant(people.tea),
        orderNo=people.town.request_id(),
        cart={
            "storeId": people.tea_shop,
            "cardId": people.ann_card,
            "lines": list(lines),
            "couponIds": [coupon_id],
            "chooseBest": False,
        },
    )
    return str(sold["order"]["id"])


async def refund(people: Settled, order_id: str, *lines: tuple[int, int]) -> JSON:
    done = await people.town.done(
        "RefundOrder",
        people.town.merchant(people.tea),
        orderId=order_id,
        refundNo=people.town.request_id(),
        lines=[{"lineIndex": index, "quantity": units} for index, units in lines],
    )
    refunded: JSON = done["refund"]
    return refunded


async def net(people: Settled) -> int:
    """What tea is to receive so far; negative: to pay."""
    town = people.town
    data = await town.gateway.data(
        NET,
        token=town.merchant(people.tea),
        id=people.tea,
        at=format_datetime(town.gateway.clock.now()),
    )
    return int(data["merchant"]["netAsOf"]["amountMinor"])


async def spent(people: Settled, template_id: str) -> int:
    data = await people.town.gateway.data(TEMPLATES, token=people.town.admin, id=people.tea)
    [found] = [
        each["budgetSpent"]["amountMinor"]
        for each in data["merchant"]["couponTemplates"]["nodes"]
        if each["id"] == template_id
    ]
    return int(found)


async def state_of(people: Settled, coupon_id: str) -> str:
    data = await people.town.gateway.data(COUPON, token=people.town.admin, id=coupon_id)
    return str(data["node"]["state"])


async def test_a_split_coupon_is_settled_at_the_sale_and_back_at_the_refund(
    people: Settled,
) -> None:
    split = {"funder": "SPLIT", "funderAllianceBps": 3_333}
    template_id, coupon_id = await coupon_of(people, budget=cny(999), **split)
    before = await net(people)

    order_id = await sell(people, coupon_id, line(1_500), line(1_500))
    after_sale = await net(people)
    spent_by_sale = await spent(people, template_id)
    part = await refund(people, order_id, (0, 1))
    after_part = await net(people)
    spent_by_part = await spent(people, template_id)
    rest = await refund(people, order_id, (1, 1))

    # The alliance bears half_up(999 · 0.3333) = 333 of the coupon, the shop the other 666. The shop
    # pays 20 for the 20 points that 20.01 earn, and a fee of 5 %: 1.
    assert after_sale - before == 333 - 20 - 1
    assert (part["couponOutcome"], rest["couponOutcome"]) == ("KEPT", "RETURNED")
    assert part["cash"]["amountMinor"] + rest["cash"]["amountMinor"] == 2_001
    # The coupon stays spent, and its cost with who bore it. 10 points are taken back, and of the
    # fee half_up(0.5).
    assert after_part - before == 333 - 10
    assert await net(people) == before
    assert (spent_by_sale, spent_by_part, await spent(people, template_id)) == (999, 999, 0)
    assert await state_of(people, coupon_id) == "ISSUED"


async def test_a_budget_that_a_refund_refills_lets_the_coupon_be_used_again(
    people: Settled,
) -> None:
    template_id, coupon_id = await coupon_of(people, budget=cny(999))
    order_id = await sell(people, coupon_id, line(3_000))
    await refund(people, order_id, (0, 1))

    await sell(people, coupon_id, line(3_000))

    assert await spent(people, template_id) == 999
    assert await state_of(people, coupon_id) == "REDEEMED"


async def test_an_alliance_coupon_is_tested_again_and_goes_back_to_the_alliance(
    people: Settled,
) -> None:
    _, coupon_id = await coupon_of(
        people,
        merchantId=ALLIANCE_MERCHANT_ID,
        funder="ALLIANCE",
        onPartialRefund="RECHECK_MIN_SPEND",
        skus=["tea", "pot"],
    )
    before = await net(people)
    order_id = await sell(
        people, coupon_id, line(1_500), line(1_500, sku="pot"), line(1_000, sku="x")
    )
    after_sale = await net(people)

    other = await refund(people, order_id, (2, 1))
    part = await refund(people, order_id, (0, 1))
    is_back = await state_of(people, coupon_id)
    rest = await refund(people, order_id, (1, 1))

    # 30.01 earn 30 points, at a fee of half_up(1.5).
    assert after_sale - before == 999 - 30 - 2
    assert (other["couponOutcome"], other["cash"]["amountMinor"]) == ("KEPT", 1_000)
    # 15.00 are left of what it covers, below 20.00: its 4.99 (of 5.00 and 4.99) are kept back.
    assert part["couponOutcome"] == "RECHECKED"
    assert part["cash"]["amountMinor"] == 1_500 - 500 - 499
    assert is_back == "ISSUED"
    assert rest["cash"]["amountMinor"] == 1_500
    assert await net(people) == before


async def test_of_a_held_line_with_a_gift_the_paid_unit_brings_its_price_back(
    people: Settled,
) -> None:
    zone = {"skus": ["cup"], "pick": 1}
    _, coupon_id = await coupon_of(people, kind="GIFT", amount=None, giftZone=zone)
    town, till = people.town, people.town.merchant(people.tea)
    cart = {
        "storeId": people.tea_shop,
        "cardId": people.ann_card,
        "lines": [line(3_000), line(1_001, sku="cup", quantity=2)],
        "couponIds": [coupon_id],
        "chooseBest": False,
    }
    quote = await town.query("Quote", till, cart=cart)
    held = await town.done("HoldCheckout", till, cart=cart, quoteVersion=quote["version"])
    sold = await town.done(
        "CaptureCheckout", till, checkoutId=held["checkout"]["id"], orderNo=town.request_id()
    )
    assert quote["payable"]["amountMinor"] == 4_001

    back = [await refund(people, sold["order"]["id"], (1, 1)) for _ in range(2)]

    assert [each["cash"]["amountMinor"] for each in back] == [1_001, 0]
