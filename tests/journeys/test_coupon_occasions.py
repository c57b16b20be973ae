"""Coupons that come by themselves: each kind is a template, an audience and a trigger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from tests.journeys.town import Settled, cny, line, settle, town_at

DAY = timedelta(days=1)
STEPS = [
    {"name": "新客", "rank": 1, "threshold": 1},
    {"name": "普通", "rank": 2, "threshold": 2},
]
DORMANT = {"kind": "DORMANT", "days": 90}


@pytest.fixture
async def people(tmp_path: Any) -> AsyncIterator[Settled]:
    async with town_at(tmp_path) as town:
        yield await settle(town)


async def template_of(people: Settled, **more: Any) -> str:
    made = await people.town.done(
        "CreateCouponTemplate",
        people.town.merchant(people.tea),
        **{
            "merchantId": people.tea,
            "title": "券",
            "kind": "AMOUNT_OFF",
            "amount": cny(500),
            "minSpend": cny(1_000),
            **more,
        },
    )
    return str(made["template"]["id"])


async def titles(people: Settled, member_id: str | None = None) -> list[str]:
    """Titles of the usable coupons of ann, or of another, at her merchants."""
    me = await people.town.query("MyCard", people.town.member(member_id or people.ann))
    return sorted(
        coupon["title"]
        for membership in me["card"]["memberships"]["nodes"]
        for coupon in membership["wallet"]["coupons"]["nodes"]
    )


async def buy(people: Settled, amount: int = 1_000, *, category: str | None = None) -> Any:
    sold = await people.town.done(
        "Checkout",
        people.town.merchant(people.tea),
        orderNo=people.town.request_id(),
        cart={
            "storeId": people.tea_shop,
            "cardId": people.ann_card,
            "lines": [{**line(amount), "categoryId": category}],
            "chooseBest": False,
        },
    )
    return sold["order"]


async def sweep(people: Settled) -> None:
    """What the server does by itself now and then; two at once, as two servers would."""
    sweepers = people.town.opened.alliance.sweepers
    await asyncio.gather(sweepers.run_once(), sweepers.run_once())


def pass_time(people: Settled, time: timedelta) -> None:
    clock = people.town.gateway.clock
    clock.set(clock.now() + time)


async def test_a_welcome_coupon_comes_with_joining(people: Settled) -> None:
    await template_of(people, title="新人券", forNewMembers=True)

    cat, _ = await people.town.join(people.tea, people.tea_shop, phone="+8613900000001")

    assert await titles(people, cat) == ["新人券"]
    assert await titles(people) == []


async def test_a_tier_coupon_comes_with_the_order_that_reaches_it_once(people: Settled) -> None:
    till = people.town.merchant(people.tea)
    await people.town.done(
        "SetTierLadder",
        till,
        merchantId=people.tea,
        name="次数",
        metric="PURCHASE_COUNT",
        steps=STEPS,
    )
    audience = {"kind": "TIER", "ladder": "次数", "minRank": 2}
    await template_of(
        people, title="等级券", trigger="TIER_REACHED", audience=audience, quotaPerMember=5
    )

    await buy(people)
    after_one = await titles(people)
    second = await buy(people)
    after_two = await titles(people)
    await people.town.done(
        "RefundOrder",
        till,
        orderId=second["id"],
        refundNo="R",
        lines=[{"lineIndex": 0, "quantity": 1}],
    )
    await buy(people)

    assert (after_one, after_two) == ([], ["等级券"])
    assert len(await titles(people)) == 1


async def test_a_category_coupon_comes_with_an_order_of_its_category(people: Settled) -> None:
    await template_of(
        people, title="绿茶券", trigger="CATEGORY", categoryIds=["green"], quotaPerMember=2
    )

    await buy(people, category="black")
    assert await titles(people) == []
    for expected in (1, 2, 2):
        await buy(people, category="green")
        assert len(await titles(people)) == expected


async def test_a_wake_up_coupon_comes_once_for_each_silence(people: Settled) -> None:
    await template_of(people, title="唤醒券", trigger="WAKE_UP", audience=DORMANT, quotaPerMember=9)
    await template_of(
        people,
        title="回归券",
        trigger="WIN_BACK",
        audience={"kind": "DORMANT", "days": 180},
        quotaPerMember=9,
    )
    await buy(people)

    pass_time(people, 90 * DAY - timedelta(microseconds=1))
    await sweep(people)
    early = await titles(people)
    pass_time(people, timedelta(microseconds=1))
    await sweep(people)
    await sweep(people)
    woken = await titles(people)
    pass_time(people, 90 * DAY)
    await sweep(people)
    lost = await titles(people)
    await buy(people)
    pass_time(people, 90 * DAY)
    await sweep(people)

    assert (early, woken) == ([], ["唤醒券"])
    assert lost == sorted(["唤醒券", "回归券"])
    assert (await titles(people)).count("唤醒券") == 2


async def test_a_holiday_coupon_comes_on_its_day_in_the_alliances_zone(people: Settled) -> None:
    """It is 17:00 of 2 March in Shanghai when this begins."""
    await template_of(people, title="节日券", trigger="HOLIDAY", triggerOn="2026-03-03")

    await sweep(people)
    before = await titles(people)
    pass_time(people, timedelta(hours=7))
    await sweep(people)
    await sweep(people)
    on_the_day = await titles(people)
    pass_time(people, DAY)
    await people.town.join(people.tea, people.tea_shop, phone="+8613900000001")
    await sweep(people)

    assert (before, on_the_day) == ([], ["节日券"])
    assert await titles(people) == ["节日券"]


@pytest.mark.parametrize(
    ("consents", "born", "expected"),
    [
        (["PROFILE"], date(1990, 3, 2), ["生日券"]),
        ([], date(1990, 3, 2), []),
        (["PROFILE"], date(1990, 3, 3), []),
        (["PROFILE"], None, []),
    ],
    ids=["consents", "does not consent", "another day", "unknown"],
)
async def test_a_birthday_coupon_comes_to_who_told_and_consents(
    people: Settled, consents: list[str], born: date | None, expected: list[str]
) -> None:
    await template_of(people, title="生日券", trigger="BIRTHDAY")
    joined = await people.town.done(
        "Join",
        people.town.merchant(people.tea),
        storeId=people.tea_shop,
        credential={"phone": "+8613900000001"},
        consents=consents,
        profile={"birthday": born.isoformat()} if born else None,
    )

    await sweep(people)
    await sweep(people)

    assert await titles(people, joined["member"]["id"]) == expected


async def test_who_was_born_on_a_leap_day_celebrates_every_year(people: Settled) -> None:
    await template_of(people, title="生日券", trigger="BIRTHDAY", quotaPerMember=9)
    joined = await people.town.done(
        "Join",
        people.town.merchant(people.tea),
        storeId=people.tea_shop,
        credential={"phone": "+8613900000001"},
        consents=["PROFILE"],
        profile={"birthday": "2000-02-29"},
    )
    counts = []
    for day in ("2027-02-28", "2028-02-28", "2028-02-29"):
        now = people.town.gateway.clock.now()
        pass_time(people, date.fromisoformat(day) - now.date())
        await sweep(people)
        counts.append(len(await titles(people, joined["member"]["id"])))

    assert counts == [1, 1, 2]


SEGMENTS = [
    ({"kind": "NEW"}, 0, 0, True),
    ({"kind": "NEW"}, 1, 0, False),
    ({"kind": "SEGMENT", "segment": "ZOMBIE"}, 0, 30, False),
    ({"kind": "SEGMENT", "segment": "ZOMBIE"}, 0, 31, True),
    ({"kind": "SEGMENT", "segment": "ZOMBIE"}, 1, 31, False),
    ({"kind": "SEGMENT", "segment": "LIGHT"}, 0, 0, False),
    ({"kind": "SEGMENT", "segment": "LIGHT"}, 3, 0, True),
    ({"kind": "SEGMENT", "segment": "LIGHT"}, 4, 0, False),
    ({"kind": "SEGMENT", "segment": "KEY"}, 4, 0, True),
    ({"kind": "SEGMENT", "segment": "KEY"}, 4, 366, False),
    ({"kind": "SEGMENT", "segment": "DORMANT"}, 4, 366, True),
    ({"kind": "SEGMENT", "segment": "NEWCOMER"}, 0, 30, True),
    (DORMANT, 1, 89, False),
    (DORMANT, 1, 90, True),
    (DORMANT, 0, 90, False),
]


@pytest.mark.parametrize(("audience", "orders", "days", "is_in"), SEGMENTS)
async def test_a_coupon_is_given_to_its_audience_alone(
    people: Settled, audience: Any, orders: int, days: int, is_in: bool
) -> None:
    template_id = await template_of(people, audience=audience)
    for _ in range(orders):
        await buy(people)
    pass_time(people, days * DAY)

    answer = await people.town.change(
        "IssueCoupons",
        people.town.merchant(people.tea),
        templateId=template_id,
        cardIds=[people.ann_card],
    )

    assert answer.get("code") == (None if is_in else "NOT_IN_AUDIENCE")


async def test_a_template_may_ask_for_its_audience_at_redemption_too(people: Settled) -> None:
    till = people.town.merchant(people.tea)
    template_id = await template_of(people, audience={"kind": "NEW", "atRedemption": True})
    issued = await people.town.done(
        "IssueCoupons", till, templateId=template_id, cardIds=[people.ann_card]
    )
    coupon_id = issued["coupons"][0]["id"]
    cart = {
        "storeId": people.tea_shop,
        "cardId": people.ann_card,
        "lines": [line(1_000)],
        "couponIds": [coupon_id],
        "chooseBest": False,
    }
    new = await people.town.query("Quote", till, cart=cart)
    await buy(people)

    quoted = await people.town.query("Quote", till, cart=cart)
    stale = await people.town.change("HoldCheckout", till, cart=cart, quoteVersion=new["version"])

    assert new["payable"]["amountMinor"] == 500
    assert quoted["payable"]["amountMinor"] == 1_000
    assert [each["reason"] for each in quoted["decisions"]] == ["NOT_IN_AUDIENCE"]
    assert stale["code"] == "QUOTE_STALE"
