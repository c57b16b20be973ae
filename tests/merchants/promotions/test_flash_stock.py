"""Units of flash sales: held, sold, given back; never more than there are."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kernel.refusals import InvalidInput
from merchants.offers import CartLine, StockUnits
from merchants.port import LockCoupons, PriceCart, ReleaseAttempt
from merchants.promotions.promotions_sql import read_promotion
from merchants.promotions.setting import set_promotion
from merchants.refusals import BackendSoldOut
from tests.merchants.offers import stranger, terms
from tests.merchants.shop import NOW, STORE, TEA, Shop, cart


async def flash(shop: Shop, stock: int, *, promotion_id: str | None = None, **more: Any) -> str:
    wanted = terms("FLASH_SALE", price_minor=1_000, skus=("tea",), stock=stock, **more)
    made_id, _ = await shop.database.transaction(
        lambda connection: set_promotion(
            connection, wanted, merchant_id=TEA, promotion_id=promotion_id, now=NOW, ids=shop.ids
        )
    )
    return made_id


async def left(shop: Shop, promotion_id: str) -> int | None:
    kept = await shop.database.snapshot(
        lambda connection: read_promotion(connection, merchant_id=TEA, promotion_id=promotion_id)
    )
    assert kept is not None
    return kept.promotion.stock_left


def teas(units: int) -> PriceCart:
    return stranger(cart(lines=(CartLine("tea", units, 5_000),)))


def holding(attempt_id: str, promotion_id: str, units: int) -> LockCoupons:
    return LockCoupons(TEA, attempt_id, STORE, None, stock=(StockUnits(promotion_id, units),))


async def test_a_held_unit_is_not_on_offer_until_it_is_released(shop: Shop) -> None:
    sale = await flash(shop, 3)

    await shop.backend.lock(holding("a", sale, 2))
    await shop.backend.lock(holding("a", sale, 2))

    assert await left(shop, sale) == 1
    assert (await shop.backend.price(teas(2))).payable_minor == 1_000 + 5_000
    await shop.backend.release(ReleaseAttempt(TEA, "a"))
    assert await left(shop, sale) == 3


async def test_a_hold_of_more_than_is_left_takes_nothing(shop: Shop) -> None:
    sale, other = await flash(shop, 3), await flash(shop, 3)
    wanted = (StockUnits(other, 1), StockUnits(sale, 4))

    with pytest.raises(BackendSoldOut) as refused:
        await shop.backend.lock(LockCoupons(TEA, "a", STORE, None, stock=wanted))

    assert refused.value.promotion_id == sale
    assert (await left(shop, sale), await left(shop, other)) == (3, 3)


async def test_of_twenty_holds_at_once_as_many_succeed_as_there_are_units(shop: Shop) -> None:
    sale = await flash(shop, 7)

    outcomes = await asyncio.gather(
        *(shop.backend.lock(holding(f"a-{index}", sale, 1)) for index in range(20)),
        return_exceptions=True,
    )

    refused = [each for each in outcomes if isinstance(each, BackendSoldOut)]
    assert len(refused) == 13
    assert await left(shop, sale) == 0


async def test_a_sale_keeps_its_units_until_all_of_it_is_refunded(shop: Shop) -> None:
    sale = await flash(shop, 5)

    placed = await shop.place(teas(2))
    assert (placed.order.payable_minor, await left(shop, sale)) == (2_000, 3)

    await shop.refund(placed, "r-1", (0, 1))
    assert await left(shop, sale) == 3
    await shop.refund(placed, "r-2", (0, 1))
    assert await left(shop, sale) == 5


async def test_a_sale_takes_what_its_attempt_holds_and_no_more(shop: Shop) -> None:
    sale = await flash(shop, 2)
    order = await shop.placing(teas(2))
    await shop.backend.lock(holding(order.attempt_id, sale, 2))

    await shop.backend.place(order)
    again = await shop.backend.place(order)

    assert again.replayed
    assert await left(shop, sale) == 0


async def test_a_paid_sale_whose_units_went_meanwhile_stands(shop: Shop) -> None:
    sale = await flash(shop, 2)
    order = await shop.placing(teas(2))
    await shop.backend.lock(holding("faster", sale, 1))

    placed = await shop.backend.place(order)

    assert placed.order.payable_minor == 2_000
    assert await left(shop, sale) == 0
    await shop.refund(placed, "r", (0, 2))
    assert await left(shop, sale) == 1


async def test_a_sale_that_is_priced_when_placed_counts_what_it_holds(shop: Shop) -> None:
    sale = await flash(shop, 2)
    order = await shop.placing(teas(2))
    await shop.backend.lock(holding(order.attempt_id, sale, 2))

    placed = await shop.backend.place(replace(order, agreed=None))

    assert placed.order.payable_minor == 2_000


async def test_stock_counts_over_versions_and_is_not_set_below_what_is_taken(shop: Shop) -> None:
    sale = await flash(shop, 5)
    await shop.place(teas(3))

    await flash(shop, 4, promotion_id=sale)

    assert await left(shop, sale) == 1
    with pytest.raises(InvalidInput) as refused:
        await flash(shop, 2, promotion_id=sale)
    assert refused.value.problems == [["stock", "must be at least 3: so many are held or sold"]]
