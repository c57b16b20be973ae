"""A coupon of tea's in Ann's cart: made, quoted, held, sold and refunded."""

from __future__ import annotations

from typing import Any

from tests.journeys.town import Settled, cny, line


async def template_of(people: Settled, **more: Any) -> str:
    """Id of a new template of tea's: 5.00 off 10.00."""
    made = await people.town.done(
        "CreateCouponTemplate",
        people.town.merchant(people.tea),
        **{
            "merchantId": people.tea,
            "title": "减5",
            "kind": "AMOUNT_OFF",
            "amount": cny(500),
            "minSpend": cny(1_000),
            **more,
        },
    )
    return str(made["template"]["id"])


async def issue(people: Settled, template_id: str) -> str:
    issued = await people.town.done(
        "IssueCoupons",
        people.town.merchant(people.tea),
        templateId=template_id,
        cardIds=[people.ann_card],
    )
    return str(issued["coupons"][0]["id"])


async def coupon_of(people: Settled, **template: Any) -> str:
    return await issue(people, await template_of(people, **template))


def cart_of(people: Settled, coupon_id: str, *lines: Any, store: str | None = None) -> Any:
    return {
        "storeId": store or people.tea_shop,
        "cardId": people.ann_card,
        "lines": list(lines) or [line(1_000)],
        "couponIds": [coupon_id],
        "chooseBest": False,
    }


async def quote(people: Settled, cart: Any) -> Any:
    return await people.town.query("Quote", people.town.merchant(people.tea), cart=cart)


async def hold(people: Settled, cart: Any) -> Any:
    quoted = await quote(people, cart)
    return await people.town.done(
        "HoldCheckout", people.town.merchant(people.tea), cart=cart, quoteVersion=quoted["version"]
    )


async def sell(people: Settled, cart: Any) -> Any:
    sold = await people.town.done(
        "Checkout",
        people.town.merchant(people.tea),
        orderNo=people.town.request_id(),
        cart=cart,
    )
    return sold["order"]


async def refund(people: Settled, order_id: str, *lines: tuple[int, int]) -> tuple[Any, Any]:
    """The preview, and the refund; both are the same."""
    till = people.town.merchant(people.tea)
    wanted = [{"lineIndex": index, "quantity": quantity} for index, quantity in lines]
    preview = await people.town.query("RefundPreview", till, orderId=order_id, lines=wanted)
    done = await people.town.done(
        "RefundOrder",
        till,
        orderId=order_id,
        refundNo=people.town.request_id(),
        lines=wanted,
    )
    return preview, done["refund"]


async def state_of(people: Settled, coupon_id: str) -> str:
    document = "query($id: ID!) { node(id: $id) { ... on Coupon { state } } }"
    data = await people.town.gateway.data(document, token=people.town.admin, id=coupon_id)
    return str(data["node"]["state"])


async def reason_in(people: Settled, cart: Any) -> str | None:
    decisions = (await quote(people, cart))["decisions"]
    [reason] = [each["reason"] for each in decisions if each["id"] == cart["couponIds"][0]]
    return None if reason is None else str(reason)
