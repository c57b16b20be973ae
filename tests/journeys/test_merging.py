"""Two members of one person, made one: nothing is lost, everything is found, whoever asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.journeys.inputs import PLAN, TASK
from tests.journeys.town import Settled, Town, cny, settle, town_at

WALLET = """query($id: ID!) { node(id: $id) { ... on Membership { id card { id } wallet {
    tiers { name rank progress { current } }
    coupons(states: [ISSUED]) { nodes { id } }
    orders { nodes { orderNo } } } } } }"""
NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
ME = "{ me { id card { id memberships { nodes { id merchant { id } } } } } }"
PREVIEW = """mutation($survivor: ID!, $merged: ID!, $requestId: ID!) {
    mergeMembers(input: {survivorId: $survivor, mergedId: $merged, requestId: $requestId}) {
    ... on MergePreview { paidRefunds { amountMinor } } } }"""
STEPS = [
    {"name": "新客", "rank": 1, "threshold": 1},
    {"name": "老客", "rank": 2, "threshold": 3},
]


@pytest_asyncio.fixture
async def people(tmp_path: Path) -> AsyncIterator[Settled]:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await town.join(people.tea, people.tea_shop, cardNumber=await town.card_number(people.bob))
        yield people


async def merge(people: Settled, **more: Any) -> Any:
    """Bob, who joined later, becomes another name of Ann."""
    return await people.town.change(
        "MergeMembers",
        people.town.admin,
        **{"survivorId": people.ann, "mergedId": people.bob, "dryRun": False, **more},
    )


async def node(town: Town, id_: str) -> Any:
    return (await town.gateway.data(NODE, token=town.admin, id=id_))["node"]


async def membership_of(town: Town, member_id: str, merchant_id: str) -> str:
    me = (await town.gateway.data(ME, token=town.member(member_id)))["me"]
    [found] = [
        each["id"]
        for each in me["card"]["memberships"]["nodes"]
        if each["merchant"]["id"] == merchant_id
    ]
    return str(found)


async def offer(town: Town, merchant_id: str, **more: Any) -> str:
    made = await town.done(
        "CreateCouponTemplate",
        town.merchant(merchant_id),
        merchantId=merchant_id,
        title="减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
        **more,
    )
    return str(made["template"]["id"])


async def test_points_coins_coupons_orders_and_tiers_become_one(people: Settled) -> None:
    town = people.town
    await town.done(
        "SetTierLadder",
        town.merchant(people.tea),
        merchantId=people.tea,
        name="次数",
        metric="PURCHASE_COUNT",
        steps=STEPS,
    )
    template = await offer(town, people.tea)
    issued = await town.done(
        "IssueCoupons",
        town.merchant(people.tea),
        templateId=template,
        cardIds=[people.bob_card],
    )
    for number, card in enumerate((people.ann_card, people.bob_card, people.bob_card)):
        await town.sell(
            people.tea, people.tea_shop, f"no-{number}", 10_000, cardId=card, chooseBest=False
        )
    await town.done(
        "GrantCoins", town.admin, cardId=people.bob_card, amount=cny(70), reason="hello"
    )

    preview = await merge(people, dryRun=True)
    merged = await merge(people)

    assert preview == {
        "__typename": "MergePreview",
        "survivor": {"id": people.ann},
        "pointsAfter": 300,
        "debtAfter": 0,
        "couponsMoved": 1,
        "conflicts": [],
    }
    assert merged["survivor"] == {
        "id": people.ann,
        "card": {"id": people.ann_card, "points": {"available": 300, "debt": 0}},
    }
    me = await town.query("MyCard", town.member(people.ann))
    assert me["card"]["coins"]["available"]["amountMinor"] == 70
    wallet = (
        await town.gateway.data(
            WALLET,
            token=town.member(people.ann),
            id=await membership_of(town, people.ann, people.tea),
        )
    )["node"]["wallet"]
    assert [tier["name"] for tier in wallet["tiers"]] == ["老客"]
    assert [coupon["id"] for coupon in wallet["coupons"]["nodes"]] == [issued["coupons"][0]["id"]]
    assert sorted(order["orderNo"] for order in wallet["orders"]["nodes"]) == [
        "no-0",
        "no-1",
        "no-2",
    ]


async def test_every_id_of_the_merged_member_names_the_survivor(people: Settled) -> None:
    town = people.town
    number = await town.card_number(people.bob)
    at_tea = await membership_of(town, people.bob, people.tea)
    at_books = await membership_of(town, people.bob, people.books)
    token = (await town.query("MyCard", town.member(people.bob)))["card"]["displayToken"]["token"]
    anns_at_tea = await membership_of(town, people.ann, people.tea)

    await merge(people)

    assert await node(town, people.bob) == {"__typename": "Member", "id": people.ann}
    assert await node(town, people.bob_card) == {"__typename": "Card", "id": people.ann_card}
    assert await node(town, at_tea) == {"__typename": "Membership", "id": anns_at_tea}
    assert await node(town, at_books) == {"__typename": "Membership", "id": at_books}
    me = await town.gateway.data(ME, token=town.member(people.bob))
    assert me["me"]["id"] == people.ann
    assert me["me"]["card"]["id"] == people.ann_card
    books = town.merchant(people.books)
    for credential in ({"cardNumber": number}, {"cardToken": token}, {"phone": "+8613800000002"}):
        found = await town.query(
            "Identify", books, credential=credential, storeId=people.books_shop
        )
        assert found["member"]["id"] == people.ann
        assert found["membership"]["id"] == at_books


async def test_tills_that_know_the_merged_card_book_for_the_survivor(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    await town.done("SetGrowthTask", till, **TASK, merchantId=people.tea)
    await town.done("SetPaidPlan", till, **PLAN, merchantId=people.tea)
    year = {"merchantId": people.tea, "cardId": people.bob_card, "code": PLAN["code"]}
    sold = await town.done("SellPaidMembership", till, **year, reference="sold before")
    await merge(people)

    task = await town.done(
        "RecordTask", till, merchantId=people.tea, cardId=people.bob_card, code=TASK["code"]
    )
    again = await town.done("SellPaidMembership", till, **year, reference="sold before")
    more = await town.done("SellPaidMembership", till, **year, reference="sold since")

    assert task["counted"]
    assert again["paidMembership"]["id"] == sold["paidMembership"]["id"]
    assert more["paidMembership"]["startsAt"] == sold["paidMembership"]["endsAt"]


async def test_a_token_of_the_merged_member_is_the_survivors_at_once(people: Settled) -> None:
    town = people.town
    token = town.member(people.bob)
    assert (await town.query("MyCard", token))["id"] == people.bob

    await merge(people)

    assert (await town.query("MyCard", token))["id"] == people.ann


async def test_the_earlier_join_stays_whatever_the_request_says(people: Settled) -> None:
    clock = people.town.gateway.clock
    clock.set(clock.now() + timedelta(seconds=1))
    late, _ = await people.town.join(people.tea, people.tea_shop, phone="+8613800000003")

    merged = await merge(people, survivorId=late, mergedId=people.ann)

    assert merged["survivor"]["id"] == people.ann


async def test_the_history_of_both_cards_is_the_survivors(people: Settled) -> None:
    town = people.town
    await town.sell(people.tea, people.tea_shop, "t-1", 1_000, cardId=people.ann_card)
    await town.sell(people.books, people.books_shop, "b-1", 2_000, cardId=people.bob_card)

    await merge(people)

    history = (await town.query("MyHistory", town.member(people.ann)))["card"]["entries"]["edges"]
    shown = [(edge["node"]["kind"], edge["node"]["points"]) for edge in history]
    assert shown == [("MERGE", 20), ("MERGE", -20), ("EARN", 20), ("EARN", 10)]
    assert history[0]["node"]["balanceAfter"]["points"] == 30


async def test_a_checkout_that_was_open_during_the_merge_finishes(people: Settled) -> None:
    town = people.town
    books = town.merchant(people.books)
    await town.sell(people.books, people.books_shop, "b-1", 20_000, cardId=people.bob_card)
    cart = {
        "storeId": people.books_shop,
        "cardId": people.bob_card,
        "lines": [{"sku": "book", "quantity": 1, "unitPrice": cny(5_000)}],
        "points": 100,
    }
    quote = await town.query("Quote", books, cart=cart)
    held = await town.done("HoldCheckout", books, cart=cart, quoteVersion=quote["version"])

    merged = await merge(people)
    captured = await town.done(
        "CaptureCheckout", books, checkoutId=held["checkout"]["id"], orderNo="b-2"
    )

    assert merged["survivor"]["card"]["points"]["available"] == 100
    assert captured["order"]["payable"]["amountMinor"] == 4_900
    assert captured["card"]["points"]["available"] == 149
    me = await town.query("MyCard", town.member(people.ann))
    assert me["card"]["points"] == {
        "available": 149,
        "held": 0,
        "pending": 0,
        "debt": 0,
        "expiring": me["card"]["points"]["expiring"],
    }
    refunded = await town.done(
        "RefundOrder",
        books,
        orderId=captured["order"]["id"],
        refundNo="r-1",
        lines=[{"lineIndex": 0, "quantity": 1}],
    )
    assert refunded["refund"]["pointsReturned"] == 100
    assert (await town.opened.ledger.verify()).findings == ()


async def test_a_used_welcome_voids_the_others_unused_one(people: Settled) -> None:
    town = people.town
    await offer(town, people.tea, forNewMembers=True)
    one, one_card = await town.join(people.tea, people.tea_shop, phone="+8613800000011")
    other, other_card = await town.join(people.tea, people.tea_shop, phone="+8613800000012")
    await town.sell(people.tea, people.tea_shop, "w-1", 2_000, cardId=other_card)

    preview = await merge(people, survivorId=one, mergedId=other, dryRun=True)
    await merge(people, survivorId=one, mergedId=other)

    assert preview["couponsMoved"] == 0
    me = await town.query("MyCard", town.member(one))
    [membership] = me["card"]["memberships"]["nodes"]
    assert membership["wallet"]["coupons"]["nodes"] == []
    sold = await town.sell(people.tea, people.tea_shop, "w-2", 2_000, cardId=one_card)
    assert sold["order"]["payable"]["amountMinor"] == 2_000


async def test_of_two_unused_welcomes_one_is_left(people: Settled) -> None:
    town = people.town
    await offer(town, people.tea, forNewMembers=True)
    one, _ = await town.join(people.tea, people.tea_shop, phone="+8613800000011")
    other, _ = await town.join(people.tea, people.tea_shop, phone="+8613800000012")

    await merge(people, survivorId=one, mergedId=other)

    me = await town.query("MyCard", town.member(one))
    [membership] = me["card"]["memberships"]["nodes"]
    assert len(membership["wallet"]["coupons"]["nodes"]) == 1


async def test_a_frozen_member_blocks_the_merge(people: Settled) -> None:
    town = people.town
    await town.done(
        "FreezeMember", town.admin, memberId=people.bob, frozen=True, reason="debt in dispute"
    )
    before = town.dump()

    preview = await merge(people, dryRun=True)
    refused = await merge(people)

    assert preview["conflicts"] == ["MEMBER_FROZEN"]
    assert refused["code"] == "MERGE_BLOCKED"
    assert _without_requests(town.dump()) == _without_requests(before)


async def test_an_admin_overrules_another_birthday(people: Settled) -> None:
    town = people.town
    pair = []
    for number, day in enumerate(("1990-01-02", "1991-01-02")):
        joined = await town.done(
            "Join",
            town.merchant(people.tea),
            storeId=people.tea_shop,
            credential={"phone": f"+861380000002{number}"},
            consents=[],
            profile={"birthday": day},
        )
        pair.append(joined["member"]["id"])
    names = {"survivorId": pair[0], "mergedId": pair[1]}

    refused = await merge(people, **names)
    merged = await merge(people, **names, acceptConflicts=["BIRTHDAY_CONFLICT"])

    assert refused["code"] == "MERGE_BLOCKED"
    assert merged["survivor"]["id"] == pair[0]


async def test_a_member_is_not_merged_with_itself(people: Settled) -> None:
    await merge(people)

    assert (await merge(people))["code"] == "INVALID_INPUT"
    assert (await merge(people, mergedId=people.ann))["code"] == "INVALID_INPUT"


async def test_the_survivor_may_be_merged_in_turn(people: Settled) -> None:
    town = people.town
    await town.sell(people.books, people.books_shop, "b-1", 1_000, cardId=people.bob_card)
    cat, _ = await town.join(people.tea, people.tea_shop, phone="+8613800000003")
    await merge(people, survivorId=people.bob, mergedId=cat)

    await merge(people)

    for member_id in (people.bob, cat):
        assert (await node(town, member_id))["id"] == people.ann
    assert (await town.query("MyCard", town.member(cat)))["card"]["points"]["available"] == 10


async def test_merchants_see_of_the_survivor_what_they_saw_of_either(people: Settled) -> None:
    """The bookshop never met Ann; after the merge it sees its own orders, and none of tea's."""
    town = people.town
    await town.sell(people.tea, people.tea_shop, "t-1", 1_000, cardId=people.ann_card)
    await town.sell(people.books, people.books_shop, "b-1", 1_000, cardId=people.bob_card)
    at_tea = await membership_of(town, people.ann, people.tea)
    at_books = await membership_of(town, people.bob, people.books)

    await merge(people)

    books = town.merchant(people.books)
    hidden = await town.gateway.data(WALLET, token=books, id=at_tea)
    shown = (await town.gateway.data(WALLET, token=books, id=at_books))["node"]
    assert hidden == {"node": None}
    assert shown["card"]["id"] == people.ann_card
    assert [order["orderNo"] for order in shown["wallet"]["orders"]["nodes"]] == ["b-1"]


