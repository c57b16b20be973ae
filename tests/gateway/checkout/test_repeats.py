"""Every mutation of the family twice: one effect, one answer; another body is refused."""

from typing import Any

import pytest

from tests.gateway.checkout.tills import Till, yuan
from tests.gateway.checkout.town import Town


async def prepared(till: Till, town: Town, operation: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields of a request that will succeed, and other fields under the same operation."""
    await till.sell(50_000, order_no="no-0")
    cart = till.cart(3_000, points=100)
    version = (await till.ask("quote", {"cart": cart}))["version"]
    if operation == "holdCheckout":
        return {"cart": cart, "quoteVersion": version}, {"cart": cart, "quoteVersion": "other"}
    if operation == "checkout":
        return {"cart": cart, "orderNo": "no-1"}, {"cart": cart, "orderNo": "no-2"}
    if operation == "refundOrder":
        sold = await till.sell(3_000, order_no="no-1", points=100)
        fields = {"orderId": sold["order"]["id"], "refundNo": "r-1"}
        return {**fields, "amount": yuan(1_000)}, {**fields, "amount": yuan(999)}
    held = await till.change("holdCheckout", cart=cart, quoteVersion=version)
    other = await till.change("holdCheckout", cart=till.cart(1), quoteVersion="x")
    assert other["__typename"] == "QuoteStaleRefusal"
    checkout_id = held["checkout"]["id"]
    if operation == "captureCheckout":
        return (
            {"checkoutId": checkout_id, "orderNo": "no-1"},
            {"checkoutId": checkout_id, "orderNo": "no-2"},
        )
    return {"checkoutId": checkout_id}, {"checkoutId": "chk_other"}


async def everything(town: Town) -> list[Any]:
    tables = ["sale", "refund", "coupon"]
    kept = [await town.rows(town.databases[1], f"SELECT * FROM {name}") for name in tables]
    entries = await town.rows(town.databases[0], "SELECT * FROM entry")
    checkouts = await town.rows(town.alliance.database, "SELECT * FROM checkout")
    return [kept, entries, checkouts, await town.standing()]


@pytest.mark.parametrize(
    "operation",
    [
        "holdCheckout",
        "extendCheckout",
        "captureCheckout",
        "releaseCheckout",
        "checkout",
        "refundOrder",
    ],
)
async def test_a_repeat_gets_the_first_answer_and_changes_nothing(
    town: Town, till: Till, operation: str
) -> None:
    fields, other_fields = await prepared(till, town, operation)

    first = await till.change(operation, "same", **fields)
    after_first = await everything(town)
    repeat = await till.change(operation, "same", **fields)
    reused = await till.change(operation, "same", **other_fields)

    assert first["replayed"] is False
    assert repeat == {**first, "replayed": True}
    assert reused["code"] == "REQUEST_ID_REUSED"
    assert await everything(town) == after_first


async def test_a_refusal_is_kept_under_its_request(town: Town, till: Till) -> None:
    cart = till.cart(3_000, points=100)
    refused = await till.change("checkout", "same", cart=cart, orderNo="no-1")
    await till.sell(50_000, order_no="no-0")
    repeat = await till.change("checkout", "same", cart=cart, orderNo="no-1")

    assert refused["code"] == "INSUFFICIENT_POINTS"
    assert repeat == refused


async def test_a_refusal_that_may_change_is_not_kept(town: Town, till: Till) -> None:
    cart = {**till.cart(3_000), "cardId": "card_nobody"}
    refused = await till.change("checkout", "same", cart=cart, orderNo="no-1")
    sold = await till.change("checkout", "same", cart=till.cart(3_000), orderNo="no-1")

    assert (refused["code"], refused["retryable"]) == ("NOT_FOUND", True)
    assert sold["__typename"] == "CheckoutCaptured"


async def test_an_order_sent_again_under_a_new_request_is_the_order_that_stands(
    town: Town, till: Till
) -> None:
    await till.sell(50_000, order_no="no-0")
    first = await till.sell(3_000, order_no="no-1", points=500)
    again = await till.sell(3_000, order_no="no-1", points=500)

    assert again["__typename"] == "CheckoutCaptured"
    assert again["order"] == first["order"]
    standing = await town.standing()
    assert standing.held == 0


async def test_an_order_number_with_another_cart_is_a_conflict(town: Town, till: Till) -> None:
    first = await till.sell(3_000, order_no="no-1")
    other = await till.sell(4_000, order_no="no-1")

    assert other["code"] == "ORDER_CONFLICT"
    assert other["order"]["id"] == first["order"]["id"]
    assert (await town.standing()).available == 30


async def test_a_refund_sent_again_under_a_new_request_is_the_refund_that_stands(
    town: Town, till: Till
) -> None:
    sold = await till.sell(3_000, order_no="no-1")
    fields = {"orderId": sold["order"]["id"], "refundNo": "r-1", "amount": yuan(1_000)}
    first = await till.change("refundOrder", **fields)
    again = await till.change("refundOrder", **fields)
    other = await till.change("refundOrder", **{**fields, "amount": yuan(2)})

    assert again["refund"] == first["refund"]
    assert other["code"] == "REFUND_CONFLICT"
    assert (await town.standing()).available == 20
