from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.refusals import InvalidInput
from merchants.ladders.tiers import (
    Benefit,
    Step,
    TierMetric,
    TierWindow,
    ladder_problems,
    standing_in,
)
from merchants.port import RecordEvent
from tests.merchants.shop import ALLIANCE, ANN, NOW, TEA, Shop, cart, ladder

BY_COUNT = ladder(TierMetric.PURCHASE_COUNT, ("新客", 1), ("普通", 2), ("高级", 5), ("超级", 10))
BY_AMOUNT = ladder(
    TierMetric.AMOUNT, ("基础", 0), ("银牌", 10_000), ("金牌", 50_000), ("钻石", 100_000)
)


@pytest.mark.parametrize(
    ("orders", "name"),
    [(0, None), (1, "新客"), (2, "普通"), (4, "普通"), (5, "高级"), (9, "高级"), (10, "超级")],
)
def test_a_purchase_count_on_a_boundary_is_in_the_higher_tier(
    orders: int, name: str | None
) -> None:
    assert standing_in(BY_COUNT, orders).name == name


@pytest.mark.parametrize(
    ("amount", "name"),
    [
        (9_999, "基础"),
        (10_000, "银牌"),
        (49_999, "银牌"),
        (50_000, "金牌"),
        (99_999, "金牌"),
        (100_000, "钻石"),
    ],
)
def test_an_amount_on_a_boundary_is_in_the_higher_tier(amount: int, name: str) -> None:
    assert standing_in(BY_AMOUNT, amount).name == name


def test_progress_says_how_far_the_next_tier_is() -> None:
    standing = standing_in(BY_AMOUNT, 12_345)

    assert (standing.rank, standing.next, standing.remaining) == (2, 50_000, 37_655)
    assert standing.next_name == "金牌"


def test_below_the_first_step_there_is_no_tier_but_a_next_one() -> None:
    standing = standing_in(BY_COUNT, 0)

    assert (standing.rank, standing.name, standing.remaining) == (0, None, 1)


def test_at_the_top_nothing_is_next() -> None:
    standing = standing_in(BY_COUNT, 25)

    assert (standing.next, standing.remaining, standing.next_name) == (None, None, None)


def test_every_fault_of_a_ladder_is_told() -> None:
    steps = [
        Step("a", None, 1, 5, (Benefit("PERCENT_OFF", "", percent_off_bps=0),)),
        Step("a", "", 1, 5, (Benefit("POINTS_MULTIPLIER", "x", points_multiplier_bps=9_999),)),
    ]

    assert [path for path, _ in ladder_problems("n" * 101, steps)] == [
        "name",
        "steps.0.benefits.0.title",
        "steps.0.benefits.0.percentOffBps",
        "steps.1.name",
        "steps.1.nameEn",
        "steps.1.rank",
        "steps.1.threshold",
        "steps.1.benefits.0.pointsMultiplierBps",
    ]


@pytest.mark.parametrize("count", [0, 51])
def test_a_ladder_has_one_to_fifty_steps(count: int) -> None:
    steps = [Step(str(rank), None, rank, rank) for rank in range(1, count + 1)]

    assert [path for path, _ in ladder_problems("count", steps)] == ["steps"]


async def test_orders_and_refunds_move_both_ladders(shop: Shop) -> None:
    await shop.set_ladder(BY_COUNT)
    await shop.set_ladder(BY_AMOUNT)
    first = await shop.place(cart(6_000, coins_minor=1_000, coins_available_minor=1_000))
    await shop.place(cart(6_000, shipping_minor=900, points=500, points_available=500))

    before = await shop.standings()
    await shop.refund(first, "r-1", amount=2_000)
    between = await shop.standings()
    await shop.refund(first, "r-2", (0, 1))
    after = await shop.standings()

    assert [(each.current, each.name) for each in before] == [(2, "普通"), (11_500, "银牌")]
    assert [each.current for each in between] == [2, 9_500]
    assert [(each.current, each.name) for each in after] == [(1, "新客"), (5_500, "基础")]


async def test_the_first_ladder_is_primary_until_another_is_made_so(shop: Shop) -> None:
    await shop.set_ladder(BY_COUNT)
    await shop.set_ladder(BY_AMOUNT)
    first = await shop.standings()
    shop.pass_time(seconds=1)

    await shop.set_ladder(replace(BY_AMOUNT, is_primary=True, effective_from=shop.clock.now()))
    second = await shop.standings()

    assert [each.is_primary for each in first] == [True, False]
    assert (first[0].ladder, second[0].ladder) == ("PURCHASE_COUNT", "AMOUNT")


