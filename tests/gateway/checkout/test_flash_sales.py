"""Flash sales through checkouts: units are held, sold once, and given back."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from merchants.promotions.promotions_sql import read_promotion
from merchants.promotions.setting import set_promotion
from merchants.promotions.terms import PromotionKind, PromotionTerms
from tests.gateway.checkout.tills import Till
from tests.gateway.checkout.town import Town


async def flash(town: Town, stock: int) -> str:
    """Id of a new sale of `sku-0` for 10.00 at the tea merchant."""
    now = town.clock.now()
    terms = PromotionTerms(
        title="秒杀",
        kind=PromotionKind.FLASH_SALE,
        starts_at=now,
        ends_at=now + timedelta(days=1),
        price_minor=1_000,
        skus=("sku-0",),
        stock=stock,
    )

    def work(connection: Any) -> str:
        made_id, _ = set_promotion(
            connection,
            terms,
            merchant_id=town.names.tea,
            promotion_id=None,
            now=now,
            ids=town.desk.ids,
        )
        return made_id

    return await town.backend.database.transaction(work)


async def left(town: Town, promotion_id: str) -> int | None:
    kept = await town.backend.database.snapshot(
        lambda connection: read_promotion(
            connection, merchant_id=town.names.tea, promotion_id=promotion_id
        )
    )
    assert kept is not None
    return kept.promotion.stock_left


async def test_a_strangers_hold_takes_a_unit_until_it_is_released(town: Town, till: Till) -> None:
    sale = await flash(town, 1)
    cart = till.cart(5_000, card=None)
    quote = await till.ask("quote", {"cart": cart})
    held = await till.change("holdCheckout", cart=cart, quoteVersion=quote["version"])

    late = await till.change("holdCheckout", cart=cart, quoteVersion=quote["version"])
    released = await till.change("releaseCheckout", checkoutId=held["checkout"]["id"])

    assert held["checkout"]["payable"]["amountMinor"] == 1_000
    assert late["code"] == "QUOTE_STALE"
    assert late["quote"]["payable"]["amountMinor"] == 5_000
    assert released["__typename"] == "CheckoutReleased"
    assert await left(town, sale) == 1


async def test_of_twenty_holds_at_once_the_stock_decides_how_many_get_it(
    town: Town, till: Till
) -> None:
    sale = await flash(town, 3)
    cart = till.cart(5_000)
    version = (await till.ask("quote", {"cart": cart}))["version"]

    answers = await asyncio.gather(
        *(till.change("holdCheckout", cart=cart, quoteVersion=version) for _ in range(20))
    )

    kinds = Counter(answer["__typename"] for answer in answers)
    assert kinds == {"CheckoutHeld": 3, "QuoteStaleRefusal": 17}
    assert await left(town, sale) == 0


async def test_a_captured_unit_is_sold_and_a_full_refund_brings_it_back(
    town: Town, till: Till
) -> None:
    sale = await flash(town, 2)
    cart = till.cart(5_000)
    version = (await till.ask("quote", {"cart": cart}))["version"]
    held = await till.change("holdCheckout", cart=cart, quoteVersion=version)
    captured = await till.change(
        "captureCheckout", checkoutId=held["checkout"]["id"], orderNo="no-1"
    )
    assert await left(town, sale) == 1

    refunded = await till.change(
        "refundOrder",
        orderId=captured["order"]["id"],
        refundNo="r-1",
        lines=[{"lineIndex": 0, "quantity": 1}],
    )

    assert refunded["refund"]["cash"]["amountMinor"] == 1_000
    assert await left(town, sale) == 2


async def test_a_capture_after_the_release_keeps_the_agreed_price(town: Town, till: Till) -> None:
    sale = await flash(town, 1)
    cart = till.cart(5_000)
    version = (await till.ask("quote", {"cart": cart}))["version"]
    held = await till.change("holdCheckout", cart=cart, quoteVersion=version)
    await till.change("releaseCheckout", checkoutId=held["checkout"]["id"])
    other = await till.sell(5_000, order_no="no-1")

    late = await till.change("captureCheckout", checkoutId=held["checkout"]["id"], orderNo="no-2")

    assert other["__typename"] == late["__typename"] == "CheckoutCaptured"
    rows = await town.rows(
        town.backend.database, "SELECT payable_minor FROM sale ORDER BY order_no"
    )
    assert rows == [(1_000,), (1_000,)]
    assert await left(town, sale) == 0
