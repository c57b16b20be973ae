"""A merchant is suspended, comes back, winds down and leaves; what it issued stays good."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.town import Settled, cny, settle, town_at


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[Settled]:
    async with town_at(tmp_path) as town:
        yield await settle(town)


async def become(people: Settled, state: str, until: datetime | None = None) -> Any:
    more = {} if until is None else {"redeemUntil": until.isoformat()}
    return await people.town.change(
        "ChangeMerchantState", people.town.admin, merchantId=people.tea, state=state, **more
    )


async def sell(people: Settled, order_no: str, **cart: Any) -> Any:
    """The answer of tea's till to a sale of 100 yuan to ann."""
    town = people.town
    return await town.change(
        "Checkout",
        town.merchant(people.tea),
        orderNo=order_no,
        cart={
            "storeId": people.tea_shop,
            "lines": [{"sku": "tea", "quantity": 1, "unitPrice": cny(10_000)}],
            "cardId": people.ann_card,
            "chooseBest": False,
            **cart,
        },
    )


async def points(people: Settled) -> int:
    card = (await people.town.query("MyCard", people.town.member(people.ann)))["card"]
    return int(card["points"]["available"])


def now(people: Settled) -> datetime:
    return people.town.gateway.clock.now()


def wait(people: Settled, **time: int) -> None:
    people.town.gateway.clock.set(now(people) + timedelta(**time))


async def test_a_suspended_merchant_sells_nothing_until_it_is_active_again(
    people: Settled,
) -> None:
    await become(people, "SUSPENDED")
    refused = await sell(people, "no-1")
    joined = await people.town.change(
        "Join",
        people.town.merchant(people.tea),
        storeId=people.tea_shop,
        credential={"phone": "+8613800000077"},
        consents=[],
    )
    await become(people, "ACTIVE")
    sold = await sell(people, "no-2")

    assert (refused["code"], joined["code"]) == ("MERCHANT_NOT_ACTIVE",) * 2
    assert sold["__typename"] == "CheckoutCaptured"


