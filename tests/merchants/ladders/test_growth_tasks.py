"""Growth value of purchases and tasks: what counts, how often, for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kernel.refusals import NotFound
from merchants.changes.tier_book import TierBook
from merchants.ladders.growth import GrowthTask, task_problems
from merchants.ladders.tiers import TierMetric
from merchants.refusals import NotAMember, TaskCapReached
from tests.merchants.shop import (
    ANN,
    BOB,
    BOOKS_STAFF,
    TEA,
    TEA_STAFF,
    Shop,
    cart,
    ladder,
)

CHECK_IN = GrowthTask("CHECK_IN", "签到", "Check-in", 5, per_day=1, per_month=2)


async def do(shop: Shop, reference: str | None = None, **more: Any) -> dict[str, Any]:
    book = TierBook(shop.backend, more.pop("caller", TEA_STAFF))
    request_id = more.pop("request_id", None) or shop.ids.new("req")
    code = more.pop("code", "CHECK_IN")
    given = {"code": code, "reference": reference, "request_id": request_id, "body": more}
    return (await book.record_task(TEA, more.get("card_id", ANN), **given)).success()


async def set_task(shop: Shop, task: GrowthTask) -> None:
    answer = await TierBook(shop.backend, TEA_STAFF).set_task(
        TEA, task, request_id=shop.ids.new("req"), body={}
    )
    answer.success()


async def test_purchases_and_tasks_give_growth_value_and_refunds_take_it(shop: Shop) -> None:
    await shop.join()
    growing = ladder(TierMetric.GROWTH, ("一", 10), ("二", 25), growth_per_major_unit=2)
    await shop.set_ladder(growing)
    await set_task(shop, CHECK_IN)
    placed = await shop.place(cart(1_050))

    await do(shop)
    [grown] = await shop.standings()
    await shop.refund(placed, "r-1", amount=500)
    [shrunk] = await shop.standings()

    assert (grown.current, grown.rank, grown.remaining) == (21 + 5, 2, None)
    assert (shrunk.current, shrunk.rank) == (11 + 5, 1)


async def test_a_task_counts_once_a_day_and_up_to_its_monthly_cap(shop: Shop) -> None:
    await shop.join()
    await set_task(shop, CHECK_IN)
    # Half past seven in the morning in UTC is the same day in Shanghai until four in the afternoon.
    first = await do(shop)
    shop.clock.set(datetime(2026, 3, 1, 15, 59, tzinfo=UTC))
    with pytest.raises(TaskCapReached) as same_day:
        await do(shop)
    shop.clock.set(datetime(2026, 3, 1, 16, 0, tzinfo=UTC))
    second = await do(shop)
    shop.pass_time(days=3)
    with pytest.raises(TaskCapReached) as same_month:
        await do(shop)
    shop.clock.set(datetime(2026, 3, 31, 16, 0, tzinfo=UTC))
    third = await do(shop)

    assert [each["counted"] for each in (first, second, third)] == [True, True, True]
    assert (same_day.value.period, same_month.value.period) == ("DAY", "MONTH")
    assert same_day.value.retryable


async def test_the_same_reference_counts_once_whatever_the_request(shop: Shop) -> None:
    await shop.join()
    await set_task(shop, replace(CHECK_IN, per_day=9, per_month=None))
    answers = [await do(shop, "review-7"), await do(shop, "review-7"), await do(shop, "review-8")]

    assert [each["counted"] for each in answers] == [True, False, True]
    assert await shop.scalar("SELECT SUM(growth) FROM growth_entry") == 10


async def test_a_task_is_for_the_merchants_own_members_and_while_it_is_active(shop: Shop) -> None:
    await shop.join()
    await set_task(shop, CHECK_IN)
    with pytest.raises(NotAMember):
        await do(shop, card_id=BOB)
    with pytest.raises(NotFound):
        await do(shop, caller=BOOKS_STAFF)
    await set_task(shop, replace(CHECK_IN, is_active=False))
    with pytest.raises(NotFound):
        await do(shop)


def test_every_fault_of_a_task_is_told() -> None:
    faults = task_problems(GrowthTask("check in", " ", "", 0, 0, 31_001))

    assert [path for path, _ in faults] == [
        "code",
        "title",
        "titleEn",
        "growth",
        "perDay",
        "perMonth",
    ]
