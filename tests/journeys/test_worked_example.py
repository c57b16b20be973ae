"""The worked example of docs/rules/checkout.md, rule 13, as a till plays it."""

from pathlib import Path

from tests.gateway.checkout.tills import Till
from tests.gateway.checkout.town import open_town


async def test_points_and_a_coupon_pay_and_one_line_comes_back(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        till = Till(town)
        await till.sell(50_000, order_no="no-0")
        coupon_id = await town.coupon(1_000)
        cart = till.cart(3_333, 3_333, 3_334, couponIds=[coupon_id], points=500)

        quote = await till.ask("quote", {"cart": cart})
        held = await till.change("holdCheckout", cart=cart, quoteVersion=quote["version"])
        waiting = await town.standing()
        captured = await till.change(
            "captureCheckout", checkoutId=held["checkout"]["id"], orderNo="no-1"
        )
        earned = await town.standing()
        order_id = captured["order"]["id"]
        lines = [{"lineIndex": 2, "quantity": 1}]
        preview = await till.ask("refundPreview", {"orderId": order_id, "lines": lines})
        refunded = await till.change("refundOrder", orderId=order_id, refundNo="r-1", lines=lines)

        assert [line["payable"]["amountMinor"] for line in quote["lines"]] == [2_833, 2_833, 2_834]
        assert (quote["pointsSpent"], quote["pointsToEarn"]) == (500, 85)
        assert (held["checkout"]["state"], waiting.held, waiting.available) == ("HELD", 500, 0)
        assert captured["absorbed"]["amountMinor"] == 0
        assert (earned.held, earned.available) == (0, 85)
        assert {**preview, "__typename": ""} == {
            "__typename": "",
            "cash": {"amountMinor": 2_834},
            "pointsReturned": 166,
            "coinsReturned": {"amountMinor": 0},
            "pointsClawedBack": 29,
            "debtCreated": 0,
            "couponOutcome": "KEPT",
        }
        assert {key: refunded["refund"][key] for key in preview if key != "__typename"} == {
            key: preview[key] for key in preview if key != "__typename"
        }
        assert (await town.standing()).available == 85 + 166 - 29
