"""What a merchant sees of its members' tiers and segments, through GraphQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kernel.ids import derived_id
from merchants.ladders import members
from merchants.ladders.policies import TierPolicy
from merchants.ladders.segments import SegmentThresholds
from merchants.ladders.tiers import TierMetric, TierWindow
from tests.merchants.ladders.test_tier_policies import set_policy
from tests.merchants.shop import (
    ADMIN,
    ANN,
    ANN_SELF,
    BOB,
    BOOKS,
    BOOKS_STAFF,
    NOW,
    TEA,
    TEA_STAFF,
    Shop,
    cart,
    ladder,
    membership_of,
)

CAROL = derived_id("card", "carol")
NEAR = """query (
  $r: [_Any!]!, $ladder: String, $within: Long, $bps: Int, $first: Int = 20, $a: String
) {
  _entities(representations: $r) { ... on Merchant {
    membersNearTier(ladder: $ladder, within: $within, withinBps: $bps, first: $first, after: $a) {
      nodes { cardId membership { id } tier { name rank progress { remaining nextName } } }
      pageInfo { hasNextPage endCursor }
    }
  } }
}"""
SEGMENTS = """query ($r: [_Any!]!, $segment: Segment!, $at: DateTime) {
  _entities(representations: $r) { ... on Merchant {
    segments { segment members }
    segmentMembers(segment: $segment, at: $at) {
      nodes { cardId segment orders ordersInWindow joinedAt lastOrderAt windowFrom }
    }
  } }
}"""
EVIDENCE = """query ($r: [_Any!]!) {
  _entities(representations: $r) { ... on Membership { wallet { tiers { evaluations {
    nodes { cause figure rankBefore rankAfter windowFrom reference orders { nodes { orderNo } } }
  } } } } }
}"""
TEA_KEY = [{"__typename": "Merchant", "id": TEA}]


async def buy(shop: Shop, card_id: str, *prices: int) -> list[Any]:
    return [
        await shop.place(cart(price, card_id=card_id, membership_id=membership_of(card_id)))
        for price in prices
    ]


async def near(shop: Shop, caller: Any = TEA_STAFF, **given: Any) -> Any:
    data, errors = await shop.ask(NEAR, caller, r=TEA_KEY, **given)
    return errors or data["_entities"][0]["membersNearTier"]


async def three_members(shop: Shop) -> None:
    for card_id in (ANN, BOB, CAROL):
        await shop.join(card_id)
    await buy(shop, ANN, 9_500)
    await buy(shop, BOB, 7_000)
    await buy(shop, CAROL, 100_000)


@pytest.mark.parametrize("window", [TierWindow.LIFETIME, TierWindow.ROLLING_12_MONTHS])
async def test_a_merchant_finds_members_near_the_next_tier(shop: Shop, window: TierWindow) -> None:
    steps = (("银牌", 10_000), ("金牌", 50_000), ("钻石", 100_000))
    await shop.set_ladder(ladder(TierMetric.AMOUNT, *steps, window=window))
    await three_members(shop)

    by_amount = await near(shop, within=500)
    by_part = await near(shop, bps=3_000)
    none = await near(shop, within=499, bps=499)

    assert [node["cardId"] for node in by_amount["nodes"]] == [ANN]
    assert by_amount["nodes"][0]["membership"]["id"] == membership_of(ANN)
    assert by_amount["nodes"][0]["tier"]["progress"] == {"remaining": 500, "nextName": "银牌"}
    assert {node["cardId"] for node in by_part["nodes"]} == {ANN, BOB}
    assert none["nodes"] == []


async def test_near_members_come_in_pages_by_key(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "CHUNK", 1)
    monkeypatch.setattr(members, "LOOKED_AT_MAX", 2)
    await shop.set_ladder(ladder(TierMetric.AMOUNT, ("银牌", 10_000)))
    await three_members(shop)

    seen, after, pages = [], None, 0
    while True:
        page = await near(shop, within=5_000, first=1, a=after)
        seen += [node["cardId"] for node in page["nodes"]]
        pages += 1
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]

    assert sorted(seen) == sorted([ANN, BOB])
    assert pages >= 2


async def test_nobody_else_sees_a_merchants_members(shop: Shop) -> None:
    await shop.set_ladder(ladder(TierMetric.AMOUNT, ("银牌", 10_000)))
    await three_members(shop)

    assert (await near(shop, ADMIN, within=500))["nodes"] != []
    for caller in (BOOKS_STAFF, ANN_SELF, None):
        assert await near(shop, caller, within=500) == ["FORBIDDEN"]
    data, _ = await shop.ask(
        NEAR, BOOKS_STAFF, r=[{"__typename": "Merchant", "id": BOOKS}], within=500
    )
    assert data["_entities"][0]["membersNearTier"]["nodes"] == []


@pytest.mark.parametrize("given", [{}, {"within": -1}, {"bps": 10_001}, {"bps": -1}])
async def test_how_near_is_within_limits(shop: Shop, given: dict[str, int]) -> None:
    assert await near(shop, **given) == ["BAD_USER_INPUT"]


async def test_segments_are_counted_listed_and_explained_at_an_instant(shop: Shop) -> None:
    await three_members(shop)
    [gone] = await buy(shop, BOB, 500)
    shop.pass_time(days=31)
    for card_id in (derived_id("card", "dora"), derived_id("card", "eva")):
        await shop.join(card_id)
    bobs = await shop.database.snapshot(
        lambda connection: connection.exec_driver_sql(
            "SELECT order_id FROM sale WHERE card_id = ?", (BOB,)
        ).all()
    )
    await buy(shop, ANN, 1, 1, 1)
    await shop.refund(gone, "r-1", (0, 1))

    async def ask(segment: str, at: Any = None) -> Any:
        data, errors = await shop.ask(
            SEGMENTS, TEA_STAFF, r=TEA_KEY, segment=segment, at=at and at.isoformat()
        )
        assert not errors
        return data["_entities"][0]

    now = await ask("KEY")
    counted = {each["segment"]: each["members"] for each in now["segments"]}
    before = await ask("LIGHT", NOW + timedelta(days=1))

    assert len(bobs) == 2
    assert counted == {"KEY": 1, "LIGHT": 2, "DORMANT": 0, "ZOMBIE": 0, "NEWCOMER": 2}
    [key] = now["segmentMembers"]["nodes"]
    assert (key["cardId"], key["ordersInWindow"], key["orders"]) == (ANN, 4, 4)
    bob_then = [each for each in before["segmentMembers"]["nodes"] if each["cardId"] == BOB]
    assert bob_then[0]["orders"] == 2
    for segment, count in counted.items():
        listed = (await ask(segment))["segmentMembers"]["nodes"]
        assert len(listed) == count


async def test_a_merchant_sets_where_its_segments_part(shop: Shop) -> None:
    await three_members(shop)
    await set_policy(shop, TierPolicy(segments=SegmentThresholds(1, 12, 30)))
    data, _ = await shop.ask(SEGMENTS, TEA_STAFF, r=TEA_KEY, segment="KEY")
    shop.pass_time(days=400)
    later, _ = await shop.ask(SEGMENTS, TEA_STAFF, r=TEA_KEY, segment="DORMANT")

    assert len(data["_entities"][0]["segmentMembers"]["nodes"]) == 3
    assert len(later["_entities"][0]["segmentMembers"]["nodes"]) == 3


async def test_a_tiers_evidence_names_the_orders_that_it_was_decided_on(shop: Shop) -> None:
    await shop.join()
    rolling = replace(
        ladder(TierMetric.AMOUNT, ("银牌", 10_000)), window=TierWindow.ROLLING_12_MONTHS
    )
    await shop.set_ladder(rolling)
    [first] = await buy(shop, ANN, 6_000)
    shop.pass_time(days=1)
    [second] = await buy(shop, ANN, 5_000)
    shop.pass_time(days=1)
    await shop.refund(second, "r-1", amount=2_000)
    mine = [{"__typename": "Membership", "id": membership_of(ANN), "merchantId": TEA}]

    data, errors = await shop.ask(EVIDENCE, ANN_SELF, r=mine)

    assert not errors
    lost, reached = data["_entities"][0]["wallet"]["tiers"][0]["evaluations"]["nodes"]
    assert (lost["cause"], lost["figure"], lost["reference"]) == ("REFUND", 9_000, "r-1")
    assert (lost["rankBefore"], lost["rankAfter"]) == (1, 0)
    assert (reached["cause"], reached["figure"]) == ("ORDER", 11_000)
    assert reached["reference"] == second.order.id
    assert [each["orderNo"] for each in reached["orders"]["nodes"]] == [
        second.order.order_no,
        first.order.order_no,
    ]
