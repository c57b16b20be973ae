"""A mutation sent again: the first answer, and one effect. Every mutation is in the table."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from graphql import build_schema

from tests.journeys.answers import word_of
from tests.journeys.inputs import STATEMENT_STEPS
from tests.journeys.place import Place, furnish
from tests.journeys.requests import SENDERS, variables_of
from tests.journeys.town import cny, line, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

COPIES = 20
MONTH_AND_A_DAY = timedelta(days=32)
SCHEMA = build_schema(Path("schema.graphql").read_text(encoding="utf-8"))
CHANGES: dict[str, dict[str, Any]] = {
    "join": {"consents": ["PROFILE"]},
    "configureAlliance": {"pointsCapBps": 4_000},
    "admitMerchant": {"name": "别名"},
    "openStore": {"channel": "WEB_SHOP"},
    "changeMerchantState": {"state": "ACTIVE"},
    "closePeriod": {"periodId": "per_another"},
    "grantCoins": {"amount": cny(2)},
    "proposeSettlementRule": {"issueFeeBps": 300},
    "approveSettlementRule": {"ruleId": "rule_another"},
    "resumeMessage": {"discard": True},
    "confirmStatement": {"periodId": "per_another"},
    "disputeStatement": {"reason": "another"},
    "resolveDispute": {"adjustment": cny(-2)},
    "recordPayment": {"reference": "another"},
    "recordDeposit": {"amount": cny(2)},
    "returnDeposit": {"reason": "anders"},
    "holdCheckout": {"quoteVersion": "another"},
    "extendCheckout": {"checkoutId": "chk_another"},
    "captureCheckout": {"orderNo": "another"},
    "releaseCheckout": {"checkoutId": "chk_another"},
    "checkout": {"orderNo": "another"},
    "refundOrder": {"amount": cny(2)},
    "setTierLadder": {"window": "CALENDAR_YEAR"},
    "createCouponTemplate": {"title": "另一种"},
    "issueCoupons": {"cardIds": []},
    "setCouponTemplateState": {"state": "ENDED"},
    "voidCoupons": {"reason": "另一个理由"},
    "shareCoupon": {"couponId": "cpn_another"},
    "takeBackCoupon": {"couponId": "cpn_another"},
    "claimCoupon": {"shareCode": "shr_another"},
    "setPromotion": {"title": "另一个"},
    "setPricingPolicy": {"discountCapBps": 8_000},
    "setTierPolicy": {"combination": "ALL"},
    "setAllianceWeights": {"weights": []},
    "setGrowthTask": {"growth": 6},
    "recordTask": {"reference": "another"},
    "setPaidPlan": {"months": 6},
    "sellPaidMembership": {"code": "ANOTHER"},
    "refundPaidMembership": {"paidMembershipId": "pam_another"},
    "resumeEvent": {"eventId": "evt_another"},
    "requestVerificationCode": {"credential": {"email": "another@example.com"}},
    "linkIdentity": {"credential": {"email": "another@example.com"}},
    "setConsent": {"granted": False},
    "replaceCard": {"reason": "another"},
    "freezeMember": {"reason": "another"},
    "mergeMembers": {"mergedId": "mem_another"},
    "unmergeMembers": {"mergedId": "mem_another"},
    "eraseMember": {"forfeit": False},
}
"""Another body of each mutation."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with town_at(tmp_path_factory.mktemp("repeats")) as town:
        yield await furnish(town)


async def test_every_mutation_is_in_the_table() -> None:
    assert SCHEMA.mutation_type is not None
    assert set(CHANGES) == set(SCHEMA.mutation_type.fields)


@pytest.mark.parametrize("field", sorted(CHANGES))
async def test_a_repeat_gets_the_first_answer_and_changes_nothing(place: Place, field: str) -> None:
    given = await _input(place, field)

    first = await _send(place, field, given)
    after_first = place.town.dump()
    again = await _send(place, field, given)

    assert first["replayed"] is False
    assert _timeless(again) == _timeless({**first, "replayed": True})
    assert place.town.dump() == after_first


