"""What a merchant may still sell as it is suspended, or leaves."""

import dataclasses

import pytest

from gateway.directory.entries import MerchantState, StoreState
from tests.gateway.checkout.tills import Till, yuan
from tests.gateway.checkout.town import Town


def become(town: Town, state: MerchantState) -> None:
    directory = town.alliance.directory
    merchant = directory.merchant(town.names.tea)
    assert merchant is not None
    directory.put_merchant(
        dataclasses.replace(merchant, state=state), version=directory.version + 100
    )


@pytest.mark.parametrize("state", [MerchantState.SUSPENDED, MerchantState.LEFT])
async def test_a_suspended_merchant_sells_nothing_but_what_was_paid_stands(
    town: Town, till: Till, state: MerchantState
) -> None:
    sold = await till.sell(10_000, order_no="no-0")
    held = await till.hold(till.cart(5_000, points=50))
    become(town, state)

    refused = await till.sell(1_000, order_no="no-2")
    captured = await till.change(
        "captureCheckout", checkoutId=held["checkout"]["id"], orderNo="no-1"
    )
    refunded = await till.change(
        "refundOrder", orderId=sold["order"]["id"], refundNo="r-1", amount=yuan(100)
    )

    assert (refused["code"], refused["merchant"]) == (
        "MERCHANT_NOT_ACTIVE",
        {"id": town.names.tea},
    )
    assert captured["__typename"] == "CheckoutCaptured"
    assert refunded["__typename"] == "OrderRefunded"


async def test_a_merchant_on_its_way_out_takes_points_and_gives_none(
    town: Town, till: Till
) -> None:
    await till.sell(10_000, order_no="no-0")
    become(town, MerchantState.WINDING_DOWN)
    sold = await till.sell(5_000, order_no="no-1", points=60)

    assert sold["__typename"] == "CheckoutCaptured"
    assert (await town.standing()).available == 40


async def test_a_closed_store_sells_nothing(town: Town, till: Till) -> None:
    directory = town.alliance.directory
    store = directory.store(town.names.tea_shop)
    assert store is not None
    directory.put_store(dataclasses.replace(store, state=StoreState.CLOSED))

    refused = await till.sell(1_000, order_no="no-1")

    assert [problem["field"] for problem in refused["problems"]] == ["cart.storeId"]