async def test_a_version_counts_from_its_instant_on(shop: Shop) -> None:
    await shop.set_ladder(BY_COUNT)
    easier = ladder(TierMetric.PURCHASE_COUNT, ("超级", 1), effective_from=NOW + timedelta(days=1))
    made = await shop.set_ladder(easier)
    await shop.place(cart(100))

    before = await shop.standings()
    shop.pass_time(days=1)
    after = await shop.standings()

    assert made.version == 2
    assert (before[0].name, after[0].name) == ("新客", "超级")
    assert after[0].is_primary


async def test_a_rolling_ladder_forgets_old_orders(shop: Shop) -> None:
    rolling = replace(BY_COUNT, window=TierWindow.ROLLING_12_MONTHS)
    await shop.set_ladder(rolling)
    await shop.place(cart(100))
    shop.pass_time(days=300)
    await shop.place(cart(100))

    both = await shop.standings()
    shop.pass_time(days=100)
    later = await shop.standings()

    assert (both[0].current, later[0].current) == (2, 1)
    assert both[0].valid_until is not None


async def test_a_ladder_with_faults_is_refused_whole(shop: Shop) -> None:
    with pytest.raises(InvalidInput):
        await shop.set_ladder(ladder(TierMetric.AMOUNT))

    assert await shop.scalar("SELECT COUNT(*) FROM ladder") == 0


def told(
    order: str, qualifying: int, refund_no: str | None = None, *, ended: bool = False
) -> RecordEvent:
    return RecordEvent(
        merchant_id=ALLIANCE,
        at_merchant_id=TEA,
        order_id=order,
        refund_no=refund_no,
        attempt_id=None if refund_no else f"attempt of {order}",
        card_id=ANN,
        at=NOW,
        qualifying_minor=qualifying,
        is_ended=ended,
    )


@pytest.mark.parametrize("turn", range(6))
async def test_the_alliances_ladder_counts_events_once_in_any_order(shop: Shop, turn: int) -> None:
    await shop.set_ladder(BY_COUNT, ALLIANCE)
    await shop.set_ladder(BY_AMOUNT, ALLIANCE)
    events = [
        told("o-1", 10_000),
        told("o-1", 4_000, "r-1"),
        told("o-1", 0, "r-2", ended=True),
        told("o-2", 60_000),
        told("o-2", 50_000, "r-1"),
        told("o-3", 0),
    ]

    replays = [
        (await shop.backend.record(event)).replayed
        for event in (*events[turn:], *events[:turn], *events)
    ]
    standings = await shop.standings(merchant_id=ALLIANCE)

    assert replays == [False] * 6 + [True] * 6
    assert [(each.current, each.name) for each in standings] == [(2, "普通"), (50_000, "金牌")]


async def test_an_order_without_an_amount_counts_until_it_is_refunded_in_full(shop: Shop) -> None:
    await shop.set_ladder(BY_COUNT, ALLIANCE)
    await shop.backend.record(told("o-1", 0))
    await shop.backend.record(told("o-1", 0, "r-1"))
    [partly] = await shop.standings(merchant_id=ALLIANCE)
    await shop.backend.record(told("o-1", 0, "r-2", ended=True))
    [wholly] = await shop.standings(merchant_id=ALLIANCE)

    assert (partly.current, wholly.current) == (1, 0)


async def test_events_tell_when_an_order_is_refunded_in_full(shop: Shop) -> None:
    placed = await shop.place(
        cart(1_000, 1_000, points=1_000, points_available=1_000, coins_minor=1_000)
    )
    await shop.refund(placed, "r-1", (0, 1))
    await shop.refund(placed, "r-2", (1, 1))

    events = await shop.backend.events(TEA)

    assert [event.is_ended for event in events] == [False, False, True]


@pytest.mark.parametrize(("qualifying", "refund_no"), [(0, None), (1, "r-1")])
async def test_only_a_refund_that_leaves_nothing_ends_an_order(
    shop: Shop, qualifying: int, refund_no: str | None
) -> None:
    with pytest.raises(InvalidInput):
        await shop.backend.record(told("o-1", qualifying, refund_no, ended=True))
