"""Several ladders together, the alliance's rank, weights, growth value, paid memberships."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kernel.refusals import InvalidInput, NotFound
from merchants.ladders.growth import GrowthTask, task_problems
from merchants.ladders.paid import PaidMembership, PaidPlan, PaidState, plan_problems
from merchants.ladders.policies import (
    HonouredRank,
    TierCombination,
    TierPolicy,
    combine,
    policy_problems,
)
from merchants.ladders.tier_book import TierBook
from merchants.port import RecordEvent
from merchants.refusals import NotAMember, PaidMembershipOver, TaskCapReached
from merchants.segments import SegmentThresholds
from merchants.tiers import Benefit, Ladder, TierGround, TierMetric, TierWindow, standing_in
from tests.merchants.shop import (
    ADMIN,
    ALLIANCE,
    ANN,
    BOB,
    BOOKS,
    BOOKS_STAFF,
    NOW,
    TEA,
    TEA_STAFF,
    Shop,
    cart,
    ladder,
    membership_of,
)


def giving(made: Ladder, percent_bps: int) -> Ladder:
    """The ladder whose step of rank n takes n times that much off."""
    return replace(
        made,
        steps=tuple(
            replace(
                step,
                benefits=(
                    Benefit("PERCENT_OFF", step.name, percent_off_bps=step.rank * percent_bps),
                ),
            )
            for step in made.steps
        ),
    )


COUNT = giving(ladder(TierMetric.PURCHASE_COUNT, ("新客", 1), ("普通", 2), ("高级", 5)), 100)
AMOUNT = giving(ladder(TierMetric.AMOUNT, ("银牌", 10_000), ("金牌", 50_000)), 1_000)


@pytest.mark.parametrize(
    ("combination", "deciding", "benefits"),
    [
        (TierCombination.ANY, "PURCHASE_COUNT", [300, 1_000]),
        (TierCombination.BEST_OF, "PURCHASE_COUNT", [300]),
        (TierCombination.ALL, "AMOUNT", [100, 1_000]),
    ],
)
def test_a_merchant_chooses_how_its_ladders_go_together(
    combination: TierCombination, deciding: str, benefits: list[int]
) -> None:
    primary = replace(COUNT, is_primary=True)
    standings = (standing_in(primary, 5), standing_in(AMOUNT, 12_000))

    combined = combine(TierPolicy(combination=combination), standings, [primary, AMOUNT])

    assert combined.deciding is not None
    assert combined.deciding.ladder == deciding
    assert [
        each.percent_off_bps for standing in combined.benefits_of for each in standing.benefits
    ] == benefits


def test_every_fault_of_a_policy_is_told() -> None:
    policy = TierPolicy(
        honoured=(HonouredRank(2, 3), HonouredRank(2, 1)), segments=SegmentThresholds(0)
    )

    assert [path for path, _ in policy_problems(policy)] == [
        "honoured.1.allianceRank",
        "honoured.1.rank",
        "segments.keyOrders",
    ]


async def set_policy(shop: Shop, policy: TierPolicy, merchant_id: str = TEA) -> None:
    book = TierBook(shop.backend, ADMIN)
    given = {"request_id": f"p-{shop.ids.new('req')}", "body": {}}
    (await book.set_tier_policy(merchant_id, policy, **given)).success()


async def set_weights(shop: Shop, weights: dict[str, int]) -> None:
    book = TierBook(shop.backend, ADMIN)
    given = {"request_id": f"w-{shop.ids.new('req')}", "body": {}}
    (await book.set_weights(ALLIANCE, weights, **given)).success()


def told(order: str, amount: int, at_merchant_id: str = TEA, **more: Any) -> RecordEvent:
    given: dict[str, Any] = {"refund_no": None, "attempt_id": order, "at": NOW, **more}
    return RecordEvent(
        merchant_id=ALLIANCE,
        at_merchant_id=at_merchant_id,
        order_id=order,
        card_id=ANN,
        qualifying_minor=amount,
        **given,
    )


async def test_a_merchant_honours_the_alliances_rank_in_wallets_and_prices(shop: Shop) -> None:
    await shop.set_ladder(COUNT)
    await shop.set_ladder(ladder(TierMetric.AMOUNT, ("银", 10_000), ("金", 50_000)), ALLIANCE)
    await shop.backend.record(told("o-1", 60_000, BOOKS))
    before = await shop.standings()
    await set_policy(shop, TierPolicy(honoured=(HonouredRank(1, 2), HonouredRank(2, 3))))

    [standing] = await shop.standings()
    priced = await shop.backend.price(cart(1_000, alliance_rank=2))
    unlifted = await shop.backend.price(cart(1_000))

    assert before[0].rank == 0
    assert (standing.rank, standing.ground, standing.current) == (3, TierGround.ALLIANCE, 0)
    assert standing.name == "高级"
    assert (priced.payable_minor, unlifted.payable_minor) == (970, 1_000)


async def test_own_tiers_stand_when_they_are_better_than_the_honoured_rank(shop: Shop) -> None:
    await shop.set_ladder(COUNT)
    await shop.set_ladder(ladder(TierMetric.AMOUNT, ("银", 1)), ALLIANCE)
    await set_policy(shop, TierPolicy(honoured=(HonouredRank(1, 1),)))
    await shop.place(cart(100))
    await shop.place(cart(100))
    await shop.backend.record(told("o-1", 60_000))

    [standing] = await shop.standings()

    assert (standing.rank, standing.ground) == (2, TierGround.METRIC)


@pytest.mark.parametrize("window", [TierWindow.LIFETIME, TierWindow.ROLLING_12_MONTHS])
async def test_weights_say_what_each_merchants_orders_count(shop: Shop, window: TierWindow) -> None:
    steps = (("银", 10_000), ("金", 50_000))
    await shop.set_ladder(ladder(TierMetric.AMOUNT, *steps, window=window), ALLIANCE)
    await set_weights(shop, {BOOKS: 2_500, TEA: 20_000})
    await shop.backend.record(told("o-1", 3_333, TEA))
    await shop.backend.record(told("o-2", 33_335, BOOKS))

    [standing] = await shop.standings(merchant_id=ALLIANCE)

    assert (standing.current, standing.rank) == (2 * 3_333 + 33_335 // 4, 1)


async def test_new_weights_raise_at_once_and_cost_no_kept_tier(shop: Shop) -> None:
    rolling = ladder(TierMetric.AMOUNT, ("银", 10_000), window=TierWindow.ROLLING_12_MONTHS)
    await shop.set_ladder(rolling, ALLIANCE)
    await shop.backend.record(told("o-1", 6_000))
    low = (await shop.standings(merchant_id=ALLIANCE))[0].rank
    shop.pass_time(days=1)
    await set_weights(shop, {TEA: 20_000})
    raised = (await shop.standings(merchant_id=ALLIANCE))[0].rank
    shop.pass_time(days=1)
    await set_weights(shop, {})
    [kept] = await shop.standings(merchant_id=ALLIANCE)

    assert (low, raised) == (0, 1)
    assert (kept.rank, kept.ground, kept.current) == (1, TierGround.RETAINED, 6_000)


async def test_only_the_alliances_own_ladders_weigh(shop: Shop) -> None:
    book = TierBook(shop.backend, ADMIN)
    for merchant_id, weights, path in (
        (TEA, {}, "merchantId"),
        (ALLIANCE, {"tea": 1}, "weights.0.merchantId"),
        (ALLIANCE, {TEA: -1}, "weights.0.weightBps"),
    ):
        answer = await book.set_weights(merchant_id, weights, request_id=path, body={})
        with pytest.raises(InvalidInput) as refused:
            answer.success()
        assert refused.value.problems[0][0] == path


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
