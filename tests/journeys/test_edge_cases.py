"""What goes wrong elsewhere, through the API: the rows of docs/rules/edge-cases.md told here first.

Members are each test's own; the clock only goes on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLInputObjectType, build_schema, get_named_type

from gateway.assembly.engine import assemble_engine
from gateway.assembly.merchant_shards import merchants_transport
from gateway.federation.engine import EngineRequest
from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest, Transport
from kernel.callers import Caller, CallerKind
from tests.journeys.march import SETTINGS
from tests.journeys.town import JSON, OPERATIONS, Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEMA = build_schema(Path("schema.graphql").read_text(encoding="utf-8"))
TOLD_BY_TILLS = {
    "join",
    "holdCheckout",
    "extendCheckout",
    "captureCheckout",
    "releaseCheckout",
    "checkout",
    "refundOrder",
    "claimCoupon",
    "recordTask",
    "sellPaidMembership",
}
ALL_OF_LINE_0 = [{"lineIndex": 0, "quantity": 1}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("edges")) as town:
        yield await settle(town)


async def newcomer(people: Settled) -> tuple[str, str]:
    """Ids of a member of both merchants, and of the card."""
    town = people.town
    number = int(town.request_id().removeprefix("request-"))
    member_id, card_id = await town.join(people.tea, people.tea_shop, phone=f"+8613900{number:06}")
    await town.join(people.books, people.books_shop, cardNumber=await town.card_number(member_id))
    return member_id, card_id


async def card_of(people: Settled, member_id: str, within_days: int = 30) -> JSON:
    shown = await people.town.query("MyCard", people.town.member(member_id), withinDays=within_days)
    card: JSON = shown["card"]
    return card


def wait(people: Settled, **time: int) -> None:
    clock = people.town.gateway.clock
    clock.set(clock.now() + timedelta(**time))


async def hold(people: Settled, cart: JSON) -> Any:
    till = people.town.merchant(people.tea)
    quote = await people.town.query("Quote", till, cart=cart)
    return await people.town.change("HoldCheckout", till, cart=cart, quoteVersion=quote["version"])


def cart_of(people: Settled, card_id: str, amount_minor: int, **more: Any) -> JSON:
    return {
        "storeId": people.tea_shop,
        "cardId": card_id,
        "lines": [line(amount_minor)],
        "chooseBest": False,
        **more,
    }


async def test_a_promotion_edited_while_a_cart_is_open_makes_its_quote_stale(
    people: Settled,
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    _, card_id = await newcomer(people)
    promotion = {
        "merchantId": people.tea,
        "title": "满30减8",
        "kind": "THRESHOLD_OFF",
        "startsAt": town.gateway.clock.now().isoformat(),
        "endsAt": (town.gateway.clock.now() + timedelta(days=1)).isoformat(),
        "threshold": cny(3_000),
        "off": cny(800),
    }
    made = await town.done("SetPromotion", till, **promotion)
    cart = cart_of(people, card_id, 3_000)
    quoted = await town.query("Quote", till, cart=cart)
    held = await hold(people, cart)
    edited = {**promotion, "promotionId": made["promotion"]["id"], "off": cny(500)}
    await town.done("SetPromotion", till, **edited)

    stale = await town.change("HoldCheckout", till, cart=cart, quoteVersion=quoted["version"])
    captured = await town.done(
        "CaptureCheckout", till, checkoutId=held["checkout"]["id"], orderNo="P-1"
    )

    assert quoted["payable"]["amountMinor"] == 2_200
    assert (stale["code"], stale["quote"]["payable"]["amountMinor"]) == ("QUOTE_STALE", 2_500)
    assert captured["order"]["payable"]["amountMinor"] == 2_200
    ended = {**edited, "endsAt": (town.gateway.clock.now() + timedelta(seconds=1)).isoformat()}
    await town.done("SetPromotion", till, **ended)
    wait(people, seconds=1)


async def test_sales_of_a_till_that_was_offline_come_in_any_order_and_twice(
    people: Settled,
) -> None:
    """Two members, the same sales: one's in order, the other's shuffled, doubled, two at a time."""
    town = people.town
    await town.done(
        "SetTierLadder",
        town.merchant(people.tea),
        merchantId=people.tea,
        name="次数",
        metric="PURCHASE_COUNT",
        steps=[
            {"name": "新", "rank": 1, "threshold": 1},
            {"name": "普", "rank": 2, "threshold": 4},
        ],
    )
    amounts = [1_000, 2_550, 990, 12_345, 99]
    ends = []
    for name, queue in (
        ("in order", list(range(len(amounts)))),
        ("shuffled", random.Random(7).sample(list(range(len(amounts))) * 3, 3 * len(amounts))),
    ):
        member_id, card_id = await newcomer(people)

        async def send(number: int, again: int, name: str = name, card_id: str = card_id) -> Any:
            return await town.change(
                "Checkout",
                town.merchant(people.tea),
                # Every other repeat comes under a request id of its own.
                requestId=f"{name}-{number}-{again % 2}",
                orderNo=f"{name}-{number}",
                cart=cart_of(people, card_id, amounts[number]),
            )

        for start in range(0, len(queue), 2):
            pair = queue[start : start + 2]
            answers = await asyncio.gather(
                *(send(number, start + place) for place, number in enumerate(pair))
            )
            assert all(
                "replayed" in answer or answer["code"] == "REQUEST_IN_PROGRESS"
                for answer in answers
            ), answers
        card = await card_of(people, member_id)
        at_tea = next(
            each for each in card["memberships"]["nodes"] if each["merchant"]["id"] == people.tea
        )
        orders = await town.query("MyOrders", town.member(member_id), membershipId=at_tea["id"])
        ends.append(
            (
                card["points"],
                at_tea["wallet"]["tier"],
                sorted(
                    edge["node"]["payable"]["amountMinor"]
                    for edge in orders["wallet"]["orders"]["edges"]
                ),
            )
        )

    assert ends[0] == ends[1]
    assert ends[0][0]["available"] == sum(amount // 100 for amount in amounts)
    assert (ends[0][1]["name"], ends[0][2]) == ("普", sorted(amounts))


async def test_no_till_says_when_it_sold() -> None:
    assert SCHEMA.mutation_type is not None

    def scalars(given: Any, seen: set[str]) -> set[str]:
        named = get_named_type(given)
        if not isinstance(named, GraphQLInputObjectType):
            return {named.name}
        if named.name in seen:
            return set()
        return set().union(
            *(scalars(each.type, seen | {named.name}) for each in named.fields.values())
        )

    for name in TOLD_BY_TILLS:
        [argument] = SCHEMA.mutation_type.fields[name].args.values()
        assert "DateTime" not in scalars(argument.type, set()), name


class Hanging:
    """A backend that never answers."""

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_merchant_whose_backend_hangs_costs_its_own_wallet_alone(
    people: Settled,
) -> None:
    member_id, card_id = await newcomer(people)
    opened = people.town.opened
    whole = opened.transports["merchants"]

    def transport_of(merchant_id: str) -> Transport:
        return Hanging() if merchant_id == people.tea else whole

    engine = assemble_engine(
        opened.supergraph,
        {
            **opened.transports,
            "merchants": merchants_transport(
                transport_of, alliance_merchant_id=opened.alliance.directory.alliance.id
            ),
        },
    )
    caller = Caller(CallerKind.MEMBER, member_id, card_id=card_id)
    loop = asyncio.get_running_loop()
    answer = await engine.execute(
        EngineRequest(OPERATIONS["MyCard"]),
        CallContext(caller=caller, deadline=loop.time() + 2.0),
    )

    assert answer.data is not None
    nodes = answer.data["me"]["card"]["memberships"]["nodes"]
    wallets = {each["merchant"]["id"]: each["wallet"] for each in nodes}
    assert wallets[people.tea] is None
    assert wallets[people.books]["coupons"]["nodes"] == []
    assert answer.data["me"]["card"]["points"]["available"] == 0
    assert {(fault.code, fault.extensions.get("merchantId")) for fault in answer.errors} == {
        ("SUBGRAPH_TIMEOUT", people.tea)
    }


async def test_new_rates_leave_a_held_price_alone_and_make_a_quote_stale(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    _, card_id = await newcomer(people)
    cart = cart_of(people, card_id, 10_000)
    quoted = await town.query("Quote", till, cart=cart)
    held = await hold(people, cart)
    await town.done("ConfigureAlliance", town.admin, **{**SETTINGS, "earnPointsPerMajorUnit": 3})
    stale = await town.change("HoldCheckout", till, cart=cart, quoteVersion=quoted["version"])
    captured = await town.done(
        "CaptureCheckout", till, checkoutId=held["checkout"]["id"], orderNo="R-1"
    )
    again = await town.query("Quote", till, cart=cart)
    await town.done("ConfigureAlliance", town.admin, **SETTINGS)

    assert stale["code"] == "QUOTE_STALE"
    assert (quoted["pointsToEarn"], captured["order"]["pointsEarned"]) == (100, 100)
    assert again["pointsToEarn"] == 300


async def test_a_refund_after_its_period_was_closed_leaves_that_period_as_it_was(
    people: Settled,
) -> None:
    town = people.town
    member_id, card_id = await newcomer(people)
    sold = await town.sell(
        people.tea, people.tea_shop, "C-1", 10_000, cardId=card_id, chooseBest=False
    )
    wait(people, days=32)
    march = (await town.query("Periods", town.admin))["nodes"][-1]["id"]
    await town.done("ClosePeriod", town.admin, periodId=march)
    before = await town.query("Period", town.admin, id=march)

    await town.done(
        "RefundOrder",
        town.merchant(people.tea),
        orderId=sold["order"]["id"],
        refundNo="r-late",
        lines=ALL_OF_LINE_0,
    )

    assert await town.query("Period", town.admin, id=march) == before
    april = (await town.query("Periods", town.admin))["nodes"][0]["id"]
    posted = await town.query("StatementEntries", town.admin, periodId=april, merchantId=people.tea)
    late = [edge["node"] for edge in posted["statement"]["entries"]["edges"]]
    taken_back = [
        (each["kind"], each["points"], each["amount"]["amountMinor"])
        for each in late
        if each["orderNo"] == "C-1"
    ]
    assert taken_back == [("CLAW_BACK", 100, 105)]  # What it cost in March, the fee included.
    assert (await card_of(people, member_id))["points"]["available"] == 0


async def test_a_receipt_leads_to_its_order_and_its_refund(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    sold = await town.sell(people.tea, people.tea_shop, "收据 1", 1_000)
    document = (
        "query($id: ID!, $no: String!) { merchant(id: $id) { order(orderNo: $no) { id state } } }"
    )

    async def find(order_no: str, merchant_id: str, token: str) -> JSON:
        return await town.gateway.ask(document, token=token, id=merchant_id, no=order_no)

    found = (await find("收据 1", people.tea, till))["data"]["merchant"]["order"]
    refunded = await town.done(
        "RefundOrder", till, orderId=found["id"], refundNo="r", lines=ALL_OF_LINE_0
    )

    assert found == {"id": sold["order"]["id"], "state": "PAID"}
    assert refunded["order"]["state"] == "REFUNDED"
    for order_no in ("收据 2", "", "x" * 10_000, "a\x00"):
        answer = await find(order_no, people.tea, till)
        assert answer["data"] == {"merchant": {"order": None}}
    foreign = await find("收据 1", people.tea, town.merchant(people.books))
    assert [error["extensions"]["code"] for error in foreign["errors"]] == ["FORBIDDEN"]
