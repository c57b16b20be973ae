"""Tiers as clients live them: kept, revoked with evidence, lifted by the alliance, sold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.journeys.town import JSON, Settled, cny, line, settle, town_at

STEPS = [
    {"name": "银牌", "nameEn": "Silver", "rank": 1, "threshold": 10_000},
    {
        "name": "金牌",
        "nameEn": "Gold",
        "rank": 2,
        "threshold": 50_000,
        "benefits": [{"kind": "PERCENT_OFF", "title": "9折", "percentOffBps": 1_000}],
    },
]
WALLET = """query($id: ID!) { node(id: $id) { ... on Card {
  allianceWallet { tiers { rank } }
  memberships(first: 1) { nodes { wallet {
    tier { name nameEn rank ground validUntil progress { current remaining nextName nextNameEn }
      evaluations { nodes { cause figure rankBefore rankAfter reference
        orders { nodes { orderNo } } } } }
    benefits { title }
    paidMemberships { state plan { title } }
  } } }
} } }"""


@pytest_asyncio.fixture
async def people(tmp_path: Path) -> AsyncIterator[Settled]:
    async with town_at(tmp_path) as town:
        yield await settle(town)


async def set_ladder(people: Settled, merchant_id: str, **more: Any) -> JSON:
    given = {"merchantId": merchant_id, "name": "金额", "metric": "AMOUNT", "steps": STEPS}
    answer: JSON = await people.town.change("SetTierLadder", people.town.admin, **(given | more))
    return answer


async def sell(people: Settled, number: str, amount: int) -> str:
    sold = await people.town.sell(
        people.tea, people.tea_shop, number, amount, cardId=people.ann_card
    )
    return str(sold["order"]["id"])


async def wallet(people: Settled) -> JSON:
    data = await people.town.gateway.data(
        WALLET, token=people.town.member(people.ann), id=people.ann_card
    )
    [membership] = data["node"]["memberships"]["nodes"]
    shown: JSON = membership["wallet"]
    return shown


def pass_days(people: Settled, days: int) -> None:
    clock = people.town.gateway.clock
    clock.set(clock.now() + timedelta(days=days))


async def test_a_downgrade_after_a_refund_leaves_its_evidence(people: Settled) -> None:
    await set_ladder(people, people.tea, window="ROLLING_12_MONTHS")
    await sell(people, "N-1", 12_000)
    pass_days(people, 1)
    second = await sell(people, "N-2", 40_000)
    gold = await wallet(people)
    pass_days(people, 3)
    await people.town.done(
        "RefundOrder",
        people.town.merchant(people.tea),
        orderId=second,
        refundNo="R-1",
        lines=[{"lineIndex": 0, "quantity": 1}],
    )
    silver = await wallet(people)

    assert (gold["tier"]["name"], gold["tier"]["nameEn"]) == ("金牌", "Gold")
    assert gold["benefits"] == [{"title": "9折"}]
    tier = silver["tier"]
    assert (tier["name"], tier["rank"], silver["benefits"]) == ("银牌", 1, [])
    assert tier["progress"] == {
        "current": 12_000,
        "remaining": 38_000,
        "nextName": "金牌",
        "nextNameEn": "Gold",
    }
    decided = tier["evaluations"]["nodes"][0]
    assert (decided["cause"], decided["reference"]) == ("REFUND", "R-1")
    assert (decided["rankBefore"], decided["rankAfter"], decided["figure"]) == (2, 1, 12_000)
    assert [each["orderNo"] for each in decided["orders"]["nodes"]] == ["N-2", "N-1"]


async def test_a_refund_after_the_return_window_waits_for_the_tiers_end(people: Settled) -> None:
    await set_ladder(people, people.tea, window="ROLLING_12_MONTHS", downgrade="TO_METRIC")
    order = await sell(people, "N-1", 60_000)
    pass_days(people, 8)
    await people.town.done(
        "RefundOrder",
        people.town.merchant(people.tea),
        orderId=order,
        refundNo="R-1",
        amount=cny(59_000),
    )
    kept = (await wallet(people))["tier"]
    pass_days(people, 400)
    over = (await wallet(people))["tier"]

    assert (kept["rank"], kept["ground"], kept["progress"]["current"]) == (2, "RETAINED", 1_000)
    assert kept["validUntil"] is not None
    assert (over["rank"], over["validUntil"]) == (0, None)


async def test_a_lifetime_tier_falls_with_its_refund_whenever_it_comes(people: Settled) -> None:
    await set_ladder(people, people.tea)
    order = await sell(people, "N-1", 60_000)
    pass_days(people, 300)
    await people.town.done(
        "RefundOrder",
        people.town.merchant(people.tea),
        orderId=order,
        refundNo="R-1",
        amount=cny(50_000),
    )

    tier = (await wallet(people))["tier"]

    assert (tier["rank"], tier["validUntil"], tier["progress"]["current"]) == (1, None, 10_000)


async def test_the_alliances_rank_is_honoured_in_wallet_and_quote(people: Settled) -> None:
    town = people.town
    alliance = (await town.query("AllianceSettings", town.admin))["merchant"]["id"]
    await set_ladder(people, people.tea)
    await set_ladder(people, alliance, steps=[{"name": "联盟银", "rank": 1, "threshold": 2_000}])
    await town.done(
        "SetAllianceWeights",
        town.admin,
        merchantId=alliance,
        weights=[{"merchantId": people.tea, "weightBps": 20_000}],
    )
    await town.done(
        "SetTierPolicy",
        town.merchant(people.tea),
        merchantId=people.tea,
        honoured=[{"allianceRank": 1, "rank": 2}],
    )
    cart = {
        "storeId": people.tea_shop,
        "cardId": people.ann_card,
        "lines": [line(1_000)],
    }
    before = await town.query("Quote", town.merchant(people.tea), cart=cart)
    await sell(people, "N-1", 1_000)
    after = await town.query("Quote", town.merchant(people.tea), cart=cart)
    shown = (await wallet(people))["tier"]

    assert before["payable"]["amountMinor"] == 1_000
    assert after["payable"]["amountMinor"] == 900
    assert (shown["name"], shown["ground"], shown["progress"]["current"]) == (
        "金牌",
        "ALLIANCE",
        1_000,
    )


async def test_a_rule_never_looks_back(people: Settled) -> None:
    now = people.town.gateway.clock.now()
    refused = await set_ladder(
        people, people.tea, effectiveFrom=(now - timedelta(minutes=6)).isoformat()
    )
    skewed = await set_ladder(
        people, people.tea, effectiveFrom=(now - timedelta(minutes=4)).isoformat()
    )

    assert refused["code"] == "INVALID_INPUT"
    assert [each["field"] for each in refused["problems"]] == ["effectiveFrom"]
    assert skewed["ladder"]["version"] == 1


async def test_a_ladder_outside_its_limits_is_refused_whole(people: Settled) -> None:
    refused = await set_ladder(
        people,
        people.tea,
        window="CALENDAR_YEAR",
        windowMonths=3,
        retentionMonths=13,
        returnDays=366,
        growthPerMajorUnit=-1,
    )

    assert [each["field"] for each in refused["problems"]] == [
        "windowMonths",
        "retentionMonths",
        "returnDays",
        "growthPerMajorUnit",
    ]


async def test_a_member_sees_the_paid_membership_and_what_it_gives(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    await set_ladder(people, people.tea)
    plan = {
        "merchantId": people.tea,
        "code": "YEAR",
        "title": "年卡",
        "price": cny(36_500),
        "months": 12,
        "rank": 2,
        "benefits": [{"kind": "OWN_AGENT", "title": "专属客服", "entitlement": "own_agent"}],
    }
    await town.done("SetPaidPlan", till, **plan)
    bought = await town.done(
        "SellPaidMembership",
        till,
        merchantId=people.tea,
        cardId=people.ann_card,
        code="YEAR",
        reference="N-9",
    )
    having = await wallet(people)
    pass_days(people, 165)
    back = await town.done(
        "RefundPaidMembership", till, paidMembershipId=bought["paidMembership"]["id"]
    )
    over = await wallet(people)

    assert having["paidMemberships"] == [{"state": "ACTIVE", "plan": {"title": "年卡"}}]
    assert {each["title"] for each in having["benefits"]} == {"专属客服", "9折"}
    assert (having["tier"]["name"], having["tier"]["ground"]) == ("金牌", "FLOOR")
    assert back["paidMembership"]["refunded"]["amountMinor"] == 20_000
    assert (over["tier"]["rank"], over["benefits"]) == (0, [])
    assert over["paidMemberships"][0]["state"] == "REFUNDED"


async def test_a_check_in_gives_growth_once_a_day(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    steps = [{"name": "一星", "rank": 1, "threshold": 5}]
    await set_ladder(people, people.tea, metric="GROWTH", steps=steps)
    task = {"merchantId": people.tea, "code": "CHECK_IN", "title": "签到", "growth": 5}
    await town.done("SetGrowthTask", till, **task)
    given = {"merchantId": people.tea, "cardId": people.ann_card, "code": "CHECK_IN"}

    first = await town.change("RecordTask", till, **given)
    again = await town.change("RecordTask", till, **given)
    pass_days(people, 1)
    next_day = await town.change("RecordTask", till, **given)

    assert (first["growth"], first["counted"]) == (5, True)
    assert first["wallet"]["tiers"][0]["name"] == "一星"
    assert (again["code"], again["period"]) == ("TASK_CAP_REACHED", "DAY")
    assert next_day["wallet"]["tiers"][0]["progress"]["current"] == 10
