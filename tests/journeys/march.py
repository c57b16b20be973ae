"""One month of two merchants and two members: every answer, by what was asked."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.journeys.town import JSON, Settled, Town, cny, line, settle

AFTER_MARCH = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
SETTINGS = {
    "currency": "CNY",
    "timeZone": "Asia/Shanghai",
    "earnPointsPerMajorUnit": 1,
    "memberPointValue": "1",
    "activationDaysStore": 0,
    "activationDaysOnline": 7,
    "expiry": "MONTHS",
    "expiryMonths": 12,
    "debtPolicy": "DEBT",
    "depositPolicy": "OFF",
    "pointsCapBps": 5000,
}
PERCENT_OFF = {"kind": "PERCENT_OFF", "title": "九折", "percentOffBps": 1000}


async def live_march(town: Town) -> JSON:
    """What everybody was answered; `people` are the ids."""
    story: JSON = {}
    story["settings"] = await town.query("AllianceSettings", town.admin)
    story["configured"] = await town.done("ConfigureAlliance", town.admin, **SETTINGS)
    people = await settle(town)
    for part in (_make_rules, _meet, _sell_at_tea, _sell_at_books, _refund, _look):
        await part(town, people, story)
    await _settle_accounts(town, people, story)
    return {**story, "people": people}


async def _make_rules(town: Town, people: Settled, story: JSON) -> None:
    till = town.merchant(people.tea)
    story["ladder"] = await town.done(
        "SetTierLadder",
        till,
        merchantId=people.tea,
        name="次数",
        metric="PURCHASE_COUNT",
        steps=[
            {"name": "新客", "rank": 1, "threshold": 1},
            {"name": "普通", "rank": 2, "threshold": 2, "benefits": [PERCENT_OFF]},
        ],
    )
    await town.done(
        "SetTierLadder",
        town.admin,
        merchantId=people.books,
        name="金额",
        metric="AMOUNT",
        steps=[{"name": "银牌", "rank": 1, "threshold": 10_000}],
    )
    story["welcome"] = await town.done(
        "CreateCouponTemplate",
        till,
        merchantId=people.tea,
        title="新人券",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(0),
        validDays=30,
        forNewMembers=True,
    )
    story["template"] = await town.done(
        "CreateCouponTemplate",
        till,
        merchantId=people.tea,
        title="满50减10",
        kind="AMOUNT_OFF",
        amount=cny(1_000),
        minSpend=cny(5_000),
        validDays=30,
    )
    story["merchants"] = await town.query("Merchants", town.admin)


async def _meet(town: Town, people: Settled, story: JSON) -> None:
    till = town.merchant(people.tea)
    story["bob joins tea"] = await town.done(
        "Join",
        till,
        storeId=people.tea_shop,
        credential={"cardNumber": await town.card_number(people.bob)},
        consents=[],
    )
    await town.join(people.books, people.books_shop, cardNumber=await town.card_number(people.ann))
    story["issued"] = await town.done(
        "IssueCoupons",
        till,
        templateId=story["template"]["template"]["id"],
        cardIds=[people.ann_card],
    )
    story["identified"] = await town.query(
        "Identify",
        till,
        credential={"phone": "+8613800000001"},
        storeId=people.tea_shop,
    )


async def _sell_at_tea(town: Town, people: Settled, story: JSON) -> None:
    till = town.merchant(people.tea, people.tea_shop)
    coupon_id = story["issued"]["coupons"][0]["id"]
    cart = {
        "storeId": people.tea_shop,
        "cardId": people.ann_card,
        "lines": [line(5_000, quantity=2)],
        "couponIds": [coupon_id],
        "chooseBest": False,
    }
    story["quote"] = await town.query("Quote", till, cart=cart)
    story["held"] = await town.done(
        "HoldCheckout", till, cart=cart, quoteVersion=story["quote"]["version"]
    )
    checkout_id = story["held"]["checkout"]["id"]
    story["extended"] = await town.done("ExtendCheckout", till, checkoutId=checkout_id)
    story["captured"] = await town.done(
        "CaptureCheckout", till, checkoutId=checkout_id, orderNo="T-1"
    )


async def _sell_at_books(town: Town, people: Settled, story: JSON) -> None:
    till = town.merchant(people.books)
    story["sold"] = await town.sell(
        people.books, people.books_shop, "B-1", 20_000, cardId=people.ann_card, points=50
    )
    await town.sell(people.books, people.books_shop, "B-2", 30_000, cardId=people.bob_card)
    cart = {
        "storeId": people.books_shop,
        "cardId": people.bob_card,
        "lines": [line(1_000)],
        "points": 100,
    }
    quote = await town.query("Quote", till, cart=cart)
    held = await town.done("HoldCheckout", till, cart=cart, quoteVersion=quote["version"])
    story["released"] = await town.done("ReleaseCheckout", till, checkoutId=held["checkout"]["id"])


async def _refund(town: Town, people: Settled, story: JSON) -> None:
    till = town.merchant(people.tea)
    order_id = story["captured"]["order"]["id"]
    story["terms"] = await town.query("RefundPreview", till, orderId=order_id, amount=cny(3_000))
    story["refunded"] = await town.done(
        "RefundOrder", till, orderId=order_id, refundNo="R-1", amount=cny(3_000)
    )


async def _look(town: Town, people: Settled, story: JSON) -> None:
    ann = town.member(people.ann)
    story["card"] = (await town.query("MyCard", ann, withinDays=400))["card"]
    story["history"] = (await town.query("MyHistory", ann))["card"]["entries"]
    at_tea = next(
        each
        for each in story["card"]["memberships"]["nodes"]
        if each["merchant"]["id"] == people.tea
    )
    story["at tea"] = at_tea
    story["my orders"] = await town.query("MyOrders", ann, membershipId=at_tea["id"])
    story["bobs history"] = (await town.query("MyHistory", town.member(people.bob)))["card"]
    story["orders"] = await town.query(
        "Orders", town.merchant(people.books), merchantId=people.books
    )


async def _settle_accounts(town: Town, people: Settled, story: JSON) -> None:
    admin, tea = town.admin, town.merchant(people.tea)
    story["rules"] = await town.query("SettlementRules", admin)
    [period] = (await town.query("Periods", admin))["nodes"]
    story["open period"] = await town.query("Period", admin, id=period["id"])
    story["too early"] = await town.change("ClosePeriod", admin, periodId=period["id"])
    town.gateway.clock.set(AFTER_MARCH)
    story["closed"] = await town.done("ClosePeriod", admin, periodId=period["id"])
    story["periods"] = await town.query("Periods", admin)
    story["period"] = await town.query("Period", admin, id=period["id"])
    story["entries"] = await town.query(
        "StatementEntries", admin, periodId=period["id"], merchantId=people.tea
    )
    story["my statements"] = await town.query("MyStatements", tea, merchantId=people.tea)
    story["my statement"] = await town.query(
        "MyStatement", tea, merchantId=people.tea, periodId=period["id"]
    )
