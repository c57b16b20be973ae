"""Sales and refunds of a till that was offline: when they count, and what is asked too early.

Source: docs/rules/checkout.md, rule 18.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.town import OPERATIONS, Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("late")) as town:
        yield await settle(town)


def sale(people: Settled, order_no: str, **more: Any) -> dict[str, Any]:
    cart = {
        "storeId": people.tea_shop,
        "cardId": people.ann_card,
        "lines": [line(3_000)],
        "chooseBest": False,
    }
    return {"orderNo": order_no, "cart": cart, **more}


async def order_of(people: Settled, order_no: str) -> Any:
    document = (
        "query($id: ID!, $no: String!) { merchant(id: $id) { order(orderNo: $no) {"
        " id placedAt payable { amountMinor } pointsEarned } } }"
    )
    token = people.town.merchant(people.tea)
    data = await people.town.gateway.data(document, token=token, id=people.tea, no=order_no)
    return data["merchant"]["order"]


async def test_a_sale_that_is_sent_late_is_priced_and_dated_when_it_arrives(
    people: Settled,
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    clock = town.gateway.clock
    await town.done(
        "SetPromotion",
        till,
        merchantId=people.tea,
        title="满30减8",
        kind="THRESHOLD_OFF",
        startsAt=clock.now().isoformat(),
        endsAt=(clock.now() + timedelta(days=1)).isoformat(),
        threshold=cny(3_000),
        off=cny(800),
    )
    await town.done("Checkout", till, **sale(people, "L-0"))
    quoted = await town.query("Quote", till, cart=sale(people, "L-1")["cart"])
    month = (await town.query("Periods", town.admin))["nodes"][0]
    clock.set(clock.now() + timedelta(days=32))

    # The till may insist on the price that it took, and then nothing is sold at another.
    stale = await town.change(
        "Checkout", till, **sale(people, "L-1"), quoteVersion=quoted["version"]
    )
    sold = await town.done("Checkout", till, **sale(people, "L-1"))
    order = await order_of(people, "L-1")
    periods = (await town.query("Periods", town.admin))["nodes"]
    entries = {
        period["id"]: await town.query(
            "StatementEntries", town.admin, periodId=period["id"], merchantId=people.tea
        )
        for period in periods
    }

    assert quoted["payable"]["amountMinor"] == 2_200
    assert (stale["code"], stale["quote"]["payable"]["amountMinor"]) == ("QUOTE_STALE", 3_000)
    assert sold["order"]["id"] == order["id"]
    assert (order["payable"]["amountMinor"], order["pointsEarned"]) == (3_000, 30)
    assert datetime.fromisoformat(order["placedAt"]) == clock.now()
    posted = {
        id: [edge["node"]["orderNo"] for edge in found["statement"]["entries"]["edges"]]
        for id, found in entries.items()
    }
    assert "L-1" in posted[periods[0]["id"]]
    assert periods[0]["id"] != month["id"]
    assert set(posted[month["id"]]) == {"L-0"}


@pytest.mark.parametrize("name", ["occurredAt", "placedAt", "paidAt", "at"])
async def test_a_till_that_says_when_it_sold_is_refused(people: Settled, name: str) -> None:
    town = people.town
    instant = (town.gateway.clock.now() - timedelta(minutes=1)).isoformat()
    given = {"requestId": town.request_id(), **sale(people, f"T-{name}"), name: instant}

    answer = await town.gateway.ask(
        OPERATIONS["Checkout"], token=town.merchant(people.tea), input=given
    )

    assert name in answer["errors"][0]["message"]
    assert await order_of(people, f"T-{name}") is None


async def test_a_refund_of_an_order_that_was_not_sent_yet_is_not_found_and_not_kept(
    people: Settled,
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    await town.done("Checkout", till, **sale(people, "R-0"))
    known = (await order_of(people, "R-0"))["id"]
    unsent = known[:-4] + ("0000" if known[-4:] != "0000" else "1111")
    refund = {"refundNo": "r-1", "lines": [{"lineIndex": 0, "quantity": 1}]}

    early = await town.change("RefundOrder", till, orderId=unsent, **refund)
    missing = await order_of(people, "R-1")
    sold = await town.done("Checkout", till, **sale(people, "R-1"))
    again = await town.done("RefundOrder", till, orderId=sold["order"]["id"], **refund)

    assert (early["code"], missing) == ("NOT_FOUND", None)
    assert again["refund"]["cash"] == sold["order"]["payable"]
