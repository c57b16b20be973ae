"""What a client hears when a backend or the ledger is down, and what is left afterwards."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from graphql import graphql

from kernel.database import DatabaseUnavailable, Overloaded
from tests.gateway.checkout.tills import DOCUMENTS, Till
from tests.gateway.checkout.town import Town


class Flaky:
    """Passes calls on, but those named fail; `acts` lets them act before they fail."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole
        self.failing: set[str] = set()
        self.acts = False
        self.error: Exception = DatabaseUnavailable("out of order")

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._whole, name)
        if name not in self.failing:
            return method

        async def fail(*args: Any, **kwargs: Any) -> None:
            if self.acts:
                await method(*args, **kwargs)
            raise self.error

        return fail


@pytest.fixture
def backend(town: Town) -> Flaky:
    return _made_flaky(town, "backend")


@pytest.fixture
def ledger(town: Town) -> Flaky:
    return _made_flaky(town, "ledger")


def _made_flaky(town: Town, part: str) -> Flaky:
    flaky = Flaky(getattr(town.desk, part))
    desk = dataclasses.replace(town.desk, **{part: flaky})
    town.desk = town.alliance.desk = town.alliance.sweepers._desk = desk
    return flaky


async def code_of(town: Town, operation: str, variables: dict[str, Any]) -> str:
    result = await graphql(
        town.alliance.schema.executable,
        DOCUMENTS[operation],
        context_value=town.alliance.context_for(town.till()),
        variable_values=variables,
    )
    [error] = result.errors or []
    return str((error.extensions or {})["code"])


@pytest.mark.parametrize("acts", [False, True], ids=["call lost", "answer lost"])
@pytest.mark.parametrize("call", ["place", "record", "capture_order"])
async def test_a_sale_that_is_not_answered_is_in_progress_until_it_is(
    town: Town, till: Till, backend: Flaky, ledger: Flaky, call: str, acts: bool
) -> None:
    cart = till.cart(12_345)
    for flaky in (backend, ledger):
        flaky.failing, flaky.acts = {call}, acts
    silent = await till.change("checkout", "sale", cart=cart, orderNo="no-1")
    for flaky in (backend, ledger):
        flaky.failing = set()
    answered = await till.change("checkout", "sale", cart=cart, orderNo="no-1")

    assert (silent["code"], silent["retryable"]) == ("REQUEST_IN_PROGRESS", True)
    assert answered["__typename"] == "CheckoutCaptured"
    assert (await town.standing()).available == 123


async def test_a_sweeper_finishes_what_was_not_answered(
    town: Town, till: Till, backend: Flaky
) -> None:
    backend.failing = {"place"}
    await till.change("checkout", "sale", cart=till.cart(12_345), orderNo="no-1")
    await town.sweepers.run_once()
    before = (await town.standing()).available
    backend.failing = set()
    await asyncio.gather(*(town.sweepers.run_once() for _ in range(3)))

    assert (before, (await town.standing()).available) == (0, 123)


async def test_a_hold_that_fails_half_way_holds_nothing_in_the_end(
    town: Town, till: Till, ledger: Flaky
) -> None:
    await till.sell(50_000, order_no="no-0")
    coupon_id = await town.coupon(1_000)
    cart = till.cart(5_000, couponIds=[coupon_id], points=400)
    quote = await till.ask("quote", {"cart": cart})
    fields = {"requestId": "hold", "cart": cart, "quoteVersion": quote["version"]}
    ledger.failing, ledger.acts = {"hold"}, True
    code = await code_of(town, "holdCheckout", {"input": fields})
    ledger.failing = set()
    await town.sweepers.run_once()

    coupons = await town.rows(town.databases[1], "SELECT state FROM coupon")
    assert code == "SUBGRAPH_UNAVAILABLE"
    assert coupons == [("ISSUED",)]
    assert (await town.standing()).available == 500
    held = await till.change("holdCheckout", "hold", cart=cart, quoteVersion=quote["version"])
    assert held["__typename"] == "CheckoutHeld"


async def test_overload_is_told_as_such(town: Town, till: Till, backend: Flaky) -> None:
    backend.failing, backend.error = {"price"}, Overloaded("too much")

    assert await code_of(town, "quote", {"cart": till.cart(1)}) == "OVERLOADED"


async def test_a_refund_that_is_not_answered_is_in_progress_until_it_is(
    town: Town, till: Till, ledger: Flaky
) -> None:
    sold = await till.sell(10_000, order_no="no-1")
    fields = {
        "orderId": sold["order"]["id"],
        "refundNo": "r-1",
        "lines": [{"lineIndex": 0, "quantity": 1}],
    }
    ledger.failing = {"apply_refund"}
    silent = await till.change("refundOrder", "refund", **fields)
    ledger.failing = set()
    await town.sweepers.run_once()
    swept = (await town.standing()).available
    answered = await till.change("refundOrder", "refund", **fields)

    assert silent["code"] == "REQUEST_IN_PROGRESS"
    assert swept == 0
    assert answered["refund"]["pointsClawedBack"] == 100


async def test_a_refund_of_a_sale_that_was_not_booked_yet_books_the_sale_first(
    town: Town, till: Till, ledger: Flaky
) -> None:
    ledger.failing = {"capture_order"}
    await till.change("checkout", "sale", cart=till.cart(10_000), orderNo="no-1")
    ledger.failing = set()
    [(order_id,)] = await town.rows(town.databases[1], "SELECT order_id FROM sale")
    refunded = await till.change(
        "refundOrder",
        orderId=order_id,
        refundNo="r-1",
        lines=[{"lineIndex": 0, "quantity": 1}],
    )

    assert refunded["refund"]["pointsClawedBack"] == 100
    assert (await town.standing()).available == 0


async def test_no_event_is_passed_before_it_is_applied(
    town: Town, till: Till, backend: Flaky
) -> None:
    await till.sell(1_000, order_no="no-1")
    await town.sweepers.run_once()
    backend.failing = {"record"}
    await till.change("checkout", "sale", cart=till.cart(2_000), orderNo="no-2")
    await town.sweepers.run_once()
    waiting = await town.rows(town.alliance.database, "SELECT cursor FROM event_cursor")
    backend.failing = set()
    await town.sweepers.run_once()
    passed = await town.rows(town.alliance.database, "SELECT cursor FROM event_cursor")

    [(last,)] = await town.rows(town.databases[1], "SELECT max(cursor) FROM outbox")
    assert waiting[0][0] < passed[0][0] == last
    assert await town.rows(town.alliance.database, "SELECT * FROM applied_event") == []


async def test_sweepers_run_in_the_background_until_stopped(town: Town, till: Till) -> None:
    await till.sell(1_000, order_no="no-1")
    town.sweepers.start()
    for _ in range(500):
        if await town.rows(town.alliance.database, "SELECT cursor FROM event_cursor"):
            break
        await asyncio.sleep(0.01)
    await town.sweepers.stop()

    [(cursor,)] = await town.rows(town.alliance.database, "SELECT cursor FROM event_cursor")
    assert cursor > 0
