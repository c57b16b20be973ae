"""Tiers whose time is over are evaluated in the background, once, however often it is tried."""

from datetime import timedelta

from merchants.changes.rulebook import Rulebook
from merchants.ladders.tiers import Ladder, Step, TierMetric, TierWindow
from tests.gateway.checkout.tills import Till
from tests.gateway.checkout.town import START, Town


async def ranks(town: Town) -> list[tuple[str, int, int]]:
    return [
        (cause, before, after)
        for cause, before, after in await town.rows(
            town.databases[1],
            "SELECT cause, rank_before, rank_after FROM tier_evaluation ORDER BY at, cause",
        )
    ]


async def test_a_sweep_ends_the_tiers_that_are_due(town: Town, till: Till) -> None:
    merchant_id = town.names.tea
    wanted = Ladder(
        name="金额",
        version=0,
        is_primary=True,
        metric=TierMetric.AMOUNT,
        window=TierWindow.ROLLING_12_MONTHS,
        steps=(Step("银牌", None, 1, 10_000), Step("金牌", None, 2, 50_000)),
        effective_from=START,
    )
    book = Rulebook(town.backend, town.till())
    (await book.set_ladder(merchant_id, wanted, request_id="l-1", body={})).success()
    await till.sell(60_000, order_no="no-1")

    await town.sweepers.run_once()
    early = await ranks(town)
    town.clock.set(START + timedelta(days=420))
    await town.sweepers.run_once()
    await town.sweepers.run_once()

    assert early == [("ORDER", 0, 2)]
    assert await ranks(town) == [("ORDER", 0, 2), ("DUE", 2, 1)]
