"""Drives a replay of coupons: issues each campaign's on its first day, then basket by basket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count, islice
from typing import Any

from gateway.feeding import operations
from gateway.feeding.client import FeedFailed, GraphQLClient
from gateway.replay.coupons import queries
from gateway.replay.coupons.history import Basket, ChainTemplate, CouponHistory, Redemption
from gateway.replay.coupons.setting_up import (
    day_start,
    instant_of,
    money,
    set_up_chain,
    template_input,
    with_id,
)
from gateway.replay.journal import Journal

ISSUER = "households"
CARDS_AT_ONCE = 100
NO_ORDER = "NO_ORDER"
OUT_OF_SCOPE = "OUT_OF_SCOPE"
APPLIED = "APPLIED"


@dataclass(frozen=True, slots=True)
class CouponOutcome:
    """What a replay of coupons amounts to.

    Attributes:
        outcomes: APPLIED or the reason code, by the redemption's place in the file.
        taken_minor: what the coupons took off all orders.
        checkouts: orders of the whole history; `requests` are those of this run.
    """

    outcomes: dict[int, str]
    taken_minor: int
    checkouts: int
    requests: int


class CouponReplay:
    """One run over a coupon history; what the journal knows already is not sent again."""

    def __init__(
        self,
        history: CouponHistory,
        *,
        client: GraphQLClient,
        journal: Journal,
        admin_token: str,
        merchant_token: Callable[[str], str],
        set_clock: Callable[[datetime], Awaitable[None]],
        on_progress: Callable[[int], None],
    ) -> None:
        self._history = history
        self._client = client
        self._journal = journal
        self._admin_token = admin_token
        self._merchant_token = merchant_token
        self._set_clock = set_clock
        self._on_progress = on_progress
        self._cards: dict[str, str] = journal.read("card")
        self._coupons: dict[str, dict[str, list[str]]] = journal.read("template")
        self._orders: dict[str, dict[str, Any]] = journal.read("basket")
        self._applied: set[str] = set().union(*map(_applied_of, self._orders.values()))
        self._merchant_id = ""
        self._stores: dict[str, str] = {}
        self._token = ""

    async def run(self) -> CouponOutcome:
        """Replays what is left, and tells what became of every redemption.

        Raises:
            FeedFailed: the server's answer does not fit the history.
        """
        stores = {basket.store for basket in self._history.baskets}
        await self._set_clock(first_instant(self._history))
        self._merchant_id, self._stores = await set_up_chain(
            self._client, stores, admin_token=self._admin_token
        )
        self._token = self._merchant_token(self._merchant_id)
        by_start: dict[date, list[ChainTemplate]] = defaultdict(list)
        for template in self._history.templates:
            by_start[template.campaign.first_day].append(template)
        pending = sorted(by_start)
        by_day = _by_household_and_day(self._history.redemptions)
        numbers = _numbers_of(self._history.redemptions)
        for basket in self._history.baskets:
            while pending and pending[0] <= basket.placed_at.date():
                await self._start_campaigns(by_start[pending.pop(0)])
            if basket.number not in self._orders:
                own = by_day[basket.household, basket.placed_at.date()]
                await self._send(basket, own, numbers)
            self._on_progress(1)
        for day in pending:
            await self._start_campaigns(by_start[day])
        return self._outcome()

    async def _start_campaigns(self, templates: list[ChainTemplate]) -> None:
        """Creates and issues the coupons of the campaigns that begin on one day."""
        new = [each for each in templates if each.name not in self._coupons]
        if not new:
            return
        await self._set_clock(day_start(new[0].campaign.first_day))
        for household in sorted({each for template in new for each in template.holders}):
            if household not in self._cards:
                await self._join(household)
        for template in new:
            made = await self._client.change(
                operations.CREATE_COUPON_TEMPLATE,
                template_input(template, merchant_id=self._merchant_id),
                token=self._token,
                success="CouponTemplateCreated",
            )
            coupons = await self._issue(template, made["template"]["id"])
            self._coupons[template.name] = coupons
            self._journal.keep({"template": {template.name: coupons}})

    async def _issue(self, template: ChainTemplate, template_id: str) -> dict[str, list[str]]:
        """Coupons of each household, as many as it redeems."""
        coupons: dict[str, list[str]] = {household: [] for household in template.holders}
        for turn in range(max(template.holders.values())):
            due = iter(sorted(own for own, needed in template.holders.items() if needed > turn))
            part = 0
            while chunk := list(islice(due, CARDS_AT_ONCE)):
                issued = await self._client.change(
                    operations.ISSUE_COUPONS,
                    with_id(
                        f"issue-{template.name}-{turn}-{part}",
                        templateId=template_id,
                        cardIds=[self._cards[household] for household in chunk],
                    ),
                    token=self._token,
                    success="CouponsIssued",
                )
                for household, coupon in zip(chunk, issued["coupons"], strict=True):
                    coupons[household].append(coupon["id"])
                part += 1
        return coupons

    async def _join(self, household: str) -> None:
        """Joins at the household's first store of the history; without one, at any."""
        own = (each.store for each in self._history.baskets if each.household == household)
        store_id = self._stores[next(own, min(self._stores))]
        joined = await self._client.change(
            operations.JOIN,
            with_id(
                f"join-{household}",
                storeId=store_id,
                credential={"merchantReference": {"issuer": ISSUER, "value": household}},
                consents=[],
            ),
            token=self._token,
            success="Joined",
        )
        self._cards[household] = joined["member"]["card"]["id"]
        self._journal.keep({"card": {household: self._cards[household]}})

    async def _send(
        self, basket: Basket, redemptions: list[Redemption], numbers: dict[int, int]
    ) -> None:
        """Quotes the basket with the coupons still to use that day, and checks it out at that."""
        await self._set_clock(instant_of(basket.placed_at))
        presented = {
            self._coupons[each.template][each.household][numbers[each.row]]: each.row
            for each in redemptions
            if str(each.row) not in self._applied
        }
        cart = {
            "storeId": self._stores[basket.store],
            "cardId": self._cards[basket.household],
            "lines": [
                {"sku": line.sku, "quantity": 1, "unitPrice": money(line.value_minor)}
                for line in basket.lines
            ],
            "couponIds": list(presented),
            "chooseBest": False,
        }
        answer = await self._client.ask(queries.QUOTE, {"cart": cart}, token=self._token)
        quote = answer["quote"]
        if quote["__typename"] != "Quote":
            raise FeedFailed(f"order {basket.number}: {quote}")
        captured = await self._client.change(
            queries.CHECKOUT,
            with_id(
                f"order-{basket.number}",
                orderNo=basket.number,
                cart=cart,
                quoteVersion=quote["version"],
            ),
            token=self._token,
            success="CheckoutCaptured",
        )
        decided = _decisions(captured["order"]["decisions"], presented)
        if decided != _decisions(quote["decisions"], presented):
            raise FeedFailed(f"order {basket.number}: decided otherwise than quoted")
        self._orders[basket.number] = decided
        self._applied |= _applied_of(decided)
        self._journal.keep({"basket": {basket.number: decided}})

    def _outcome(self) -> CouponOutcome:
        """Of each redemption APPLIED, else its first reason other than OUT_OF_SCOPE."""
        outcomes = {each.row: NO_ORDER for each in self._history.redemptions}
        taken = 0
        for basket in self._history.baskets:
            for name, (reason, amount) in self._orders[basket.number].items():
                row = int(name)
                taken += amount
                if reason == APPLIED or outcomes[row] in (NO_ORDER, OUT_OF_SCOPE):
                    outcomes[row] = reason
        return CouponOutcome(outcomes, taken, len(self._orders), self._client.requests_sent)


