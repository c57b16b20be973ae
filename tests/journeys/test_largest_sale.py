"""The most that one cart may cost still adds up."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.town import settle, town_at

MOST = 10**11


async def test_the_largest_sale_keeps_the_books_balanced(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await town.done(
            "SetTierLadder",
            town.merchant(people.tea),
            merchantId=people.tea,
            name="金额",
            metric="AMOUNT",
            steps=[{"name": "顶", "rank": 1, "threshold": MOST}],
        )

        sold = await town.sell(people.tea, people.tea_shop, "largest", MOST, cardId=people.ann_card)
        [period] = (await town.query("Periods", town.admin))["nodes"]
        proof = await town.query("Period", town.admin, id=period["id"])
        card = (await town.query("MyCard", town.member(people.ann)))["card"]

        assert sold["order"]["payable"] == {"amountMinor": MOST}
        assert sold["order"]["pointsEarned"] == card["points"]["available"] == MOST // 100
        assert card["memberships"]["nodes"][0]["wallet"]["tier"]["name"] == "顶"
        assert (proof["zeroSum"], proof["pool"]["balanced"]) == (True, True)
        assert (await town.opened.ledger.verify()).is_sound
