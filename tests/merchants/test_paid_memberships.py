"""Paid memberships: sold, in grace, over, refunded; their benefits and ranks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kernel.refusals import InvalidInput, NotFound
from merchants.ladders.paid import PaidMembership, PaidPlan, PaidState, plan_problems
from merchants.ladders.tier_book import TierBook
from merchants.refusals import PaidMembershipOver
from merchants.tiers import Benefit, TierGround
from tests.merchants.shop import (
    ANN,
    BOB,
    BOOKS_STAFF,
    NOW,
    TEA,
    TEA_STAFF,
    Shop,
    cart,
    membership_of,
)
from tests.merchants.test_tier_policies import COUNT

YEAR_CARD = PaidPlan(
    "YEAR",
    1,
    "年卡",
    "Year card",
    36_500,
    12,
    grace_days=10,
    rank=2,
    benefits=(Benefit("PERCENT_OFF", "年卡9折", percent_off_bps=1_000),),
)
BOUGHT = PaidMembership("pam", TEA, ANN, YEAR_CARD, NOW, NOW + timedelta(days=365))


@pytest.mark.parametrize(
    ("days", "state", "gives"),
    [
        (-1, PaidState.PENDING, False),
        (0, PaidState.ACTIVE, True),
        (364, PaidState.ACTIVE, True),
        (365, PaidState.GRACE, True),
        (374, PaidState.GRACE, True),
        (375, PaidState.EXPIRED, False),
    ],
)
def test_a_paid_membership_is_active_then_in_grace_then_over(
    days: int, state: PaidState, gives: bool
) -> None:
    now = NOW + timedelta(days=days)

    assert (BOUGHT.state_at(now), BOUGHT.gives_at(now)) == (state, gives)


def test_every_fault_of_a_plan_is_told() -> None:
    plan = PaidPlan("", 1, "", "", -1, 0, 366, 0, (Benefit("GIFT", "x", early_minutes=0),))

    assert [path for path, _ in plan_problems(plan)] == [
        "code",
        "title",
        "titleEn",
        "price",
        "months",
        "graceDays",
        "rank",
        "benefits.0.earlyMinutes",
    ]


async def sell(shop: Shop, reference: str, **more: Any) -> str:
    answer = await TierBook(shop.backend, TEA_STAFF).sell_plan(
        TEA,
        more.get("card_id", ANN),
        code=more.get("code", "YEAR"),
        reference=reference,
        request_id=shop.ids.new("req"),
        body={},
    )
    return str(answer.success()["paidId"])


async def refund(shop: Shop, paid_id: str, caller: Any = TEA_STAFF) -> None:
    book = TierBook(shop.backend, caller)
    (await book.refund_paid(paid_id, request_id=shop.ids.new("req"), body={})).success()


async def on_sale(shop: Shop, plan: PaidPlan = YEAR_CARD) -> None:
    await shop.set_ladder(COUNT)
    book = TierBook(shop.backend, TEA_STAFF)
    (await book.set_plan(TEA, plan, request_id=shop.ids.new("req"), body={})).success()


async def test_a_paid_membership_gives_its_benefits_and_its_rank(shop: Shop) -> None:
    await shop.join()
    await on_sale(shop)
    await sell(shop, "sale-1")

    [standing] = await shop.standings()
    priced = await shop.backend.price(cart(10_000))
    shop.pass_time(days=365 + 10)
    [over] = await shop.standings()

    assert (standing.rank, standing.ground, standing.current) == (2, TierGround.FLOOR, 0)
    assert priced.payable_minor == 9_000
    assert (over.rank, over.ground) == (0, TierGround.METRIC)


async def test_a_second_one_continues_the_first_and_a_sale_gives_one(shop: Shop) -> None:
    await shop.join()
    await on_sale(shop)
    first, again = await sell(shop, "sale-1"), await sell(shop, "sale-1")
    await sell(shop, "sale-2")
    spans = await shop.database.snapshot(
        lambda connection: connection.exec_driver_sql(
            "SELECT starts_at, ends_at FROM paid_membership ORDER BY starts_at"
        ).all()
    )

    assert first == again
    assert len(spans) == 2
    assert spans[0][1] == spans[1][0]
    with pytest.raises(InvalidInput):
        await sell(shop, "sale-1", code="OTHER")


async def test_a_refund_gives_back_the_days_that_are_left_and_ends_it(shop: Shop) -> None:
    await shop.join()
    await on_sale(shop)
    paid_id = await sell(shop, "sale-1")
    shop.pass_time(days=100, hours=1)
    with pytest.raises(NotFound):
        await refund(shop, paid_id, BOOKS_STAFF)
    await refund(shop, paid_id)
    [standing] = await shop.standings()
    priced = await shop.backend.price(cart(10_000, at=shop.clock.now()))

    assert await shop.scalar("SELECT refunded_minor FROM paid_membership") == 26_400
    assert (standing.rank, priced.payable_minor) == (0, 10_000)
    with pytest.raises(PaidMembershipOver):
        await refund(shop, paid_id)


async def test_joining_and_buying_need_no_paid_membership(shop: Shop) -> None:
    await on_sale(shop)
    await shop.join(BOB)
    placed = await shop.place(cart(100, card_id=BOB, membership_id=membership_of(BOB)))

    [standing] = await shop.standings(BOB)

    assert placed.order.payable_minor == 100
    assert standing.rank == 1