def first_instant(history: CouponHistory) -> datetime:
    """When the first campaign of the history begins."""
    return day_start(min(each.campaign.first_day for each in history.templates))


def _decisions(
    decisions: list[dict[str, Any]], presented: dict[str, int]
) -> dict[str, list[str | int]]:
    """Reason and amount by the redemption's place, as text: the journal's names are texts."""
    return {
        str(presented[each["id"]]): [
            APPLIED if each["outcome"] == APPLIED else each["reason"],
            each["amount"]["amountMinor"],
        ]
        for each in decisions
        if each["id"] in presented
    }


def _applied_of(decided: dict[str, Any]) -> set[str]:
    return {row for row, (reason, _) in decided.items() if reason == APPLIED}


def _by_household_and_day(
    redemptions: tuple[Redemption, ...],
) -> dict[tuple[str, date], list[Redemption]]:
    by_day: dict[tuple[str, date], list[Redemption]] = defaultdict(list)
    for each in redemptions:
        by_day[each.household, each.day].append(each)
    return by_day


def _numbers_of(redemptions: tuple[Redemption, ...]) -> dict[int, int]:
    """Which of its household's coupons of that template each redemption uses, from 0."""
    ordinals: dict[tuple[str, str], Iterator[int]] = defaultdict(count)
    in_time = sorted(redemptions, key=lambda each: (each.day, each.row))
    return {each.row: next(ordinals[each.template, each.household]) for each in in_time}
