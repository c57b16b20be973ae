"""A merchant that owes more than its deposit covers earns no points for its customers."""

from pathlib import Path
from typing import Any

from tests.journeys.march import SETTINGS
from tests.journeys.town import Settled, Town, cny, settle, town_at


async def sold(town: Town, people: Settled, order_no: str) -> Any:
    """Points that a sale of 100 yuan brings, and the merchant's deposit after it."""
    before = await available(town, people)
    answer = await town.sell(
        people.tea, people.tea_shop, order_no, 10_000, cardId=people.ann_card, chooseBest=False
    )
    assert answer["__typename"] == "CheckoutCaptured"
    return await available(town, people) - before


async def available(town: Town, people: Settled) -> int:
    card = (await town.query("MyCard", town.member(people.ann)))["card"]
    return int(card["points"]["available"])


async def deposit(town: Town, people: Settled) -> Any:
    document = (
        "query($id: ID!) { merchant(id: $id) { deposit { issuingAllowed suspendedBecause } } }"
    )
    data = await town.gateway.data(document, token=town.merchant(people.tea), id=people.tea)
    return data["merchant"]["deposit"]


async def test_sales_go_on_without_points_until_the_deposit_is_raised(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await town.done(
            "ConfigureAlliance", town.admin, **{**SETTINGS, "depositPolicy": "REQUIRED"}
        )

        async def raise_to(amount_minor: int) -> None:
            await town.done(
                "RecordDeposit",
                town.admin,
                merchantId=people.tea,
                amount=cny(amount_minor),
                reason="保证金",
            )

        await raise_to(85)
        points = [await sold(town, people, "no-1"), await sold(town, people, "no-2")]
        told = await deposit(town, people)
        await raise_to(5)
        points.append(await sold(town, people, "no-3"))

        assert points == [100, 0, 100]
        assert told["issuingAllowed"] is False
        assert "more than 120 % of its deposit of 85" in told["suspendedBecause"]
        report = await town.opened.ledger.verify()
        assert report.is_sound
