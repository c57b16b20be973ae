"""Two merchants, two members, one month, to the minor unit.

The rules are the defaults: 1 point per whole ¥1, a point takes off 1 minor unit, merchants pay 1
minor unit and a fee of 5 % per point earned, and get 1 less 2 % per point spent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.journeys.march import live_march
from tests.journeys.town import JSON, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def march(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[JSON]:
    """Every answer of the month."""
    async with town_at(tmp_path_factory.mktemp("march")) as town:
        yield await live_march(town)


async def test_new_settings_are_a_new_version(march: JSON) -> None:
    assert march["settings"]["version"] == 1
    assert march["configured"]["settings"] == {
        "version": 2,
        "currency": "CNY",
        "timeZone": "Asia/Shanghai",
        "expiry": "MONTHS",
        "effectiveFrom": "2026-03-02T09:00:00Z",
    }


async def test_admins_see_every_merchant_but_the_alliance(march: JSON) -> None:
    people = march["people"]
    nodes = [edge["node"] for edge in march["merchants"]["edges"]]

    assert [(node["id"], node["state"], node["health"]["state"]) for node in nodes] == [
        (people.books, "ACTIVE", "UP"),
        (people.tea, "ACTIVE", "UP"),
    ]
    assert march["settings"]["merchant"]["id"] not in (people.books, people.tea)


async def test_a_merchant_sets_its_own_rules(march: JSON) -> None:
    assert march["ladder"]["ladder"] == {
        "version": 1,
        "metric": "PURCHASE_COUNT",
        "window": "LIFETIME",
        "steps": [
            {"name": "新客", "rank": 1, "threshold": 1, "benefits": []},
            {
                "name": "普通",
                "rank": 2,
                "threshold": 2,
                "benefits": [{"title": "九折", "kind": "PERCENT_OFF"}],
            },
        ],
    }
    assert march["template"]["template"]["minSpend"] == {"amountMinor": 5_000}
    assert march["template"]["template"]["state"] == "ACTIVE"


async def test_who_joins_gets_the_coupon_for_new_members(march: JSON) -> None:
    joined = march["bob joins tea"]

    assert joined["alreadyMember"] is False
    assert joined["member"]["card"]["id"] == march["people"].bob_card
    assert joined["firstOrderCoupon"]["title"] == "新人券"
    assert joined["firstOrderCoupon"]["validUntil"] == "2026-04-01T09:00:00Z"


async def test_a_till_sees_whom_it_serves(march: JSON) -> None:
    identified, people = march["identified"], march["people"]
    wallet = identified["membership"]["wallet"]

    assert identified["member"]["id"] == people.ann
    assert identified["member"]["card"]["points"] == {"available": 0, "debt": 0}
    assert identified["membership"]["merchant"]["id"] == people.tea
    assert (wallet["tier"]["rank"], wallet["tier"]["name"]) == (0, None)
    assert wallet["tier"]["progress"] == {
        "metric": "PURCHASE_COUNT",
        "current": 0,
        "next": 1,
        "nextName": "新客",
        "remaining": 1,
    }
    [coupon] = wallet["coupons"]["nodes"]
    assert coupon["id"] == march["issued"]["coupons"][0]["id"]


async def test_a_quote_says_what_a_coupon_takes_off_and_why(march: JSON) -> None:
    quote, coupon_id = march["quote"], march["issued"]["coupons"][0]["id"]

    assert (quote["list"], quote["anonymousPayable"]) == (
        {"amountMinor": 10_000},
        {"amountMinor": 10_000},
    )
    assert quote["payable"] == {"amountMinor": 9_000, "currency": "CNY"}
    assert quote["pointsToEarn"] == 90
    assert quote["lines"] == [
        {
            "index": 0,
            "list": {"amountMinor": 10_000},
            "payable": {"amountMinor": 9_000},
            "allocations": [{"decisionId": coupon_id, "amount": {"amountMinor": 1_000}}],
        }
    ]
    assert [(each["id"], each["outcome"]) for each in quote["decisions"]] == [
        (coupon_id, "APPLIED")
    ]


async def test_a_held_checkout_is_extended_and_captured(march: JSON) -> None:
    held, extended, captured = march["held"], march["extended"], march["captured"]

    assert (held["checkout"]["state"], held["checkout"]["payable"]) == (
        "HELD",
        {"amountMinor": 9_000},
    )
    assert extended["checkout"]["id"] == held["checkout"]["id"]
    assert extended["checkout"]["expiresAt"] > held["checkout"]["expiresAt"]
    assert captured["order"]["orderNo"] == "T-1"
    assert captured["order"]["payable"] == {"amountMinor": 9_000}
    assert captured["order"]["pointsEarned"] == 90
    assert captured["card"]["points"] == {"available": 90, "pending": 0, "held": 0, "debt": 0}
    assert captured["membership"]["wallet"]["tier"] == {"name": "新客", "rank": 1}


async def test_points_of_one_merchant_pay_at_another(march: JSON) -> None:
    sold = march["sold"]

    assert sold["order"]["payable"] == {"amountMinor": 20_000 - 50}
    assert sold["order"]["pointsEarned"] == 199
    assert sold["card"]["points"] == {"available": 90 - 50 + 199, "debt": 0}
    assert march["released"]["checkout"]["state"] == "RELEASED"


async def test_a_refund_does_what_its_preview_said(march: JSON) -> None:
    terms, refunded = dict(march["terms"]), march["refunded"]
    refund = dict(refunded["refund"])

    assert terms.pop("__typename") == "RefundTerms"
    assert terms == {
        "cash": {"amountMinor": 3_000},
        "pointsReturned": 0,
        "coinsReturned": {"amountMinor": 0},
        "pointsClawedBack": 30,
        "debtCreated": 0,
        "couponOutcome": "KEPT",
    }
    assert (refund.pop("refundNo"), bool(refund.pop("id"))) == ("R-1", True)
    assert refund == terms
    assert refunded["order"]["state"] == "PARTIALLY_REFUNDED"
    assert refunded["card"]["points"] == {"available": 209, "debt": 0}


async def test_the_member_sees_one_card_and_every_merchant(march: JSON) -> None:
    card, people = march["card"], march["people"]

    assert card["id"] == people.ann_card
    assert card["points"] == {
        "available": 209,
        "held": 0,
        "pending": 0,
        "debt": 0,
        "expiring": [{"on": "2027-03-31", "points": 209}],
    }
    tiers = {
        each["merchant"]["id"]: (
            each["wallet"]["tier"]["name"],
            each["wallet"]["tier"]["progress"]["current"],
            each["wallet"]["coupons"]["nodes"],
        )
        for each in card["memberships"]["nodes"]
    }
    assert tiers == {people.books: ("银牌", 19_950, []), people.tea: ("新客", 1, [])}


async def test_the_history_tells_the_balance_behind_each_booking(march: JSON) -> None:
    nodes = [edge["node"] for edge in march["history"]["edges"]]

    assert [
        (each["kind"], each["points"], each["orderNo"], each["balanceAfter"]["points"])
        for each in nodes
    ] == [
        ("CLAW_BACK", -30, "T-1", 209),
        ("EARN", 199, "B-1", 239),
        ("BURN", -50, "B-1", 40),
        ("EARN", 90, "T-1", 90),
    ]
    assert march["history"]["pageInfo"]["hasNextPage"] is False
    [bobs] = march["bobs history"]["entries"]["edges"]
    assert (bobs["node"]["points"], bobs["node"]["balanceAfter"]["points"]) == (300, 300)


async def test_member_and_merchant_see_the_same_orders(march: JSON) -> None:
    mine = [edge["node"] for edge in march["my orders"]["wallet"]["orders"]["edges"]]
    theirs = [edge["node"] for edge in march["orders"]["orders"]["edges"]]

    assert [(each["orderNo"], each["state"], each["pointsEarned"]) for each in mine] == [
        ("T-1", "PARTIALLY_REFUNDED", 90)
    ]
    assert {each["orderNo"]: each["payable"]["amountMinor"] for each in theirs} == {
        "B-2": 30_000,
        "B-1": 19_950,
    }


async def test_a_period_proves_itself(march: JSON) -> None:
    """tea −90 −5 +30 +2; books −199 −300 −10 −15 +50 −1; the alliance keeps 5+10+15+1−2."""
    period = march["period"]
    nets = {
        each["merchant"]["id"]: each["net"]["amountMinor"] for each in period["statements"]["nodes"]
    }

    assert nets == {march["people"].tea: -63, march["people"].books: -475}
    assert period["alliance"] == {"amountMinor": 29}
    assert period["pool"] == {
        "opening": {"amountMinor": 0},
        "closing": {"amountMinor": 509},
        "backing": {"amountMinor": 509},
        "balanced": True,
    }
    assert sum(nets.values()) + 29 + 509 == 0
    assert period["zeroSum"] is True
    assert (period["from"], period["to"]) == ("2026-02-28T16:00:00Z", "2026-03-31T16:00:00Z")


async def test_closing_changes_no_figure(march: JSON) -> None:
    before, after = dict(march["open period"]), dict(march["period"])

    assert march["too early"]["code"] == "PERIOD_NOT_CLOSABLE"
    assert (before.pop("state"), after.pop("state")) == ("OPEN", "CLOSED")
    assert before.pop("journalHash") is None
    journal_hash = after.pop("journalHash")
    assert len(journal_hash) == 64
    assert march["closed"]["period"]["journalHash"] == journal_hash
    assert before == after
    assert [each["state"] for each in march["periods"]["nodes"]] == ["OPEN", "CLOSED"]


async def test_every_unit_of_a_statement_leads_to_its_events(march: JSON) -> None:
    entries = [edge["node"] for edge in march["entries"]["statement"]["entries"]["edges"]]

    assert [
        (each["kind"], each["points"], each["amount"]["amountMinor"], each["orderNo"])
        for each in entries
    ] == [("ISSUE", -90, -90, "T-1"), ("ISSUE_FEE", 0, -5, "T-1"), ("CLAW_BACK", 30, 32, "T-1")]
    assert {each["ruleVersion"] for each in entries} == {1}
    [rule] = march["rules"]["nodes"]
    assert (rule["version"], rule["issuePrice"], rule["redeemPrice"]) == (1, "1", "1")


async def test_a_merchant_reads_its_own_statement(march: JSON) -> None:
    [listed] = march["my statements"]["statements"]["nodes"]
    statement = march["my statement"]["statement"]

    assert listed["net"] == statement["net"] == {"amountMinor": -63}
    assert statement["period"]["state"] == "CLOSED"
    assert [
        (each["kind"], each["points"], each["amount"]["amountMinor"], each["count"])
        for each in statement["lines"]
    ] == [("ISSUE", -90, -90, 1), ("ISSUE_FEE", 0, -5, 1), ("CLAW_BACK", 30, 32, 1)]
