"""What comes after a backend forgot a card: a late join, sale, release or refund."""

from __future__ import annotations

from typing import Any

import pytest

from merchants.coupons.audiences import Audience, AudienceKind
from merchants.coupons.coupons_sql import read_coupons
from merchants.coupons.template_life import CouponTrigger, TemplateLife
from merchants.ladders.members_sql import read_members
from merchants.ladders.tiers import TierMetric
from merchants.offers import CartLine, CouponKind, CouponTerms
from merchants.port import LockCoupons, ReleaseAttempt
from merchants.refusals import NotAMember
from tests.merchants.shop import ANN, BOB, STORE, TEA, Shop, amount_off, cart, ladder

FOR_SWEETS = CouponTerms("c", CouponKind.AMOUNT_OFF, 1, amount_minor=100, category_ids=("x",))
BUYING = TemplateLife(trigger=CouponTrigger.CATEGORY)
REACHING = TemplateLife(
    trigger=CouponTrigger.TIER_REACHED,
    audience=Audience(AudienceKind.TIER, ladder="count", min_rank=1),
)


async def states(shop: Shop, *coupon_ids: str) -> list[Any]:
    held = await shop.database.snapshot(
        lambda connection: read_coupons(connection, [(TEA, each) for each in coupon_ids])
    )
    return [held[TEA, each].state.value for each in coupon_ids]


async def issued(shop: Shop) -> int:
    rows = await shop.database.snapshot(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM coupon").scalar()
    )
    return int(rows or 0)


async def test_a_join_that_comes_late_opens_no_wallet(shop: Shop) -> None:
    await shop.template(amount_off(100), for_new_members=True)
    template = await shop.template(amount_off(200))
    await shop.backend.forget(TEA, ANN)

    welcomed = await shop.join(ANN), await shop.join(ANN), await shop.join(BOB)

    assert [len(each) for each in welcomed] == [0, 0, 1]
    with pytest.raises(NotAMember) as refused:
        await shop.issue(template, BOB, ANN)
    assert refused.value.card_ids == [ANN]
    assert len(await shop.issue(template, BOB)) == 1


@pytest.mark.parametrize("life", [BUYING, REACHING])
async def test_a_sale_that_comes_late_gives_no_coupon(shop: Shop, life: TemplateLife) -> None:
    await shop.set_ladder(ladder(TierMetric.PURCHASE_COUNT, ("one", 1), name="count"))
    await shop.template(FOR_SWEETS, life=life)
    orders = []
    for card_id in (ANN, BOB):
        await shop.join(card_id)
        sweets = (CartLine("a", 1, 1_000, "x"),)
        orders.append(await shop.placing(cart(lines=sweets, card_id=card_id)))
    await shop.backend.forget(TEA, ANN)

    given = []
    for order in orders:
        await shop.backend.place(order)
        given.append(await issued(shop))

    assert given == [0, 1]


async def test_a_coupon_that_comes_back_late_is_void(shop: Shop) -> None:
    await shop.join()
    held, paid = [await shop.coupon(amount_off(100)) for _ in range(2)]
    await shop.backend.lock(LockCoupons(TEA, "held", STORE, ANN, (held,)))
    order = await shop.placing(cart(1_000, coupon_ids=(paid,)))
    await shop.backend.lock(LockCoupons(TEA, order.attempt_id, STORE, ANN, (paid,)))
    placed = await shop.backend.place(order)
    await shop.backend.forget(TEA, ANN)
    assert await states(shop, held, paid) == ["LOCKED", "REDEEMED"]

    await shop.backend.release(ReleaseAttempt(TEA, "held"))
    await shop.refund(placed, "r-1", (0, 1))

    assert await states(shop, held, paid) == ["VOID", "VOID"]


async def test_nobody_finds_an_erased_member_among_the_merchants_own(shop: Shop) -> None:
    for card_id in (ANN, BOB):
        await shop.join(card_id)
    await shop.backend.forget(TEA, ANN)
    await shop.backend.forget(TEA, ANN)

    found = await shop.database.snapshot(
        lambda connection: read_members(connection, TEA, after="", at=2**60, limit=9)
    )

    assert [each.card_id for each in found] == [BOB]