@pytest.mark.parametrize("field", sorted(CHANGES))
async def test_another_body_under_a_used_request_id_is_refused(place: Place, field: str) -> None:
    given = await _input(place, field)
    await _send(place, field, given)
    before = place.town.dump()

    answer = await _send(place, field, {**given, **CHANGES[field]})

    assert answer["code"] == "REQUEST_ID_REUSED"
    assert place.town.dump() == before


@pytest.mark.parametrize("field", sorted(CHANGES))
async def test_twenty_copies_at_once_have_one_effect(place: Place, field: str) -> None:
    await _send(place, field, await _input(place, field))  # Makes the rows that hold totals.
    once = await _input(place, field)
    before = _row_counts(place)
    await _send(place, field, once)
    effect_of_one = _row_counts(place) - before
    twenty = await _input(place, field)

    before = _row_counts(place)
    answers = await asyncio.gather(*(_send(place, field, twenty) for _ in range(COPIES)))

    effect = _row_counts(place) - before
    words = Counter(word_of({"data": {field: answer}}) for answer in answers)
    assert set(words) <= {"ok", "REQUEST_IN_PROGRESS"}, words
    done = [answer for answer in answers if "replayed" in answer]
    assert Counter(answer["replayed"] for answer in done)[False] == 1
    assert len({_timeless({**answer, "replayed": True}) for answer in done}) == 1
    assert effect == effect_of_one
    last = await _send(place, field, twenty)
    assert last["replayed"] is True
    assert _timeless(last) == _timeless({**done[0], "replayed": True})


async def test_a_request_id_is_the_callers_own(place: Place) -> None:
    people, town = place.people, place.town
    given = {"requestId": "shared", "orderNo": "shared"}
    sold = [
        await town.change(
            "Checkout",
            town.merchant(merchant_id),
            **given,
            cart={"storeId": store_id, "lines": [line(1_000)]},
        )
        for merchant_id, store_id in (
            (people.tea, people.tea_shop),
            (people.books, people.books_shop),
        )
    ]

    assert [answer["replayed"] for answer in sold] == [False, False]
    assert sold[0]["order"]["id"] != sold[1]["order"]["id"]


async def test_an_order_number_sells_once_whatever_the_request_id(place: Place) -> None:
    given = {**await _input(place, "checkout"), "orderNo": "natural-1"}
    first = await _send(place, "checkout", given)
    before = _without_requests(place)

    same = await _send(place, "checkout", {**given, "requestId": "natural-2"})
    other_cart = {**place.cart(), "lines": [line(1_000, quantity=3)]}
    other = await _send(place, "checkout", {**given, "cart": other_cart, "requestId": "natural-3"})

    assert same["order"]["id"] == first["order"]["id"]
    assert same["card"]["points"] == first["card"]["points"]
    assert other["code"] == "ORDER_CONFLICT"
    after = _without_requests(place)
    for table in ("merchants.db:sale", "ledger.db:entry", "ledger.db:lot"):
        assert after[table] == before[table]


async def test_a_refund_number_refunds_once_whatever_the_request_id(place: Place) -> None:
    given = {**await _input(place, "refundOrder"), "refundNo": "natural-r"}
    first = await _send(place, "refundOrder", given)
    before = _without_requests(place)

    same = await _send(place, "refundOrder", {**given, "requestId": "natural-4"})
    other = await _send(place, "refundOrder", {**given, "amount": cny(2), "requestId": "natural-5"})

    assert same["refund"] == first["refund"]
    assert other["code"] == "REFUND_CONFLICT"
    assert _without_requests(place) == before


