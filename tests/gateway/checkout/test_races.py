import asyncio
from collections import Counter
from datetime import datetime

import pytest

from gateway.checkout.states import CheckoutState
from tests.gateway.checkout.tills import Till
from tests.gateway.checkout.town import Town

pytestmark = pytest.mark.both_databases


async def test_of_fifty_carts_with_one_coupon_in_two_stores_one_gets_it(
    town: Town, till: Till
) -> None:
    coupon_id = await town.coupon(1_000)
    stores = [town.names.tea_shop, town.names.tea_web]
    carts = [
        till.cart(5_000, couponIds=[coupon_id], storeId=stores[number % 2]) for number in range(50)
    ]

    answers = await asyncio.gather(
        *(
            till.change("checkout", cart=cart, orderNo=f"no-{number}")
            for number, cart in enumerate(carts)
        )
    )

    [winner] = [n for n, answer in enumerate(answers) if answer["__typename"] == "CheckoutCaptured"]
    losers = [answer for number, answer in enumerate(answers) if number != winner]
    assert {answer["code"] for answer in losers} == {"COUPON_TAKEN"}
    assert {answer["takenAtStore"]["id"] for answer in losers} == {stores[winner % 2]}
    assert {datetime.fromisoformat(a["takenAt"]) for a in losers} == {town.clock.now()}
    assert {answer["coupon"]["id"] for answer in losers} == {coupon_id}
    states = await town.rows(town.alliance.database, "SELECT state FROM checkout")
    assert Counter(state for (state,) in states) == {
        CheckoutState.CAPTURED: 1,
        CheckoutState.RELEASED: 49,
    }


async def test_of_fifty_holds_of_one_coupon_one_gets_it(town: Town, till: Till) -> None:
    coupon_id = await town.alliance_coupon(1_000)
    cart = till.cart(5_000, couponIds=[coupon_id])
    version = (await till.ask("quote", {"cart": cart}))["version"]

    answers = await asyncio.gather(
        *(till.change("holdCheckout", cart=cart, quoteVersion=version) for _ in range(50))
    )

    kinds = Counter(answer["__typename"] for answer in answers)
    assert kinds == {"CheckoutHeld": 1, "CouponTakenRefusal": 49}


async def test_points_are_spent_once_however_many_tills_try(town: Town, till: Till) -> None:
    await till.sell(50_000, order_no="no-0")
    cart = till.cart(5_000, points=500)

    answers = await asyncio.gather(
        *(till.change("checkout", cart=cart, orderNo=f"no-{n}") for n in range(1, 11))
    )

    kinds = Counter(answer["__typename"] for answer in answers)
    assert kinds == {"CheckoutCaptured": 1, "InsufficientPointsRefusal": 9}
    standing = await town.standing()
    assert (standing.held, standing.debt) == (0, 0)


async def test_one_request_sent_ten_times_at_once_sells_once(town: Town, till: Till) -> None:
    cart = till.cart(12_345)

    answers = await asyncio.gather(
        *(till.change("checkout", "once", cart=cart, orderNo="no-1") for _ in range(10))
    )

    kinds = Counter(answer["__typename"] for answer in answers)
    assert kinds == {"CheckoutCaptured": 1, "RequestInProgressRefusal": 9}
    assert (await town.standing()).available == 123


async def test_one_order_number_sent_by_ten_requests_sells_once(town: Town, till: Till) -> None:
    cart = till.cart(12_345)

    answers = await asyncio.gather(
        *(till.change("checkout", cart=cart, orderNo="no-1") for _ in range(10))
    )

    assert len({answer["order"]["id"] for answer in answers}) == 1
    assert (await town.standing()).available == 123
