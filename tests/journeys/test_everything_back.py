"""Whatever was sold, held and returned in parts: once all is back, everybody has what they had."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.journeys.march import SETTINGS
from tests.journeys.town import Settled, cny, line, settle, town_at

SEEDS = range(3)
ORDER = """query($id: ID!) { node(id: $id) { ... on Order {
  state payable { amountMinor } refunded { amountMinor } pointsSpent coinsSpent { amountMinor }
  lines { quantity } } } }"""
CARD = """{ me { card {
  points { available held pending debt } coins { available { amountMinor } held { amountMinor } }
} } }"""
NETS = """query($id: ID!) { merchant(id: $id) {
  statements(first: 100) { nodes { net { amountMinor } } } } }"""
FACES: list[dict[str, Any]] = [
    {"kind": "AMOUNT_OFF", "amount": cny(1_500), "minSpend": cny(2_000)},
    {"kind": "PERCENT_OFF", "percentOffBps": 3_333, "minSpend": cny(1)},
    {
        "kind": "AMOUNT_OFF",
        "amount": cny(1_001),
        "minSpend": cny(3_001),
        "onPartialRefund": "RECHECK_MIN_SPEND",
    },
    {
        "kind": "PERCENT_OFF",
        "percentOffBps": 10_000,
        "minSpend": cny(2_500),
        "onPartialRefund": "RECHECK_MIN_SPEND",
    },
    {"kind": "GIFT", "giftZone": {"skus": ["cup", "pot"], "pick": 2}, "minSpend": cny(1_000)},
    {
        "kind": "EXCHANGE",
        "giftZone": {"skus": ["pot"], "addOnPrice": cny(99)},
        "minSpend": cny(1_500),
        "onPartialRefund": "RECHECK_MIN_SPEND",
    },
    {"kind": "SHIPPING", "minSpend": cny(500)},
]
FUNDERS: list[dict[str, Any]] = [
    {},
    {"funder": "ALLIANCE"},
    {"funder": "SPLIT", "funderAllianceBps": 3_333},
]
BENEFITS: list[dict[str, Any]] = [
    {"kind": "PERCENT_OFF", "title": "九折", "percentOffBps": 1_000},
    {"kind": "POINTS_MULTIPLIER", "title": "三倍", "pointsMultiplierBps": 33_333},
    {"kind": "GIFT", "title": "赠杯", "giftSku": "cup", "minSpend": cny(2_000)},
    {"kind": "FREE_SHIPPING", "title": "包邮"},
]
PROMOTIONS: list[dict[str, Any]] = [
    {"title": "满30减7", "kind": "THRESHOLD_OFF", "threshold": cny(3_000), "off": cny(707)},
    {"title": "壶特价", "kind": "FLASH_SALE", "price": cny(333), "skus": ["pot"], "stock": 9},
]


@dataclass
class Trade:
    """Lets chance trade with ann at tea and at books."""

    people: Settled
    chance: Random
    shops: dict[str, str]
    templates: list[tuple[str, str]] = field(default_factory=list)
    coupons: list[tuple[str, str]] = field(default_factory=list)
    held: list[tuple[str, str]] = field(default_factory=list)
    orders: list[tuple[str, str]] = field(default_factory=list)

    async def furnish(self) -> None:
        people = self.people
        for merchant in self.shops:
            till = people.town.merchant(merchant)
            await people.town.done(
                "SetTierLadder",
                till,
                merchantId=merchant,
                name="次数",
                metric="PURCHASE_COUNT",
                steps=[{"name": "普通", "rank": 1, "threshold": 2, "benefits": BENEFITS}],
            )
            for promotion in self.chance.sample(PROMOTIONS, self.chance.randrange(3)):
                await people.town.done(
                    "SetPromotion",
                    till,
                    merchantId=merchant,
                    startsAt="2026-03-01T00:00:00Z",
                    endsAt="2036-03-01T00:00:00Z",
                    **promotion,
                )
        alliance = (await people.town.query("AllianceSettings", people.town.admin))["merchant"]
        for merchant in (*self.shops, alliance["id"]):
            for number, face in enumerate(self.chance.sample(FACES, 4)):
                made = await people.town.done(
                    "CreateCouponTemplate",
                    people.town.admin,
                    merchantId=merchant,
                    title="券",
                    quotaPerMember=1_000,
                    stackingGroup=f"g{number % 2}",
                    validDays=self.chance.choice([2, 300]),
                    **face,
                    **({} if merchant == alliance["id"] else self.chance.choice(FUNDERS)),
                )
                self.templates.append((merchant, made["template"]["id"]))

    async def happen(self) -> None:
        choices = [self.sell, self.sell, self.hold, self.capture, self.release]
        choices += [
            self.refund_units,
            self.refund_units,
            self.refund_amount,
            self.issue,
            self.issue,
        ]
        await self.chance.choice(choices)()
        if self.chance.random() < 0.2:
            clock = self.people.town.gateway.clock
            clock.set(clock.now() + timedelta(hours=self.chance.randrange(1, 30)))

    def cart(self, merchant: str) -> dict[str, Any]:
        chance = self.chance
        skus = chance.sample(["tea", "cup", "pot", "tin"], chance.randrange(1, 5))
        prices = [0, 1, 333, 999, 2_500, 10_001]
        more: dict[str, Any] = {}
        if chance.random() < 0.4:
            more["shipping"] = cny(chance.choice([1, 700]))
        return {
            "storeId": self.shops[merchant],
            "cardId": self.people.ann_card,
            "lines": [
                line(chance.choice(prices), sku=sku, quantity=chance.randrange(1, 4))
                for sku in skus
            ],
            **more,
        }

    async def funded(self, merchant: str) -> dict[str, Any]:
        """A cart that spends some of what the card has."""
        cart, have = self.cart(merchant), await self.card()
        if not have["points"]["debt"] and self.chance.random() < 0.5:
            cart["points"] = self.chance.randrange(have["points"]["available"] + 1)
        if self.chance.random() < 0.4:
            coins = have["coins"]["available"]["amountMinor"]
            cart["coins"] = cny(self.chance.randrange(min(coins, 900) + 1))
        return cart

    async def card(self) -> Any:
        town = self.people.town
        data = await town.gateway.data(CARD, token=town.member(self.people.ann))
        return data["me"]["card"]

    def merchant(self) -> tuple[str, str]:
        merchant = self.chance.choice(list(self.shops))
        return merchant, self.people.town.merchant(merchant)

    def note(self, merchant: str, answer: Any) -> None:
        if "order" in answer:
            self.orders.append((merchant, answer["order"]["id"]))

    async def sell(self) -> None:
        merchant, till = self.merchant()
        town = self.people.town
        self.note(
            merchant,
            await town.change(
                "Checkout", till, orderNo=town.request_id(), cart=await self.funded(merchant)
            ),
        )

    async def hold(self) -> None:
        merchant, till = self.merchant()
        cart = await self.funded(merchant)
        quote = await self.people.town.query("Quote", till, cart=cart)
        answer = await self.people.town.change(
            "HoldCheckout", till, cart=cart, quoteVersion=quote["version"]
        )
        if "checkout" in answer:
            self.held.append((merchant, answer["checkout"]["id"]))

    async def capture(self) -> None:
        """Of a checkout that is held, or was released before."""
        if self.held:
            merchant, checkout_id = self.held.pop(self.chance.randrange(len(self.held)))
            town = self.people.town
            till = town.merchant(merchant)
            answer = await town.done(
                "CaptureCheckout", till, checkoutId=checkout_id, orderNo=town.request_id()
            )
            self.note(merchant, answer)

    async def release(self) -> None:
        if self.held:
            merchant, checkout_id = self.chance.choice(self.held)
            await self.people.town.change(
                "ReleaseCheckout", self.people.town.merchant(merchant), checkoutId=checkout_id
            )

    async def issue(self) -> None:
        _, template_id = self.chance.choice(self.templates)
        await self.people.town.change(
            "IssueCoupons",
            self.people.town.admin,
            templateId=template_id,
            cardIds=[self.people.ann_card],
        )

    async def refund_units(self) -> None:
        if self.orders:
            merchant, order_id = self.chance.choice(self.orders)
            lines = (await self.order(order_id))["lines"]
            index = self.chance.randrange(len(lines))
            units = self.chance.randrange(1, lines[index]["quantity"] + 1)
            await self.refund(merchant, order_id, lines=[{"lineIndex": index, "quantity": units}])

    async def refund_amount(self) -> None:
        if self.orders:
            merchant, order_id = self.chance.choice(self.orders)
            await self.refund(merchant, order_id, amount=cny(self.chance.choice([1, 77, 1_000])))

    async def refund(self, merchant: str, order_id: str, **what: Any) -> Any:
        town = self.people.town
        answer = await town.change(
            "RefundOrder",
            town.merchant(merchant),
            orderId=order_id,
            refundNo=town.request_id(),
            **what,
        )
        if "refund" in answer:
            told = answer["refund"]
            assert told["cash"]["amountMinor"] >= 0
            assert told["pointsReturned"] >= 0
            assert told["coinsReturned"]["amountMinor"] >= 0
        return answer

    async def order(self, order_id: str) -> Any:
        town = self.people.town
        data = await town.gateway.data(ORDER, token=town.admin, id=order_id)
        return data["node"]

    async def return_all(self) -> None:
        """Every unit that is left, of every order, line by line, in any order."""
        self.chance.shuffle(self.orders)
        for merchant, order_id in self.orders:
            lines = list(enumerate((await self.order(order_id))["lines"]))
            self.chance.shuffle(lines)
            for index, each in lines:
                for units in range(each["quantity"], 0, -1):
                    asked = [{"lineIndex": index, "quantity": units}]
                    if "refund" in await self.refund(merchant, order_id, lines=asked):
                        break

    async def net(self, merchant: str) -> int:
        town = self.people.town
        data = await town.gateway.data(NETS, token=town.admin, id=merchant)
        return sum(each["net"]["amountMinor"] for each in data["merchant"]["statements"]["nodes"])


@pytest.mark.slow
@pytest.mark.parametrize("point_value", ["1", "1/3", "7/2"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_once_all_is_back_everybody_has_what_they_had(
    tmp_path: Path, seed: int, point_value: str
) -> None:
    async with town_at(tmp_path) as town:
        await town.done(
            "ConfigureAlliance",
            town.admin,
            **SETTINGS | {"memberPointValue": point_value, "earnPointsPerMajorUnit": 7},
        )
        people = await settle(town)
        await town.join(
            people.books, people.books_shop, cardNumber=await town.card_number(people.ann)
        )
        shops = {people.tea: people.tea_shop, people.books: people.books_shop}
        trade = Trade(people, Random(f"{seed} {point_value}"), shops)
        await trade.furnish()
        await town.done(
            "GrantCoins",
            town.admin,
            cardId=people.ann_card,
            amount=cny(5_000),
            reason="chance",
        )
        for _ in range(60):
            await trade.happen()
        for merchant, checkout_id in trade.held:
            await town.change("ReleaseCheckout", town.merchant(merchant), checkoutId=checkout_id)
        assert (await town.opened.ledger.verify()).findings == ()

        await trade.return_all()

        orders = [await trade.order(order_id) for _, order_id in trade.orders]
        assert orders
        assert {each["state"] for each in orders} == {"REFUNDED"}
        assert [each["refunded"] for each in orders] == [each["payable"] for each in orders]
        card = await trade.card()
        assert card["points"] == {"available": 0, "held": 0, "pending": 0, "debt": 0}
        assert card["coins"] == {"available": cny_of(5_000), "held": cny_of(0)}
        assert [await trade.net(merchant) for merchant in shops] == [0, 0]
        assert (await town.opened.ledger.verify()).findings == ()


def cny_of(amount_minor: int) -> dict[str, int]:
    return {"amountMinor": amount_minor}