async def _input(place: Place, field: str) -> dict[str, Any]:
    """A request that nobody sent yet, and that succeeds."""
    given: dict[str, Any] = (await variables_of(place, field))["input"]
    if field == "closePeriod":
        given["periodId"] = await _ended_period(place)
    if field in STATEMENT_STEPS:
        given["periodId"] = await _closed_period(place)
    before = {"resolveDispute": "disputeStatement", "recordPayment": "confirmStatement"}.get(field)
    if before is not None:
        of_period = (await variables_of(place, before))["input"]
        await _send(place, before, of_period | {"periodId": given["periodId"]})
    return given


async def _closed_period(place: Place) -> str:
    """Id of a period that was closed a moment ago."""
    period_id = await _ended_period(place)
    request = {"requestId": place.town.request_id(), "periodId": period_id}
    assert "period" in await _send(place, "closePeriod", request)
    return period_id


async def _ended_period(place: Place) -> str:
    """Id of the oldest open period, which can be closed."""
    town = place.town
    await place.sold()
    town.gateway.clock.set(town.gateway.clock.now() + MONTH_AND_A_DAY)
    periods = (await town.query("Periods", town.admin))["nodes"]
    return str([each["id"] for each in periods if each["state"] == "OPEN"][-1])


async def _send(place: Place, field: str, given: dict[str, Any]) -> Any:
    operation, caller = SENDERS[field]
    return await place.town.query(operation, place.token(caller) or "", input=given)


def _timeless(answer: dict[str, Any]) -> str:
    """The answer as text, without what is counted in real seconds."""
    told = json.loads(json.dumps(answer))
    if "checkout" in told:
        told["checkout"].pop("expiresAt", None)
    return json.dumps(told, sort_keys=True)


def _row_counts(place: Place) -> Counter[str]:
    return Counter({table: len(rows) for table, rows in place.town.dump().items()})


def _without_requests(place: Place) -> dict[str, list[str]]:
    return {
        table: rows for table, rows in place.town.dump().items() if not table.endswith(":request")
    }


async def test_a_refusal_stays_when_points_come_later(place: Place) -> None:
    town, people = place.town, place.people
    _, card_id = await town.join(people.tea, people.tea_shop, phone=place.phone())
    cart = {**place.cart(), "cardId": card_id, "points": 5}
    given = {"requestId": town.request_id(), "cart": cart, "orderNo": town.request_id()}

    refused = await _send(place, "checkout", given)
    await town.sell(people.tea, people.tea_shop, town.request_id(), 1_000, cardId=card_id)
    again = await _send(place, "checkout", given)
    anew = await _send(place, "checkout", {**given, "requestId": town.request_id()})

    assert (refused["code"], refused["retryable"]) == ("INSUFFICIENT_POINTS", False)
    assert again == refused
    assert anew["order"]["payable"]["amountMinor"] == 1_000 - 5


async def test_a_refusal_that_time_turns_is_not_kept(place: Place) -> None:
    town = place.town
    town.gateway.clock.set(town.gateway.clock.now() + MONTH_AND_A_DAY)
    await place.sold()
    period, *older = (await town.query("Periods", town.admin))["nodes"]
    for each in reversed([each for each in older if each["state"] == "OPEN"]):
        request = {"requestId": town.request_id(), "periodId": each["id"]}
        assert "period" in await _send(place, "closePeriod", request)
    given = {"requestId": town.request_id(), "periodId": period["id"]}
    document = (
        "mutation($input: ClosePeriodInput!) { closePeriod(input: $input) "
        "{ ... on Refusal { code retryable } ... on PeriodClosed { replayed } } }"
    )

    answers = []
    for wait in (timedelta(0), MONTH_AND_A_DAY * 2):
        town.gateway.clock.set(town.gateway.clock.now() + wait)
        data = await town.gateway.data(document, token=town.admin, input=given)
        answers.append(data["closePeriod"])

    assert answers[0] == {"code": "PERIOD_NOT_CLOSABLE", "retryable": True}
    assert answers[1] == {"replayed": False}
