"""Scan, join, pay less: the coupon of the join is applied in a quote made at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.town import cny, line, settle, town_at


@pytest.mark.parametrize("channel", ["STORE_POS", "WEB_SHOP", "MINI_PROGRAM", "APP"])
async def test_whoever_joins_pays_less_for_the_order_in_hand(tmp_path: Path, channel: str) -> None:
    """Two requests in all, one to join and one to quote, in any channel."""
    async with town_at(tmp_path) as town:
        people = await settle(town)
        till = town.merchant(people.tea)
        store = await town.open_store(people.tea, "here", channel)
        await town.done(
            "CreateCouponTemplate",
            till,
            merchantId=people.tea,
            title="新人券",
            kind="AMOUNT_OFF",
            amount=cny(1_000),
            minSpend=cny(2_000),
            forNewMembers=True,
        )

        joined = await town.done(
            "Join", till, storeId=store, credential={"wechatUnionId": "oNew"}, consents=[]
        )
        cart = {
            "storeId": store,
            "cardId": joined["member"]["card"]["id"],
            "lines": [line(5_000)],
        }
        quote = await town.query("Quote", till, cart=cart)

        assert joined["member"]["joinedVia"] == {"merchant": {"id": people.tea}, "channel": channel}
        assert quote["payable"]["amountMinor"] == 4_000
        [applied] = [each for each in quote["decisions"] if each["outcome"] == "APPLIED"]
        assert (applied["kind"], applied["title"]) == ("COUPON", "新人券")
        assert joined["firstOrderCoupon"]["title"] == "新人券"
