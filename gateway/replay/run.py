"""Drives a replay: day by day, orders before refunds, members side by side."""

from __future__ import annotations

import asyncio
import calendar
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any, TypeVar
from zlib import crc32
from zoneinfo import ZoneInfo

from gateway.feeding import operations
from gateway.feeding.client import GraphQLClient
from gateway.feeding.periods import CLOSABLE_AFTER, close_ended_periods
from gateway.replay.figures import read_figures, read_standings, tier_bands
from gateway.replay.history import Day, History, HistoryOrder, HistoryRefund
from gateway.replay.journal import Journal
from gateway.replay.merchant_tiers import read_merchant_tiers
from gateway.replay.recount import CountedTiers
from gateway.replay.setting_up import CURRENCY, TIME_ZONE, Names, set_up

MEMBERS_AT_ONCE = 32
ISSUER = "history"
ORDERS_AT = time_of_day(10)
REFUNDS_AT = time_of_day(16)

EventT = TypeVar("EventT", HistoryOrder, HistoryRefund)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay amounts to.

    Attributes:
        figures: read back through the API.
        month_ends: tier bands at the end of each month that had an event.
        events: orders and refunds sent in this run.
        requests: GraphQL requests sent in this run, set-up and reading back included.
        seconds: how long the sending of the events took.
        merchant_tiers: tiers by (merchant, member), when they were asked for.
    """

    figures: dict[str, Any]
    month_ends: dict[str, Any]
    events: int
    requests: int
    seconds: float
    merchant_tiers: dict[tuple[str, str], CountedTiers] | None = None


class Replay:
    """One run over a history; what the journal knows already is not sent again."""

    def __init__(
        self,
        history: History,
        *,
        clients: Sequence[GraphQLClient],
        journal: Journal,
        admin_token: str,
        merchant_token: Callable[[str], str],
        set_clock: Callable[[datetime], Awaitable[None]],
        on_progress: Callable[[int], None],
        with_tiers: bool = False,
    ) -> None:
        self._history = history
        self._with_tiers = with_tiers
        self._clients = clients
        self._client = clients[0]
        self._journal = journal
        self._admin_token = admin_token
        self._merchant_token = merchant_token
        self._set_clock = set_clock
        self._on_progress = on_progress
        self._zone = ZoneInfo(TIME_ZONE)
        self._cards: dict[str, str] = journal.read("card")
        self._joined: dict[str, int] = journal.read("joined")
        self._orders: dict[str, str] = journal.read("order")
        self._refunds: dict[str, list[int]] = journal.read("refund")
        self._standings: dict[str, dict[str, int]] = journal.read("standing")
        self._fresh: dict[str, dict[str, Any]] = defaultdict(dict)
        self._in_flight = asyncio.Semaphore(MEMBERS_AT_ONCE)
        self._closed_until: datetime | None = None
        self._names = Names({}, {})

    async def run(self) -> Outcome:
        """Replays what is left, then reads every figure back.

        Raises:
            FeedFailed: the server's answer does not fit the history.
        """
        last_day = self._journal.last_day()
        first_day = self._history.days[0].day
        await self._set_clock(self._instant(last_day or first_day, time_of_day(0)))
        self._names = await set_up(self._client, self._history, admin_token=self._admin_token)
        days = [day for day in self._history.days if last_day is None or day.day > last_day]
        started = time.perf_counter()
        for day in days:
            await self._end_months_before(day.day)
            await self._replay_day(day)
        seconds = time.perf_counter() - started
        await self._finish()
        figures = await read_figures(
            self._client,
            self._names,
            card_by_member=self._cards,
            refunds={number: cash for number, (cash, _) in self._refunds.items()},
            refunds_capped=sum(is_capped for _, is_capped in self._refunds.values()),
            admin_token=self._admin_token,
        )
        tiers = None
        if self._with_tiers:
            tiers = await read_merchant_tiers(
                self._client,
                self._names,
                card_by_member=self._cards,
                admin_token=self._admin_token,
            )
        return Outcome(
            figures=figures,
            merchant_tiers=tiers,
            month_ends=dict(sorted(self._journal.read("month").items())),
            events=sum(len(day.orders) + len(day.refunds) for day in days),
            requests=sum(client.requests_sent for client in self._clients),
            seconds=seconds,
        )

    async def _replay_day(self, day: Day) -> None:
        await self._set_clock(self._instant(day.day, ORDERS_AT))
        await self._close_periods(self._instant(day.day, ORDERS_AT))
        await self._by_member(day.orders, self._send_order)
        if day.refunds:
            await self._set_clock(self._instant(day.day, REFUNDS_AT))
            await self._by_member(day.refunds, self._send_refund)
        self._fresh["day"][day.day.isoformat()] = len(day.orders) + len(day.refunds)
        self._keep()

    async def _by_member(
        self, events: Sequence[EventT], send: Callable[[EventT], Awaitable[None]]
    ) -> None:
        """Sends the events, those of one member one after the other."""
        by_member: dict[str, list[EventT]] = defaultdict(list)
        for event in events:
            by_member[event.member].append(event)

        async def in_order(own: Iterable[EventT]) -> None:
            async with self._in_flight:
                for event in own:
                    await send(event)
                    self._on_progress(1)

        async with asyncio.TaskGroup() as group:
            for own in by_member.values():
                group.create_task(in_order(own))

    async def _send_order(self, order: HistoryOrder) -> None:
        store_id = self._names.stores[order.merchant, order.channel]
        token = self._merchant_token(self._names.merchants[order.merchant])
        membership = f"{order.member}@{order.merchant}"
        if membership not in self._joined:
            await self._join(order.member, membership, store_id, token)
        captured = await self._client_of(order.member).change(
            operations.CHECKOUT,
            {
                "input": {
                    "requestId": f"order-{order.number}",
                    "orderNo": order.number,
                    "cart": {
                        "storeId": store_id,
                        "cardId": self._cards[order.member],
                        "lines": [
                            {
                                "sku": line.sku,
                                "categoryId": line.category,
                                "quantity": line.quantity,
                                "unitPrice": _money(line.unit_price_minor),
                            }
                            for line in order.lines
                        ],
                    },
                }
            },
            token=token,
            success="CheckoutCaptured",
        )
        self._learn("order", self._orders, order.number, captured["order"]["id"])

    def _client_of(self, member: str) -> GraphQLClient:
        """The client of the server that serves this member, always the same."""
        return self._clients[crc32(member.encode()) % len(self._clients)]

    async def _join(self, member: str, membership: str, store_id: str, token: str) -> None:
        joined = await self._client_of(member).change(
            operations.JOIN,
            {
                "input": {
                    "requestId": f"join-{membership}",
                    "storeId": store_id,
                    "credential": {"merchantReference": {"issuer": ISSUER, "value": member}},
                    "consents": [],
                }
            },
            token=token,
            success="Joined",
        )
        self._learn("card", self._cards, member, joined["member"]["card"]["id"])
        self._learn("joined", self._joined, membership, 1)

    async def _send_refund(self, refund: HistoryRefund) -> None:
        token = self._merchant_token(self._names.merchants[refund.merchant])
        outcome = await self._refund(refund, refund.amount_minor, token, suffix="")
        is_capped = outcome["__typename"] == "RefundExceedsOrderRefusal"
        if is_capped and (left := outcome["refundable"]["amountMinor"]):
            outcome = await self._refund(refund, left, token, suffix="-capped")
        cash = outcome["refund"]["cash"]["amountMinor"] if "refund" in outcome else 0
        self._learn("refund", self._refunds, refund.number, [cash, int(is_capped)])

    async def _refund(
        self, refund: HistoryRefund, amount_minor: int, token: str, *, suffix: str
    ) -> Any:
        return await self._client_of(refund.member).change(
            operations.REFUND_ORDER,
            {
                "input": {
                    "requestId": f"refund-{refund.number}{suffix}",
                    "orderId": self._orders[refund.order],
                    "refundNo": refund.number,
                    "amount": _money(amount_minor),
                }
            },
            token=token,
            success="OrderRefunded",
            allowed=("RefundExceedsOrderRefusal",),
        )

    async def _end_months_before(self, day: date) -> None:
        """Takes the standings of every month that ended before `day` and was not taken yet."""
        taken = self._journal.read("month")
        ended = {(past.day.year, past.day.month) for past in self._history.days if past.day < day}
        for year, month in sorted(ended - {(day.year, day.month)}):
            name = f"{year}-{month:02}"
            if name not in taken:
                await self._take_month(name)

    async def _take_month(self, name: str) -> None:
        year, month = int(name[:4]), int(name[5:])
        days = [day for day in self._history.days if (day.day.year, day.day.month) == (year, month)]
        moved = {order.member for day in days for order in day.orders}
        moved |= {refund.member for day in days for refund in day.refunds}
        cards = sorted(self._cards[member] for member in moved)
        standings = await read_standings(self._client, cards, admin_token=self._admin_token)
        for card, standing in standings.items():
            self._learn("standing", self._standings, card, standing)
        self._fresh["month"][name] = {
            "members": len(self._standings),
            **tier_bands(self._standings.values()),
        }
        self._keep()

    async def _finish(self) -> None:
        last = self._history.days[-1].day
        await self._end_months_before(_next_month(last))
        closing_at = self._instant(_next_month(last), time_of_day(0)) + CLOSABLE_AFTER
        await self._set_clock(closing_at)
        await self._close_periods(closing_at)

    async def _close_periods(self, now: datetime) -> None:
        """Closes every period that ended long enough before `now`, the oldest first."""
        if self._closed_until is not None and now < self._closed_until + CLOSABLE_AFTER:
            return
        await close_ended_periods(self._client, self._admin_token, now=now)
        local = now.astimezone(self._zone).date()
        self._closed_until = self._instant(_next_month(local), time_of_day(0))

    def _instant(self, day: date, at: time_of_day) -> datetime:
        return datetime.combine(day, at, tzinfo=self._zone).astimezone(UTC)

    def _learn(self, kind: str, known: dict[str, Any], name: str, value: Any) -> None:
        known[name] = value
        self._fresh[kind][name] = value

    def _keep(self) -> None:
        self._journal.keep(self._fresh)
        self._fresh = defaultdict(dict)


def _money(amount_minor: int) -> dict[str, Any]:
    return {"amountMinor": amount_minor, "currency": CURRENCY}


def _next_month(day: date) -> date:
    length = calendar.monthrange(day.year, day.month)[1]
    return day.replace(day=1) + timedelta(days=length)
