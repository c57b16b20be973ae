"""One coupon, fifty tills of two stores at once: it is used once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.answers import word_of
from tests.journeys.town import Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

ATTEMPTS = 50
TAKEN = """mutation ($input: %s!) {
  %s(input: $input) {
    __typename
    ... on %s
    ... on CouponTakenRefusal { code coupon { id state } takenAtStore { id name } takenAt }
    ... on Refusal { code message retryable }
  }
}"""

SUCCESSES = {
    "holdCheckout": "CheckoutHeld { replayed checkout { id } }",
    "checkout": "CheckoutCaptured { replayed order { id } }",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("coupon")) as town:
        yield await settle(town)


async def _coupon(people: Settled) -> str:
    """Id of a coupon that ann can use at every store of tea."""
    town, till = people.town, people.town.merchant(people.tea)
    template = await town.done(
        "CreateCouponTemplate",
        till,
        merchantId=people.tea,
        title="减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
    )
    issued = await town.done(
        "IssueCoupons", till, templateId=template["template"]["id"], cardIds=[people.ann_card]
    )
    return str(issued["coupons"][0]["id"])


def _attempts(people: Settled, coupon_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Store and cart of each attempt: a shop and a web shop take turns."""
    stores = [people.tea_shop, people.tea_web]
    return [
        (
            stores[number % 2],
            {
                "storeId": stores[number % 2],
                "cardId": people.ann_card,
                "lines": [line(1_000)],
                "couponIds": [coupon_id],
                "chooseBest": False,
            },
        )
        for number in range(ATTEMPTS)
    ]


async def _race(
    people: Settled, operation: str, inputs: list[tuple[str, dict[str, Any]]]
) -> list[tuple[str, Any]]:
    """Store and answer of each request, all sent at once."""
    town = people.town
    input_type = operation[0].upper() + operation[1:] + "Input"
    document = TAKEN % (input_type, operation, SUCCESSES[operation])

    async def send(store_id: str, given: dict[str, Any]) -> tuple[str, Any]:
        token = town.merchant(people.tea, store_id)
        answer = await town.gateway.data(document, token=token, input=given)
        return store_id, answer[operation]

    return await asyncio.gather(*(send(store_id, given) for store_id, given in inputs))


async def test_fifty_tills_hold_one_coupon_once(people: Settled) -> None:
    town, coupon_id = people.town, await _coupon(people)
    attempts = _attempts(people, coupon_id)
    version_by_store = {}
    for store_id, cart in attempts[:2]:
        quote = await town.query("Quote", town.merchant(people.tea), cart=cart)
        assert quote["payable"]["amountMinor"] == 500
        version_by_store[store_id] = quote["version"]
    inputs = [
        (
            store_id,
            {
                "requestId": f"hold-{number}",
                "cart": cart,
                "quoteVersion": version_by_store[store_id],
            },
        )
        for number, (store_id, cart) in enumerate(attempts)
    ]

    answers = await _race(people, "holdCheckout", inputs)

    _assert_one_winner(answers, coupon_id, state="LOCKED")


async def test_fifty_tills_sell_with_one_coupon_once(people: Settled) -> None:
    coupon_id = await _coupon(people)
    inputs = [
        (store_id, {"requestId": f"sell-{number}", "orderNo": f"S-{number}", "cart": cart})
        for number, (store_id, cart) in enumerate(_attempts(people, coupon_id))
    ]

    answers = await _race(people, "checkout", inputs)

    winner = _assert_one_winner(answers, coupon_id, state=None)
    orders = await people.town.query(
        "Orders", people.town.merchant(people.tea), merchantId=people.tea
    )
    sold = [edge["node"] for edge in orders["orders"]["edges"]]
    assert [(each["id"], each["payable"]["amountMinor"]) for each in sold] == [
        (winner["order"]["id"], 500)
    ]


async def test_an_alliance_coupon_taken_elsewhere_does_not_say_where(people: Settled) -> None:
    town = people.town
    await town.join(people.books, people.books_shop, cardNumber=await town.card_number(people.ann))
    coupon_id = await _alliance_coupon(people)
    stores = {people.tea_shop: people.tea, people.books_shop: people.books}
    carts = {
        store_id: {
            "storeId": store_id,
            "cardId": people.ann_card,
            "lines": [line(1_000)],
            "couponIds": [coupon_id],
            "chooseBest": False,
        }
        for store_id in stores
    }

    async def sell(number: int, store_id: str) -> tuple[str, Any]:
        given = {
            "requestId": f"both-{number}",
            "orderNo": f"B-{number}",
            "cart": carts[store_id],
        }
        document = TAKEN % ("CheckoutInput", "checkout", SUCCESSES["checkout"])
        token = town.merchant(stores[store_id])
        answer = await town.gateway.data(document, token=token, input=given)
        return store_id, answer["checkout"]

    answers = await asyncio.gather(
        *(sell(number, list(stores)[number % 2]) for number in range(20))
    )

    [won_at] = [store_id for store_id, answer in answers if "replayed" in answer]
    for store_id, answer in answers:
        if "replayed" not in answer:
            assert answer["code"] == "COUPON_TAKEN"
            assert answer["takenAt"] == "2026-03-02T09:00:00Z"
            # A till that presented the coupon may look at this one.
            assert answer["coupon"]["state"] in ("LOCKED", "REDEEMED")
            store = answer["takenAtStore"]
            assert (store["id"] if store else None) == (won_at if store_id == won_at else None)


async def _alliance_coupon(people: Settled) -> str:
    """Id of a coupon of the alliance's own that ann can use at every merchant."""
    town = people.town
    settings = await town.query("AllianceSettings", town.admin)
    template = await town.done(
        "CreateCouponTemplate",
        town.admin,
        merchantId=settings["merchant"]["id"],
        title="联盟减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
        funder="ALLIANCE",
    )
    issued = await town.done(
        "IssueCoupons",
        town.admin,
        templateId=template["template"]["id"],
        cardIds=[people.ann_card],
    )
    return str(issued["coupons"][0]["id"])


def _assert_one_winner(answers: list[tuple[str, Any]], coupon_id: str, state: str | None) -> Any:
    words = Counter(word_of({"data": {"answer": answer}}) for _, answer in answers)
    assert words == {"ok": 1, "COUPON_TAKEN": ATTEMPTS - 1}
    [(won_at, winner)] = [each for each in answers if "replayed" in each[1]]
    for _, lost in answers:
        if lost is winner:
            continue
        assert lost["takenAtStore"]["id"] == won_at
        assert lost["takenAt"] == "2026-03-02T09:00:00Z"
        assert lost["coupon"]["id"] == coupon_id
        assert lost["coupon"]["state"] in ("LOCKED", "REDEEMED")
        assert state in (None, lost["coupon"]["state"])
    return winner
