"""Every refusal of the family, reached through GraphQL."""

from typing import Any

from tests.gateway.checkout.tills import Till, yuan
from tests.gateway.checkout.town import Town


async def test_a_quote_that_aged_is_stale_and_told_anew(town: Town, till: Till) -> None:
    cart = till.cart(5_000)
    quote = await till.ask("quote", {"cart": cart})
    await town.coupon(1_000)
    refused = await till.change("holdCheckout", cart=cart, quoteVersion=quote["version"])

    assert refused["code"] == "QUOTE_STALE"
    assert refused["quote"]["payable"]["amountMinor"] == 4_000
    held = await till.change("holdCheckout", cart=cart, quoteVersion=refused["quote"]["version"])
    assert held["__typename"] == "CheckoutHeld"


async def test_points_that_the_card_lacks_are_refused(town: Town, till: Till) -> None:
    await till.sell(10_000, order_no="no-0")
    refused = await till.sell(5_000, order_no="no-1", points=101)

    assert (refused["code"], refused["available"], refused["requested"]) == (
        "INSUFFICIENT_POINTS",
        100,
        101,
    )


async def test_coins_that_the_card_lacks_are_refused(town: Town, till: Till) -> None:
    await town.grant_coins(50)
    refused = await till.sell(5_000, order_no="no-1", coins=yuan(51))

    assert refused["code"] == "INSUFFICIENT_COINS"
    assert refused["availableCoins"] == {"amountMinor": 50}
    assert refused["requestedCoins"] == {"amountMinor": 51}


async def test_points_cannot_be_spent_while_points_are_owed(town: Town, till: Till) -> None:
    sold = await till.sell(10_000, order_no="no-0")
    await till.sell(1_000, order_no="no-1", points=100)
    refund = {"orderId": sold["order"]["id"], "refundNo": "r-1"}
    refunded = await till.change("refundOrder", **refund, lines=[{"lineIndex": 0, "quantity": 1}])
    owed = refunded["refund"]["debtCreated"]
    refused = await till.sell(5_000, order_no="no-2", points=1)

    assert owed > 0
    assert (refused["code"], refused["debt"]) == ("DEBT_OPEN", owed)


async def test_a_frozen_member_buys_nothing_but_what_was_paid_stands(
    town: Town, till: Till
) -> None:
    sold = await till.sell(10_000, order_no="no-0")
    held = await till.hold(till.cart(5_000, points=50))
    await town.freeze("ann")

    refusals = [
        await till.ask("quote", {"cart": till.cart(5_000)}),
        await till.sell(5_000, order_no="no-2"),
    ]
    captured = await till.change(
        "captureCheckout", checkoutId=held["checkout"]["id"], orderNo="no-1"
    )
    refunded = await till.change(
        "refundOrder", orderId=sold["order"]["id"], refundNo="r-1", amount=yuan(100)
    )

    assert {refused["code"] for refused in refusals} == {"MEMBER_FROZEN"}
    assert captured["__typename"] == "CheckoutCaptured"
    assert refunded["__typename"] == "OrderRefunded"


async def test_a_card_that_has_not_joined_the_merchant_is_told_so(town: Town, till: Till) -> None:
    await town.join("bob", town.names.books)
    refused = await till.ask("quote", {"cart": till.cart(5_000, card="bob")})

    assert refused["code"] == "INVALID_INPUT"
    assert [problem["field"] for problem in refused["problems"]] == ["cart.cardId"]


async def test_every_fault_of_an_input_is_told_at_once(town: Town, till: Till) -> None:
    cart = till.cart(5_000, points=-1, shipping={"amountMinor": 1, "currency": "USD"})
    refused = await till.change("checkout", cart=cart, orderNo="")

    assert [problem["field"] for problem in refused["problems"]] == [
        "cart.points",
        "cart.shipping.currency",
        "orderNo",
    ]


async def test_another_merchants_stores_checkouts_and_orders_are_not_found(
    town: Town, till: Till
) -> None:
    sold = await till.sell(1_000, order_no="no-1")
    held = await till.hold(till.cart(5_000))
    stranger = Till(town, town.till(town.names.books))
    checkout_id, order_id = held["checkout"]["id"], sold["order"]["id"]
    lines = [{"lineIndex": 0, "quantity": 1}]

    asked: list[tuple[Any, str]] = [
        (await stranger.ask("quote", {"cart": till.cart(1)}), town.names.tea_shop),
        (
            await stranger.change("captureCheckout", checkoutId=checkout_id, orderNo="x"),
            checkout_id,
        ),
        (await stranger.change("releaseCheckout", checkoutId=checkout_id), checkout_id),
        (await stranger.change("extendCheckout", checkoutId=checkout_id), checkout_id),
        (
            await stranger.change("refundOrder", orderId=order_id, refundNo="r", lines=lines),
            order_id,
        ),
        (await stranger.ask("refundPreview", {"orderId": order_id, "lines": lines}), order_id),
    ]

    assert [(answer["code"], answer["id"]) for answer, _ in asked] == [
        ("NOT_FOUND", expected) for _, expected in asked
    ]


async def test_a_till_bound_to_a_store_sells_and_refunds_there_alone(
    town: Town, till: Till
) -> None:
    sold = await till.sell(1_000, order_no="no-1")
    bound = Till(town, town.till(store_id=town.names.tea_web))
    lines = [{"lineIndex": 0, "quantity": 1}]
    refund = {"orderId": sold["order"]["id"], "refundNo": "r-1", "lines": lines}

    assert (await bound.sell(1, order_no="no-2"))["id"] == town.names.tea_shop
    assert (await bound.change("refundOrder", **refund))["code"] == "NOT_FOUND"
    own = await bound.sell(1, order_no="no-2", storeId=town.names.tea_web)
    assert own["__typename"] == "CheckoutCaptured"


async def test_more_than_the_order_holds_is_not_refunded(town: Town, till: Till) -> None:
    sold = await till.sell(1_000, order_no="no-1")
    fields = {"orderId": sold["order"]["id"], "amount": yuan(1_001)}
    refused = await till.change("refundOrder", refundNo="r-1", **fields)

    assert refused["code"] == "REFUND_EXCEEDS_ORDER"
    assert refused["refundable"] == {"amountMinor": 1_000}


async def test_an_anonymous_buyer_buys_and_brings_back(town: Town, till: Till) -> None:
    sold = await till.sell(1_000, order_no="no-1", card=None)
    refunded = await till.change(
        "refundOrder",
        orderId=sold["order"]["id"],
        refundNo="r-1",
        lines=[{"lineIndex": 0, "quantity": 1}],
    )

    assert (sold["card"], sold["membership"]) == (None, None)
    assert refunded["refund"]["cash"] == {"amountMinor": 1_000}
    assert refunded["card"] is None