@pytest.mark.parametrize("days", [1, 70], ids=["winding down", "left"])
async def test_a_late_capture_issues_no_points_of_a_merchant_that_leaves(
    people: Settled, days: int
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    cart = {
        "storeId": people.tea_shop,
        "cardId": people.ann_card,
        "lines": [{"sku": "tea", "quantity": 1, "unitPrice": cny(10_000_000_000)}],
    }
    quote = await town.query("Quote", till, cart=cart)
    held = await town.done("HoldCheckout", till, cart=cart, quoteVersion=quote["version"])
    kept = await town.done("HoldCheckout", till, cart=cart, quoteVersion=quote["version"])
    await town.done("ReleaseCheckout", till, checkoutId=held["checkout"]["id"])
    await become(people, "WINDING_DOWN", now(people) + timedelta(days=30))
    promised = await town.done(
        "CaptureCheckout", till, checkoutId=kept["checkout"]["id"], orderNo="promised"
    )
    wait(people, days=days)
    if days > 30:
        await become(people, "LEFT")

    late = await town.done(
        "CaptureCheckout", till, checkoutId=held["checkout"]["id"], orderNo="late"
    )
    back = await town.done(
        "RefundOrder",
        till,
        orderId=late["order"]["id"],
        refundNo="1",
        lines=[{"lineIndex": 0, "quantity": 1}],
    )

    assert promised["order"]["pointsEarned"] == 100_000_000
    assert late["order"]["pointsEarned"] == 0
    assert late["order"]["payable"] == promised["order"]["payable"]
    assert back["refund"]["pointsClawedBack"] == 0
    assert await points(people) == 100_000_000
    assert (await town.opened.ledger.verify()).findings == ()


async def test_a_merchant_that_winds_down_redeems_until_its_day_and_issues_nothing(
    people: Settled,
) -> None:
    await sell(people, "no-1")
    until = now(people) + timedelta(days=30)
    winding = await become(people, "WINDING_DOWN", until)
    wait(people, days=29, hours=23)
    redeemed = await sell(people, "no-2", points=40)
    store = await people.town.change(
        "OpenStore",
        people.town.admin,
        merchantId=people.tea,
        reference="new",
        name="new",
        channel="APP",
    )
    granted = await people.town.change(
        "GrantCoins",
        people.town.admin,
        cardId=people.ann_card,
        amount=cny(100),
        funderMerchantId=people.tea,
        reason="a late parcel",
    )
    left_early = await become(people, "LEFT")
    wait(people, hours=1)
    too_late = await sell(people, "no-3", points=40)

    assert winding["merchant"]["state"] == "WINDING_DOWN"
    assert datetime.fromisoformat(winding["merchant"]["redeemUntil"]) == until
    assert redeemed["__typename"] == "CheckoutCaptured"
    assert await points(people) == 60
    assert store["code"] == "MERCHANT_NOT_ACTIVE"
    assert (granted["code"], left_early["code"]) == ("INVALID_INPUT",) * 2
    assert too_late["code"] == "MERCHANT_NOT_ACTIVE"


async def test_points_of_a_merchant_that_left_are_good_elsewhere_and_the_pool_is_exact(
    people: Settled,
) -> None:
    town = people.town
    sold = await sell(people, "no-1")
    await become(people, "WINDING_DOWN", now(people) + timedelta(days=30))
    wait(people, days=30)
    left = await become(people, "LEFT")
    member = await town.change(
        "Join",
        town.merchant(people.books),
        storeId=people.books_shop,
        credential={"cardNumber": await town.card_number(people.ann)},
        consents=[],
    )
    spent = await town.sell(
        people.books, people.books_shop, "b-1", 10_000, cardId=people.ann_card, points=70
    )
    refunded = await town.change(
        "RefundOrder",
        town.merchant(people.tea),
        orderId=sold["order"]["id"],
        refundNo="r-1",
        amount=cny(5_000),
    )

    assert left["merchant"]["state"] == "LEFT"
    assert "replayed" in member
    assert spent["__typename"] == "CheckoutCaptured"
    assert refunded["__typename"] == "OrderRefunded"
    assert (await become(people, "ACTIVE"))["code"] == "MERCHANT_NOT_ACTIVE"
    report = await town.opened.ledger.verify()
    assert report.findings == ()
    period = (await town.query("Periods", town.admin))["nodes"][0]
    shown = await town.query("Period", town.admin, id=period["id"])
    assert shown["zeroSum"]
    assert shown["pool"]["balanced"]


async def test_the_deposit_goes_back_thirty_days_after_the_merchant_left(people: Settled) -> None:
    town = people.town
    deposit = {"merchantId": people.tea, "amount": cny(500), "reason": "保证金"}
    await town.done("RecordDeposit", town.admin, **deposit)
    until = now(people) + timedelta(days=40)
    winding = await become(people, "WINDING_DOWN", until)
    wait(people, days=45)
    left = await become(people, "LEFT")
    wait(people, days=29)
    held = await town.change("ReturnDeposit", town.admin, **deposit)
    wait(people, days=1)
    returned = await town.change("ReturnDeposit", town.admin, **deposit)

    ends = [each["merchant"]["depositHeldUntil"] for each in (winding, left)]
    assert datetime.fromisoformat(ends[0]) == until + timedelta(days=30)
    assert datetime.fromisoformat(ends[1]) == until + timedelta(days=35)
    assert held["code"] == "DEPOSIT_HELD"
    assert returned["__typename"] == "DepositReturned"


@pytest.mark.parametrize(
    ("days", "code"), [(29, "INVALID_INPUT"), (30, None), (366, None), (367, "INVALID_INPUT")]
)
async def test_leaving_is_announced_a_month_to_a_year_ahead(
    people: Settled, days: int, code: str | None
) -> None:
    answer = await become(people, "WINDING_DOWN", now(people) + timedelta(days=days))

    assert answer.get("code") == code


async def test_a_restart_finds_every_merchant_as_it_was(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        before = await become(people, "WINDING_DOWN", now(people) + timedelta(days=50))
    async with town_at(tmp_path, seed="again") as again:
        document = "query($id: ID!) { merchant(id: $id) { id state redeemUntil depositHeldUntil } }"
        data = await again.gateway.data(document, token=again.admin, id=people.tea)

    assert data["merchant"] == before["merchant"]


async def test_of_two_quick_changes_the_backend_keeps_the_later(people: Settled) -> None:
    backend = people.town.opened.merchants.backend
    register, begun, overtaken = backend.register, asyncio.Event(), asyncio.Event()

    async def reversed_way(merchant_id: str, state: Any, **more: Any) -> None:
        if state.value == "SUSPENDED":  # It is told after what was told later.
            begun.set()
            await overtaken.wait()
        await register(merchant_id, state, **more)
        overtaken.set()

    backend.register = reversed_way  # type: ignore[method-assign]
    suspending = asyncio.create_task(become(people, "SUSPENDED"))
    await begun.wait()
    active = await become(people, "ACTIVE")
    suspended = await suspending
    sold = await sell(people, "no-1")
    joined = await people.town.join(people.tea, people.tea_shop, phone="+8613800000078")

    assert (active["merchant"]["state"], suspended["merchant"]["state"]) == ("ACTIVE", "SUSPENDED")
    assert sold["__typename"] == "CheckoutCaptured"
    assert all(joined)
    assert "'ACTIVE'" in str(
        [row for row in people.town.dump()["merchants.db:merchant"] if people.tea in row]
    )


async def test_coupons_of_a_merchant_that_leaves_end_with_its_redemption(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    template = await town.done(
        "CreateCouponTemplate",
        till,
        merchantId=people.tea,
        title="减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
        quotaPerMember=2,
    )
    await town.done(
        "IssueCoupons", till, templateId=template["template"]["id"], cardIds=[people.ann_card]
    )
    until = now(people) + timedelta(days=30)

    async def shown() -> list[Any]:
        me = await town.query("MyCard", town.member(people.ann))
        nodes: list[Any] = me["card"]["memberships"]["nodes"][0]["wallet"]["coupons"]["nodes"]
        return nodes

    [before] = await shown()
    await become(people, "WINDING_DOWN", until)
    [winding] = await shown()
    sold = await sell(people, "no-1", couponIds=[winding["id"]])
    refunded = await town.done(
        "RefundOrder",
        till,
        orderId=sold["order"]["id"],
        refundNo="r-1",
        lines=[{"lineIndex": 0, "quantity": 1}],
    )
    [back] = await shown()
    wait(people, days=30)

    assert before["validUntil"] is None
    assert datetime.fromisoformat(winding["validUntil"]) == until
    assert sold["order"]["payable"]["amountMinor"] == 9_500
    assert (refunded["refund"]["couponOutcome"], back) == ("RETURNED", winding)
    assert await shown() == []
