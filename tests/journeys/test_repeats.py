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
from tests.journeys.place import Place, furnish, variables_of
from tests.journeys.town import cny, line, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

COPIES = 20
MONTH_AND_A_DAY = timedelta(days=32)
SCHEMA = build_schema(Path("schema.graphql").read_text(encoding="utf-8"))
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "join": ("Join", "tea", {"consents": ["PROFILE"]}),
    "configureAlliance": ("ConfigureAlliance", "admin", {"pointsCapBps": 4_000}),
    "admitMerchant": ("AdmitMerchant", "admin", {"name": "别名"}),
    "openStore": ("OpenStore", "admin", {"channel": "WEB_SHOP"}),
    "closePeriod": ("ClosePeriod", "admin", {"periodId": "per_another"}),
    "holdCheckout": ("HoldCheckout", "tea", {"quoteVersion": "another"}),
    "extendCheckout": ("ExtendCheckout", "tea", {"checkoutId": "chk_another"}),
    "captureCheckout": ("CaptureCheckout", "tea", {"orderNo": "another"}),
    "releaseCheckout": ("ReleaseCheckout", "tea", {"checkoutId": "chk_another"}),
    "checkout": ("Checkout", "tea", {"orderNo": "another"}),
    "refundOrder": ("RefundOrder", "tea", {"amount": cny(2)}),
    "setTierLadder": ("SetTierLadder", "tea", {"window": "CALENDAR_YEAR"}),
    "createCouponTemplate": ("CreateCouponTemplate", "tea", {"title": "另一种"}),
    "issueCoupons": ("IssueCoupons", "tea", {"cardIds": []}),
}
"""Operation, caller and another body, by mutation."""


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

    answer = await _send(place, field, {**given, **CHANGES[field][2]})

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
    return given


async def _ended_period(place: Place) -> str:
    """Id of the oldest open period, which can be closed."""
    town = place.town
    await place.sold()
    town.gateway.clock.set(town.gateway.clock.now() + MONTH_AND_A_DAY)
    periods = (await town.query("Periods", town.admin))["nodes"]
    return str([each["id"] for each in periods if each["state"] == "OPEN"][-1])


async def _send(place: Place, field: str, given: dict[str, Any]) -> Any:
    operation, caller, _ = CHANGES[field]
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