def _without_requests(dump: dict[str, list[str]]) -> dict[str, list[str]]:
    return {table: rows for table, rows in dump.items() if not table.endswith(":request")}


async def test_of_two_paid_memberships_the_later_end_counts(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    plan = {"merchantId": people.tea, "title": "卡", "price": cny(1_200)}
    await town.done("SetPaidPlan", till, **plan, code="MONTH", months=1)
    await town.done("SetPaidPlan", till, **plan, code="YEAR", months=12)
    for card_id, code, days in (
        (people.ann_card, "MONTH", 10),
        (people.bob_card, "YEAR", 0),
        (people.bob_card, "MONTH", 0),
    ):
        await town.done(
            "SellPaidMembership",
            till,
            merchantId=people.tea,
            cardId=card_id,
            code=code,
            reference=f"{code} {card_id}",
        )
        town.gateway.clock.set(town.gateway.clock.now() + timedelta(days=days))

    preview = await town.gateway.data(
        PREVIEW, token=town.admin, survivor=people.ann, merged=people.bob, requestId="preview"
    )
    await merge(people)
    town.gateway.clock.set(town.gateway.clock.now() + timedelta(days=45))

    document = (
        "query($id: ID!) { node(id: $id) { ... on Membership { wallet { paidMemberships { "
        "state plan { code } refunded { amountMinor } } } } } }"
    )
    membership_id = await membership_of(town, people.ann, people.tea)
    data = await town.gateway.data(document, token=town.member(people.ann), id=membership_id)
    shown = data["node"]["wallet"]["paidMemberships"]
    refunded = {"amountMinor": 1_200 * 21 // 31}
    assert preview == {"mergeMembers": {"paidRefunds": refunded}}
    # Of ann's 31 days of March 21 were left when bob's month, which ends later, became hers too.
    assert sorted((each["plan"]["code"], each["state"], each["refunded"]) for each in shown) == [
        ("MONTH", "EXPIRED", None),
        ("MONTH", "REFUNDED", refunded),
        ("YEAR", "ACTIVE", None),
    ]
