"""The invented life of the alliance: who buys what, when; the same for the same seed and end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.demo.merchants import MERCHANTS, InventedMerchant

SEED = 20260301
MEMBERS = 300
DAYS = 730
ORDERS_A_DAY = 5
REFUND_ONE_IN = 25
POINTS_ONE_IN = 6
FAMILY_NAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN_NAMES = (
    "晓雯",
    "子涵",
    "建国",
    "思远",
    "雅琴",
    "浩然",
    "雨桐",
    "志强",
    "佳怡",
    "明轩",
    "小曼",
    "一诺",
)


@dataclass(frozen=True, slots=True)
class InventedMember:
    """A member; the phone number belongs to no one."""

    number: int
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class InventedOrder:
    """An order, and what becomes of it.

    Attributes:
        lines: (article index, quantity) pairs.
        points: how many points the buyer offers; the price takes what it can use.
        refund: None, "LINE" (the first unit comes back) or "AMOUNT" (a price adjustment).
    """

    number: str
    day: date
    member: InventedMember
    merchant: InventedMerchant
    channel: str
    lines: tuple[tuple[int, int], ...]
    points: int
    refund: str | None


def invented_members() -> tuple[InventedMember, ...]:
    """All members; the first ones buy most."""
    draw = random.Random(SEED)
    return tuple(
        InventedMember(
            number,
            draw.choice(FAMILY_NAMES) + draw.choice(GIVEN_NAMES),
            f"+8619900{number:06}",
        )
        for number in range(1, MEMBERS + 1)
    )


def invented_orders(until: date) -> Iterator[InventedOrder]:
    """The orders of two years up to the day before `until`, day by day.

    Every member buys at least once.
    """
    draw = random.Random(SEED + 1)
    members = invented_members()
    first_day = {member.number: draw.randrange(DAYS) for member in members}
    number = 0
    for offset in range(DAYS):
        known = [member for member in members if first_day[member.number] <= offset]
        newcomers = [member for member in members if first_day[member.number] == offset]
        orders = draw.randint(ORDERS_A_DAY - 3, ORDERS_A_DAY + 3) if known else 0
        weights = [1 + 12 * (MEMBERS - member.number) // MEMBERS for member in known]
        for member in [*newcomers, *draw.choices(known or members, weights or None, k=orders)]:
            number += 1
            yield _order(draw, f"D{number:06}", until - timedelta(days=DAYS - offset), member)


def _order(draw: random.Random, number: str, day: date, member: InventedMember) -> InventedOrder:
    merchant = draw.choices(MERCHANTS, [shop.visits_weight for shop in MERCHANTS])[0]
    articles = draw.sample(range(len(merchant.articles)), draw.randint(1, 3))
    is_refunded = draw.randrange(REFUND_ONE_IN) == 0
    return InventedOrder(
        number=number,
        day=day,
        member=member,
        merchant=merchant,
        channel=draw.choice(merchant.channels),
        lines=tuple((article, draw.randint(1, 2)) for article in sorted(articles)),
        points=draw.randrange(50, 500, 50) if draw.randrange(POINTS_ONE_IN) == 0 else 0,
        refund=draw.choice(("LINE", "AMOUNT")) if is_refunded else None,
    )
