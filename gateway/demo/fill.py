"""Lives the invented life through the GraphQL API, with the clock of its days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from gateway.demo.events import InventedMember, InventedOrder, invented_orders
from gateway.demo.merchants import AMOUNT_LADDER, COUNT_LADDER, MERCHANTS, InventedMerchant
from gateway.feeding import operations
from gateway.feeding.client import GraphQLClient
from gateway.feeding.periods import close_ended_periods

CURRENCY = "CNY"
ZONE = ZoneInfo("Asia/Shanghai")
STORE_NAMES = {
    "STORE_POS": ("门店", "Shop"),
    "WEB_SHOP": ("网店", "Web shop"),
    "MINI_PROGRAM": ("小程序", "Mini program"),
    "APP": ("App", "App"),
}
COUPONS_AT_ONCE = 50


@dataclass(slots=True)
class Filled:
    """Ids that the alliance gave while it was filled."""

    alliance_id: str = ""
    merchants: dict[str, str] = field(default_factory=dict)
    stores: dict[tuple[str, str], str] = field(default_factory=dict)
    thirty_off: dict[str, str] = field(default_factory=dict)
    members: dict[int, str] = field(default_factory=dict)
    cards: dict[int, str] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    joined: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


class Filling:
    """Fills one alliance; repeating it after a crash changes nothing that was done."""

    def __init__(
        self,
        client: GraphQLClient,
        *,
        admin_token: str,
        merchant_token: Callable[[str], str],
        set_clock: Callable[[datetime], Awaitable[None]],
        on_progress: Callable[[int], None],
    ) -> None:
        self._client = client
        self._admin_token = admin_token
        self._merchant_token = merchant_token
        self._set_clock = set_clock
        self._on_progress = on_progress
        self._ids = Filled()

    async def fill(self, until: date) -> Filled:
        """Two years of orders up to the day before `until`; every ended month is closed."""
        days = groupby(invented_orders(until), key=lambda order: order.day)
        is_first = True
        for day, orders in days:
            await self._set_clock(_at(day, 10))
            if is_first:
                await self._found()
                is_first = False
            if day.day == 2:
                await close_ended_periods(self._client, self._admin_token, now=_at(day, 10))
            for order in orders:
                await self._live(order)
                self._on_progress(1)
        await self._set_clock(_at(until, 9))
        await self._hand_out_coupons()
        return self._ids

    async def _found(self) -> None:
        data = await self._client.ask(operations.ALLIANCE, {}, token=self._admin_token)
        self._ids.alliance_id = data["allianceSettings"]["merchant"]["id"]
        await self._set_ladder(self._ids.alliance_id, "联盟次数", "PURCHASE_COUNT", COUNT_LADDER)
        await self._set_ladder(self._ids.alliance_id, "联盟金额", "AMOUNT", AMOUNT_LADDER[1:])
        for merchant in MERCHANTS:
            await self._admit(merchant)

    async def _admit(self, merchant: InventedMerchant) -> None:
        admitted = await self._change(
            operations.ADMIT_MERCHANT,
            "MerchantAdmitted",
            f"admit-{merchant.reference}",
            reference=merchant.reference,
            name=merchant.name,
            nameEn=merchant.name_en,
            backend={"kind": "HOSTED"},
        )
        merchant_id = self._ids.merchants[merchant.reference] = admitted["merchant"]["id"]
        for channel in merchant.channels:
            opened = await self._change(
                operations.OPEN_STORE,
                "StoreOpened",
                f"open-{merchant.reference}-{channel}",
                merchantId=merchant_id,
                reference=channel,
                name=f"{merchant.name}{STORE_NAMES[channel][0]}",
                channel=channel,
            )
            self._ids.stores[merchant.reference, channel] = opened["store"]["id"]
        is_by_count = merchant.ladder == "COUNT"
        await self._set_ladder(
            merchant_id,
            "会员等级",
            "PURCHASE_COUNT" if is_by_count else "AMOUNT",
            COUNT_LADDER if is_by_count else AMOUNT_LADDER,
        )
        await self._create_coupons(merchant, merchant_id)

    async def _set_ladder(
        self, merchant_id: str, name: str, metric: str, steps: tuple[tuple[str, str, int], ...]
    ) -> None:
        await self._change(
            operations.SET_TIER_LADDER,
            "TierLadderSet",
            f"ladder-{merchant_id}-{name}",
            merchantId=merchant_id,
            name=name,
            primary=True,
            metric=metric,
            steps=[
                {
                    "name": step,
                    "nameEn": step_en,
                    "rank": rank,
                    "threshold": threshold,
                    "benefits": _benefits(rank),
                }
                for rank, (step, step_en, threshold) in enumerate(steps, start=1)
            ],
        )

    async def _create_coupons(self, merchant: InventedMerchant, merchant_id: str) -> None:
        await self._change(
            operations.CREATE_COUPON_TEMPLATE,
            "CouponTemplateCreated",
            f"welcome-{merchant.reference}",
            merchantId=merchant_id,
            title=f"{merchant.name}新人券 ¥10",
            kind="AMOUNT_OFF",
            amount=_money(1_000),
            minSpend=_money(0),
            validDays=90,
            forNewMembers=True,
        )
        made = await self._change(
            operations.CREATE_COUPON_TEMPLATE,
            "CouponTemplateCreated",
            f"thirty-{merchant.reference}",
            merchantId=merchant_id,
            title=f"{merchant.name}满200减30",
            kind="AMOUNT_OFF",
            amount=_money(3_000),
            minSpend=_money(20_000),
            validDays=365,
        )
        self._ids.thirty_off[merchant.reference] = made["template"]["id"]

    async def _live(self, order: InventedOrder) -> None:
        reference = order.merchant.reference
        token = self._merchant_token(self._ids.merchants[reference])
        store_id = self._ids.stores[reference, order.channel]
        if order.member.number not in self._ids.joined[reference]:
            await self._join(order.member, reference, store_id, token)
        card_id = self._ids.cards[order.member.number]
        captured = await self._check_out(order, card_id, store_id, token)
        if order.refund is not None:
            await self._refund(order, captured["order"]["id"], token)

    async def _join(
        self, member: InventedMember, reference: str, store_id: str, token: str
    ) -> None:
        number = self._ids.numbers.get(member.number)
        joined = await self._change(
            operations.JOIN,
            "Joined",
            f"join-{reference}-{member.number}",
            token=token,
            storeId=store_id,
            credential={"phone": member.phone} if number is None else {"cardNumber": number},
            consents=["SERVICE"],
            profile={"displayName": member.name},
        )
        self._ids.joined[reference].add(member.number)
        self._ids.members[member.number] = joined["member"]["id"]
        self._ids.cards[member.number] = joined["member"]["card"]["id"]
        self._ids.numbers[member.number] = joined["member"]["card"]["number"]

    async def _check_out(
        self, order: InventedOrder, card_id: str, store_id: str, token: str
    ) -> Any:
        points = order.points
        if points:
            data = await self._client.ask(
                operations.POINTS, {"id": card_id}, token=self._admin_token
            )
            points = min(points, data["node"]["points"]["available"])
        return await self._change(
            operations.CHECKOUT,
            "CheckoutCaptured",
            f"order-{order.number}",
            token=token,
            orderNo=order.number,
            cart={
                "storeId": store_id,
                "cardId": card_id,
                "lines": [_line(order, article, quantity) for article, quantity in order.lines],
                **({"points": points} if points else {}),
            },
        )

    async def _refund(self, order: InventedOrder, order_id: str, token: str) -> None:
        data = await self._client.ask(operations.PAYABLE, {"id": order_id}, token=token)
        payable_minor = data["node"]["payable"]["amountMinor"]
        if payable_minor == 0:
            return
        what: dict[str, Any] = (
            {"lines": [{"lineIndex": 0, "quantity": 1}]}
            if order.refund == "LINE"
            else {"amount": _money(max(1, payable_minor // 4))}
        )
        await self._change(
            operations.REFUND_ORDER,
            "OrderRefunded",
            f"refund-{order.number}",
            token=token,
            orderId=order_id,
            refundNo=f"R-{order.number}",
            **what,
        )

    async def _hand_out_coupons(self) -> None:
        for reference, template_id in self._ids.thirty_off.items():
            regulars = sorted(self._ids.joined[reference])[:COUPONS_AT_ONCE]
            await self._change(
                operations.ISSUE_COUPONS,
                "CouponsIssued",
                f"issue-{reference}",
                templateId=template_id,
                cardIds=[self._ids.cards[number] for number in regulars],
            )

    async def _change(
        self,
        document: str,
        success: str,
        request_id: str,
        *,
        token: str | None = None,
        **fields: Any,
    ) -> Any:
        return await self._client.change(
            document,
            {"input": {"requestId": f"demo-{request_id}", **fields}},
            token=token or self._admin_token,
            success=success,
        )


def _benefits(rank: int) -> list[dict[str, Any]]:
    """Rank 3 pays 98 %, rank 4 pays 95 % and is served by an agent of its own."""
    if rank < 3:
        return []
    percent_off = {"kind": "PERCENT_OFF", "title": "会员折扣", "percentOffBps": 200}
    if rank == 3:
        return [percent_off]
    own_agent = {"kind": "OWN_AGENT", "title": "专属客服", "entitlement": "OWN_AGENT"}
    return [{**percent_off, "percentOffBps": 500}, own_agent]


def _line(order: InventedOrder, article_index: int, quantity: int) -> dict[str, Any]:
    article = order.merchant.articles[article_index]
    return {
        "sku": article.sku,
        "categoryId": article.category,
        "quantity": quantity,
        "unitPrice": _money(article.price_minor),
    }


def _money(amount_minor: int) -> dict[str, Any]:
    return {"amountMinor": amount_minor, "currency": CURRENCY}


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time_of_day(hour), tzinfo=ZONE).astimezone(UTC)
