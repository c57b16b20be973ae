"""Paid memberships: sold, in grace, over, refunded; their benefits and ranks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel.refusals import InvalidInput, NotFound
from merchants.changes.tier_book import TierBook
from merchants.ladders.paid import (
    PaidMembership,
    PaidPlan,
    PaidState,
    paid_until,
    plan_problems,
)
from merchants.ladders.paid_sql import read_paid_of
from merchants.ladders.tiers import Benefit, TierGround
from merchants.refusals import PaidMembershipOver
from tests.merchants.ladders.test_tier_policies import COUNT
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


async def bought_by(shop: Shop) -> dict[str, PaidMembership]:
    """What Ann bought, by id."""
    found = await shop.database.snapshot(lambda connection: read_paid_of(connection, [(TEA, ANN)]))
    return {each.id: each for each in found[TEA, ANN]}


async def test_a_renewal_begins_at_once_when_what_it_continues_is_refunded(shop: Shop) -> None:
    await shop.join()
    await on_sale(shop)
    first, renewal, third = [await sell(shop, f"sale-{count}") for count in range(3)]
    shop.pass_time(days=100, hours=1)
    now = shop.clock.now()
    await refund(shop, first)

    after = await bought_by(shop)
    [standing] = await shop.standings()
    priced = await shop.backend.price(cart(10_000, at=now))
    assert after[first].refunded_minor == 26_400
    assert after[renewal].state_at(now) is PaidState.ACTIVE
    assert (after[renewal].starts_at, after[renewal].ends_at) == (now, paid_until(now, 12))
    assert after[third].starts_at == after[renewal].ends_at
    assert after[third].ends_at == paid_until(after[third].starts_at, 12)
    assert (standing.rank, standing.ground, priced.payable_minor) == (2, TierGround.FLOOR, 9_000)


async def test_the_floor_of_a_renewal_ends_with_its_new_end(shop: Shop) -> None:
    await shop.join()
    await on_sale(shop)
    first, _ = await sell(shop, "sale-1"), await sell(shop, "sale-2")
    await refund(shop, first)
    ranks = []
    for days in (365 + 9, 1):
        shop.pass_time(days=days)
        ranks.append((await shop.standings())[0].rank)

    assert ranks == [2, 0]


async def test_a_refund_of_what_has_not_begun_lets_the_next_move_up_and_the_running_be(
    shop: Shop,
) -> None:
    await shop.join()
    await on_sale(shop)
    first, second, third = [await sell(shop, f"sale-{count}") for count in range(3)]
    shop.pass_time(days=100)
    before = await bought_by(shop)
    await refund(shop, second)
    after = await bought_by(shop)

    assert after[second].refunded_minor == 36_500
    assert after[first] == before[first]
    assert after[third].starts_at == before[first].ends_at
    assert after[third].ends_at == before[third].starts_at


async def test_a_refund_moves_nothing_of_another_plan(shop: Shop) -> None:
    await shop.join()
    await on_sale(shop)
    await on_sale(shop, replace(YEAR_CARD, code="OTHER"))
    first = await sell(shop, "sale-1")
    others = [await sell(shop, f"other-{count}", code="OTHER") for count in range(2)]
    before = await bought_by(shop)
    shop.pass_time(days=100)
    await refund(shop, first)
    after = await bought_by(shop)

    assert [after[each] for each in others] == [before[each] for each in others]


MONTH_CARD = replace(YEAR_CARD, code="MONTH", months=1, grace_days=60)
AN_INSTANT = timedelta(microseconds=1)
END = paid_until(NOW, 1)
"""When a month that is bought now ends."""


@pytest.mark.parametrize(
    ("sold_at", "starts_at"),
    [
        (END - AN_INSTANT, END),
        (END, END),
        (END + AN_INSTANT, END + AN_INSTANT),
        (END + timedelta(days=59), END + timedelta(days=59)),
        (END + timedelta(days=60) - AN_INSTANT, END + timedelta(days=60) - AN_INSTANT),
        (END + timedelta(days=60), END + timedelta(days=60)),
    ],
)
async def test_a_renewal_has_its_whole_time_before_it_however_late_it_is_bought(
    shop: Shop, sold_at: datetime, starts_at: datetime
) -> None:
    await shop.join()
    await on_sale(shop, MONTH_CARD)
    await sell(shop, "sale-1", code="MONTH")
    shop.clock.set(sold_at)
    paid_id = await sell(shop, "sale-2", code="MONTH")
    renewal = (await bought_by(shop))[paid_id]

    assert (renewal.starts_at, renewal.ends_at) == (starts_at, paid_until(starts_at, 1))


async def test_a_second_renewal_bought_in_grace_follows_the_first(shop: Shop) -> None:
    await shop.join()
    await on_sale(shop, MONTH_CARD)
    await sell(shop, "sale-1", code="MONTH")
    shop.clock.set(END + timedelta(days=40))
    first, second = [await sell(shop, f"renewal-{count}", code="MONTH") for count in range(2)]
    after = await bought_by(shop)

    assert after[first].state_at(shop.clock.now()) is PaidState.ACTIVE
    assert after[second].starts_at == after[first].ends_at


async def test_what_is_bought_in_grace_gives_the_same_benefits_once_and_goes_back_whole(
    shop: Shop,
) -> None:
    await shop.join()
    await on_sale(shop, MONTH_CARD)
    await sell(shop, "sale-1", code="MONTH")
    shop.clock.set(END + timedelta(days=40))
    renewal = await sell(shop, "renewal", code="MONTH")
    priced = await shop.backend.price(cart(10_000, at=shop.clock.now()))
    await refund(shop, renewal)
    [standing] = await shop.standings()

    assert priced.payable_minor == 9_000
    assert (await bought_by(shop))[renewal].refunded_minor == MONTH_CARD.price_minor
    # The grace of the one before goes on.
    assert standing.rank == 2


async def test_joining_and_buying_need_no_paid_membership(shop: Shop) -> None:
    await on_sale(shop)
    await shop.join(BOB)
    placed = await shop.place(cart(100, card_id=BOB, membership_id=membership_of(BOB)))

    [standing] = await shop.standings(BOB)

    assert placed.order.payable_minor == 100
    assert standing.rank == 1
