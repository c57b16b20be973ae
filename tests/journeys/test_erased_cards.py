"""The card of an erased member: no merchant gives it anything, and nobody gets what it had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import pytest
import pytest_asyncio

from merchants.hosted import HostedBackend
from merchants.port import JoinedMerchant, JoinMerchant
from tests.journeys.town import Settled, cny, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

ISSUE = """mutation($input: IssueCouponsInput!) { issueCoupons(input: $input) {
    ... on CouponsIssued { coupons { id } }
    ... on NotAMemberRefusal { cardIds }
    ... on Refusal { code } } }"""
STATE = "query($id: ID!) { node(id: $id) { ... on Coupon { state } } }"
MEMBERSHIPS = "{ me { card { memberships { edges { node { id } } } } } }"
WALLET = """query($id: ID!) { node(id: $id) { ... on Membership {
    wallet { orders { edges { node { id } } } } } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    """Ann was erased after bob had been merged into her; her coupons were free, and shared."""
    async with town_at(tmp_path_factory.mktemp("erased")) as town:
        people = await settle(town)
        till = town.merchant(people.tea)
        number = await town.card_number(people.bob)
        await town.join(people.tea, people.tea_shop, cardNumber=number)
        template = await town.done(
            "CreateCouponTemplate",
            till,
            merchantId=people.tea,
            title="减5",
            kind="AMOUNT_OFF",
            amount=cny(500),
            minSpend=cny(1_000),
            quotaPerMember=9,
            shareable=True,
        )
        people.template = template["template"]["id"]  # type: ignore[attr-defined]
        free, shared = [(await issue(people, people.ann_card))["coupons"][0] for _ in range(2)]
        share = await town.done("ShareCoupon", town.member(people.ann), couponId=shared["id"])
        people.share_code = share["shareCode"]  # type: ignore[attr-defined]
        people.coupon_ids = [free["id"], shared["id"]]  # type: ignore[attr-defined]
        await town.done("SetGrowthTask", till, **task(people))
        await town.done("SetPaidPlan", till, **plan(people))
        await town.done(
            "MergeMembers", town.admin, survivorId=people.ann, mergedId=people.bob, dryRun=False
        )
        told = await town.gateway.data(MEMBERSHIPS, token=town.member(people.ann))
        people.memberships = [  # type: ignore[attr-defined]
            each["node"]["id"] for each in told["me"]["card"]["memberships"]["edges"]
        ]
        await town.sell(people.tea, people.tea_shop, "o-1", 500, cardId=people.ann_card)
        people.late_join = await erase_while_joining(people)  # type: ignore[attr-defined]
        yield people


async def erase_while_joining(people: Settled) -> Any:
    """What ann's joining a baker answers, whose backend hears of it after her erasure."""
    town = people.town
    baker = await town.admit("baker", "面包")
    people.baker = baker  # type: ignore[attr-defined]
    shop = await town.open_store(baker, "baker-shop", "STORE_POS")
    number = await town.card_number(people.ann)
    heard, may_go = asyncio.Event(), asyncio.Event()
    join = HostedBackend.join

    async def late(backend: HostedBackend, asked: JoinMerchant) -> JoinedMerchant:
        heard.set()
        await may_go.wait()
        return await join(backend, asked)

    with patch.object(HostedBackend, "join", late):
        joining = asyncio.create_task(
            town.change(
                "Join",
                town.merchant(baker),
                storeId=shop,
                credential={"cardNumber": number},
                consents=[],
            )
        )
        await heard.wait()
        await town.done("EraseMember", town.admin, memberId=people.ann, forfeit=True)
        may_go.set()
        return await joining


def task(people: Settled) -> dict[str, Any]:
    return {
        "merchantId": people.tea,
        "code": "CHECK_IN",
        "title": "签到",
        "growth": 5,
    }


def plan(people: Settled) -> dict[str, Any]:
    return {
        "merchantId": people.tea,
        "code": "PLUS",
        "title": "付费会员",
        "price": cny(9_900),
        "months": 12,
    }


async def issue(people: Settled, *card_ids: str) -> Any:
    answer = await people.town.gateway.data(
        ISSUE,
        token=people.town.merchant(people.tea),
        input={
            "requestId": people.town.request_id(),
            "templateId": people.template,  # type: ignore[attr-defined]
            "cardIds": list(card_ids),
        },
    )
    return answer["issueCoupons"]


async def test_coupons_are_not_issued_to_the_card_of_an_erased_member(people: Settled) -> None:
    _, cai_card = await people.town.join(people.tea, people.tea_shop, phone="+8613800000003")

    refused = await issue(people, cai_card, people.ann_card)

    assert (refused["code"], refused["cardIds"]) == ("NOT_A_MEMBER", [people.ann_card])
    assert "coupons" in await issue(people, cai_card)


async def test_nor_to_a_card_that_was_merged_into_it(people: Settled) -> None:
    assert (await issue(people, people.bob_card))["code"] == "NOT_A_MEMBER"


@pytest.mark.parametrize("card", ["ann_card", "bob_card"])
async def test_it_does_no_tasks_and_buys_no_membership(people: Settled, card: str) -> None:
    given = {"merchantId": people.tea, "cardId": getattr(people, card), "reference": card}
    till = people.town.merchant(people.tea)

    done = await people.town.change("RecordTask", till, **given, code="CHECK_IN")
    bought = await people.town.change("SellPaidMembership", till, **given, code="PLUS")

    assert done["code"] == bought["code"] == "NOT_A_MEMBER"


async def test_what_it_had_is_void_and_no_friend_claims_it(people: Settled) -> None:
    town = people.town
    till = town.merchant(people.tea)
    states = [
        (await town.gateway.data(STATE, token=till, id=coupon_id))["node"]["state"]
        for coupon_id in people.coupon_ids  # type: ignore[attr-defined]
    ]
    claimed = await town.change(
        "ClaimCoupon",
        till,
        shareCode=people.share_code,  # type: ignore[attr-defined]
        storeId=people.tea_shop,
        credential={"phone": "+8613800000004"},
    )

    assert states == ["VOID", "VOID"]
    assert (claimed["code"], claimed["reason"]) == ("SHARE_NOT_CLAIMABLE", "TAKEN_BACK")


async def test_a_join_that_was_under_way_opens_no_wallet(people: Settled) -> None:
    till = people.town.merchant(people.baker)  # type: ignore[attr-defined]
    template = await people.town.done(
        "CreateCouponTemplate",
        till,
        merchantId=people.baker,  # type: ignore[attr-defined]
        title="减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
    )
    given = {"templateId": template["template"]["id"], "cardIds": [people.ann_card]}

    answer = await people.town.gateway.data(
        ISSUE, token=till, input={"requestId": people.town.request_id(), **given}
    )

    assert people.late_join["__typename"] == "Joined"  # type: ignore[attr-defined]
    assert answer["issueCoupons"]["code"] == "NOT_A_MEMBER"


async def test_its_orders_are_still_read_by_the_merchant_and_by_admins(people: Settled) -> None:
    town = people.town

    for token in (town.merchant(people.tea), town.admin):
        orders = []
        for membership_id in people.memberships:  # type: ignore[attr-defined]
            node = (await town.gateway.data(WALLET, token=token, id=membership_id))["node"]
            orders += node["wallet"]["orders"]["edges"] if node else []
        assert len(orders) == 1
