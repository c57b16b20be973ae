"""Coupons that an order gave for goods of a category, when these goods come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.journeys.coupons_at_tea import cart_of, hold, refund, sell, state_of, template_of
from tests.journeys.town import Settled, cny, line, settle, town_at


@pytest.fixture
async def people(tmp_path: Any) -> AsyncIterator[Settled]:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await template_of(
            people, title="绿茶券", trigger="CATEGORY", categoryIds=["green"], quotaPerMember=9
        )
        yield people


async def buy(people: Settled, *, quantity: int = 1) -> tuple[str, str]:
    """Ids of an order of green tea and a cup, and of the coupon that it gave."""
    before = await coupon_ids(people)
    cart = {
        "storeId": people.tea_shop,
        "cardId": people.ann_card,
        "lines": [
            {**line(1_000, sku="cup"), "categoryId": "cups"},
            {**line(1_000, quantity=quantity), "categoryId": "green"},
        ],
        "chooseBest": False,
    }
    order = await sell(people, cart)
    [coupon_id] = await coupon_ids(people) - before
    return str(order["id"]), coupon_id


async def coupon_ids(people: Settled) -> set[str]:
    me = await people.town.query("MyCard", people.town.member(people.ann))
    [membership] = me["card"]["memberships"]["nodes"]
    return {each["id"] for each in membership["wallet"]["coupons"]["nodes"]}


async def test_buying_and_returning_gathers_no_coupons(people: Settled) -> None:
    for _ in range(3):
        order_id, coupon_id = await buy(people)
        await refund(people, order_id, (0, 1), (1, 1))
        assert await state_of(people, coupon_id) == "VOID"


async def test_the_goods_of_the_category_decide_down_to_their_last_unit(people: Settled) -> None:
    order_id, coupon_id = await buy(people, quantity=2)
    states = []
    for returned in ((0, 1), (1, 1), (1, 1)):
        await refund(people, order_id, returned)
        states.append(await state_of(people, coupon_id))

    assert states == ["ISSUED", "ISSUED", "VOID"]


async def test_a_price_that_came_back_whole_takes_it_too(people: Settled) -> None:
    order_id, coupon_id = await buy(people)
    for amount, state in ((1_999, "ISSUED"), (1, "VOID")):
        await people.town.done(
            "RefundOrder",
            people.town.merchant(people.tea),
            orderId=order_id,
            refundNo=people.town.request_id(),
            amount=cny(amount),
        )
        assert await state_of(people, coupon_id) == state


async def test_one_that_a_checkout_holds_is_taken_when_it_comes_back(people: Settled) -> None:
    order_id, coupon_id = await buy(people)
    green = {**line(1_000), "categoryId": "green"}
    held = await hold(people, cart_of(people, coupon_id, green))
    await refund(people, order_id, (1, 1))
    while_held = await state_of(people, coupon_id)
    await people.town.done(
        "ReleaseCheckout", people.town.merchant(people.tea), checkoutId=held["checkout"]["id"]
    )

    assert (while_held, await state_of(people, coupon_id)) == ("LOCKED", "VOID")


async def test_a_used_one_stays_used_until_its_own_order_comes_back(people: Settled) -> None:
    order_id, coupon_id = await buy(people)
    other = await sell(people, cart_of(people, coupon_id, {**line(2_000), "categoryId": "green"}))
    await refund(people, order_id, (1, 1))
    used = await state_of(people, coupon_id)
    await refund(people, other["id"], (0, 1))

    assert (used, await state_of(people, coupon_id)) == ("REDEEMED", "VOID")
