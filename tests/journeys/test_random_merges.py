"""Two members with any past at three merchants: previews tell results, and nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.journeys.town import Town, cny, line, town_at

SEEDS = range(6)
STEPS = [{"name": f"T{rank}", "rank": rank, "threshold": rank} for rank in range(1, 12)]
WALLETS = """{ me { id card { id
    points { available held pending debt } coins { available { amountMinor } held { amountMinor } }
    allianceWallet { tiers { rank } coupons(states: [ISSUED, LOCKED]) { nodes { id } } }
    memberships { nodes { merchant { id } wallet { tiers { rank }
        coupons(states: [ISSUED, LOCKED]) { nodes { id } }
        orders { nodes { orderNo state payable { amountMinor } } } } } } } } }"""


@dataclass
class Person:
    """A member, and what was sold to it."""

    id: str
    card_id: str
    number: str
    orders: list[tuple[str, str]]


@dataclass
class Past:
    """Lets chance happen to two members of three merchants."""

    town: Town
    chance: Random
    merchants: list[str]
    stores: dict[str, str]
    templates: dict[str, str]
    count: int = 0

    async def newcomer(self) -> Person:
        merchant = self.chance.choice(self.merchants)
        self.count += 1
        member_id, card_id = await self.town.join(
            merchant, self.stores[merchant], phone=f"+861380000{self.count:04}"
        )
        return Person(member_id, card_id, await self.town.card_number(member_id), [])

    async def happen_to(self, person: Person) -> None:
        merchant = self.chance.choice(self.merchants)
        await self.town.join(merchant, self.stores[merchant], cardNumber=person.number)
        happening = self.chance.choice(
            [self.sell, self.sell, self.spend, self.refund, self.grant, self.issue, self.hold]
        )
        self.count += 1
        await happening(person, merchant)

    def cart(self, person: Person, merchant: str, amount: int, **more: Any) -> dict[str, Any]:
        return {
            "storeId": self.stores[merchant],
            "cardId": person.card_id,
            "lines": [line(amount)],
            **more,
        }

    async def sell(self, person: Person, merchant: str, **more: Any) -> None:
        amount = self.chance.randrange(1_000, 50_000)
        cart = self.cart(person, merchant, amount, chooseBest=self.chance.random() < 0.5, **more)
        answer = await self.town.change(
            "Checkout", self.town.merchant(merchant), orderNo=f"no-{self.count}", cart=cart
        )
        if "order" in answer:
            person.orders.append((merchant, answer["order"]["id"]))

    async def spend(self, person: Person, merchant: str) -> None:
        await self.sell(person, merchant, points=self.chance.randrange(1, 200))

    async def refund(self, person: Person, _: str) -> None:
        if person.orders:
            merchant, order_id = self.chance.choice(person.orders)
            await self.town.change(
                "RefundOrder",
                self.town.merchant(merchant),
                orderId=order_id,
                refundNo=f"r-{self.count}",
                amount=cny(self.chance.randrange(1, 20_000)),
            )

    async def grant(self, person: Person, _: str) -> None:
        await self.town.done(
            "GrantCoins",
            self.town.admin,
            cardId=person.card_id,
            amount=cny(self.chance.randrange(1, 500)),
            reason="chance",
        )

    async def issue(self, person: Person, merchant: str) -> None:
        await self.town.change(
            "IssueCoupons",
            self.town.merchant(merchant),
            templateId=self.templates[merchant],
            cardIds=[person.card_id],
        )

    async def hold(self, person: Person, merchant: str) -> None:
        till = self.town.merchant(merchant)
        cart = self.cart(person, merchant, 5_000, points=self.chance.randrange(1, 50))
        quote = await self.town.query("Quote", till, cart=cart)
        await self.town.change(
            "HoldCheckout", till, cart=cart, quoteVersion=quote.get("version", "")
        )


async def past_of(town: Town, chance: Random) -> Past:
    merchants, stores, templates = [], {}, {}
    for name in ("tea", "books", "shoes"):
        merchant = await town.admit(name, name)
        merchants.append(merchant)
        stores[merchant] = await town.open_store(merchant, f"{name}-shop", "STORE_POS")
        till = town.merchant(merchant)
        await town.done(
            "SetTierLadder",
            till,
            merchantId=merchant,
            name="次数",
            metric="PURCHASE_COUNT",
            window=chance.choice(["LIFETIME", "ROLLING_12_MONTHS"]),
            steps=STEPS,
        )
        for welcomes in (False, True):
            made = await town.done(
                "CreateCouponTemplate",
                till,
                merchantId=merchant,
                title="减5",
                kind="AMOUNT_OFF",
                amount=cny(500),
                minSpend=cny(1_000),
                quotaPerMember=3,
                forNewMembers=welcomes,
            )
            templates[merchant] = made["template"]["id"] if not welcomes else templates[merchant]
    return Past(town, chance, merchants, stores, templates)


async def wallets(town: Town, person: Person) -> Any:
    return (await town.gateway.data(WALLETS, token=town.member(person.id)))["me"]["card"]


def units(*cards: Any) -> tuple[int, int]:
    """Points less debts, and coins."""
    points = [card["points"] for card in cards]
    return (
        sum(each["available"] + each["held"] + each["pending"] - each["debt"] for each in points),
        sum(card["coins"][kind]["amountMinor"] for card in cards for kind in ("available", "held")),
    )


def orders(*cards: Any) -> list[str]:
    """Every order of every wallet."""
    return sorted(
        repr(order)
        for card in cards
        for membership in card["memberships"]["nodes"]
        for order in membership["wallet"]["orders"]["nodes"]
    )


def coupons(*cards: Any) -> set[str]:
    """Every usable coupon of every wallet, the alliance's too."""
    found: set[str] = set()
    for card in cards:
        of = [card["allianceWallet"], *(each["wallet"] for each in card["memberships"]["nodes"])]
        found |= {coupon["id"] for wallet in of for coupon in wallet["coupons"]["nodes"]}
    return found


def ranks(card: Any) -> dict[str, int]:
    """Rank in the ladder of each merchant joined."""
    return {
        each["merchant"]["id"]: each["wallet"]["tiers"][0]["rank"]
        for each in card["memberships"]["nodes"]
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_preview_tells_the_result_and_totals_stay(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    async with town_at(tmp_path) as town:
        past = await past_of(town, chance)
        pair = [await past.newcomer(), await past.newcomer()]
        for _ in range(14):
            await past.happen_to(chance.choice(pair))
        before = [await wallets(town, person) for person in pair]
        names = {"survivorId": pair[0].id, "mergedId": pair[1].id}

        preview = await town.change("MergeMembers", town.admin, **names)
        merged = await town.done("MergeMembers", town.admin, **names, dryRun=False)
        after = await wallets(town, pair[0])

        told = merged["survivor"]["card"]["points"]
        assert told == {"available": preview["pointsAfter"], "debt": preview["debtAfter"]}
        assert not (told["available"] and told["debt"])
        assert units(after) == units(*before)
        assert orders(after) == orders(*before)
        assert preview["couponsMoved"] == len(coupons(after) & coupons(before[1]))
        assert coupons(after) <= coupons(*before)
        for card in before:
            assert all(ranks(after)[merchant] >= rank for merchant, rank in ranks(card).items())
        assert (await wallets(town, pair[1])) == after
        assert (await town.opened.ledger.verify()).findings == ()
