"""Every kind of benefit takes effect: in the quote, the sale, the refund and the member's app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from kernel.graphql import format_datetime
from tests.journeys.town import JSON, Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUOTE = """query ($cart: CartInput!) {
  quote(cart: $cart) {
    ... on Quote {
      payable { amountMinor } anonymousPayable { amountMinor }
      pointsToEarn
      lines { payable { amountMinor } allocations { decisionId amount { amountMinor } } }
      decisions {
        id title kind outcome reason message amount { amountMinor } blockedBy
        missing { amountMinor }
      }
    }
  }
}"""
MINE = """query ($id: ID!) {
  me { card { memberships { nodes { wallet { benefits {
    kind title percentOffBps pointsMultiplierBps entitlement earlyMinutes giftSku
    price { amountMinor } skus categoryIds minSpend { amountMinor }
  } } } } } }
  merchant(id: $id) { promotions { nodes { title } } }
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("benefits")) as town:
        yield await settle(town)


async def give(people: Settled, *benefits: JSON) -> None:
    """Gives these benefits, and no others, to every member of the tea shop."""
    await people.town.done(
        "SetTierLadder",
        people.town.merchant(people.tea),
        merchantId=people.tea,
        name="tier",
        metric="PURCHASE_COUNT",
        steps=[{"name": "gold", "rank": 1, "threshold": 0, "benefits": list(benefits)}],
    )


def cart(people: Settled, *lines: JSON, **more: Any) -> JSON:
    return {
        "storeId": people.tea_web,
        "cardId": people.ann_card,
        "chooseBest": False,
        "lines": list(lines),
        **more,
    }


async def quote(people: Settled, wanted: JSON, language: str = "en") -> JSON:
    data = await people.town.gateway.data(
        QUOTE,
        token=people.town.merchant(people.tea),
        headers={"accept-language": language},
        cart=wanted,
    )
    answer: JSON = data["quote"]
    assert answer["payable"]["amountMinor"] <= answer["anonymousPayable"]["amountMinor"]
    return answer


def told(quoted: JSON) -> dict[str, tuple[str, str | None, int]]:
    """Outcome, reason and amount of each decision, by title."""
    return {
        each["title"]: (each["outcome"], each["reason"], each["amount"]["amountMinor"])
        for each in quoted["decisions"]
    }


def said(quoted: JSON) -> dict[str, str]:
    return {each["title"]: each["message"] for each in quoted["decisions"]}


async def refund(people: Settled, order: str, number: str, *lines: tuple[int, int]) -> int:
    done = await people.town.done(
        "RefundOrder",
        people.town.merchant(people.tea),
        orderId=order,
        refundNo=number,
        lines=[{"lineIndex": index, "quantity": units} for index, units in lines],
    )
    return int(done["refund"]["cash"]["amountMinor"])


async def test_a_percentage_holds_for_its_articles_and_categories_alone(people: Settled) -> None:
    await give(
        people,
        {"kind": "PERCENT_OFF", "title": "茶9折", "percentOffBps": 1_000, "categoryIds": ["tea"]},
        {"kind": "PERCENT_OFF", "title": "杯8折", "percentOffBps": 2_000, "skus": ["cup"]},
        {"kind": "PERCENT_OFF", "title": "95折", "percentOffBps": 500},
        {"kind": "PERCENT_OFF", "title": "书7折", "percentOffBps": 3_000, "skus": ["book"]},
        {"kind": "PERCENT_OFF", "title": "杯85折", "percentOffBps": 1_500, "skus": ["cup"]},
    )
    wanted = cart(
        people,
        {**line(10_005), "categoryId": "tea"},
        line(5_000, sku="cup"),
        line(1_000, sku="pot"),
    )

    quoted = await quote(people, wanted)
    sold = await people.town.done(
        "Checkout", people.town.merchant(people.tea), orderNo="pct-1", cart=wanted
    )

    assert [each["payable"]["amountMinor"] for each in quoted["lines"]] == [9_004, 4_000, 950]
    assert told(quoted) == {
        "茶9折": ("APPLIED", None, 1_001),
        "杯8折": ("APPLIED", None, 1_000),
        "95折": ("APPLIED", None, 50),
        "书7折": ("REFUSED", "OUT_OF_SCOPE", 0),
        "杯85折": ("REFUSED", "BETTER_BENEFIT", 0),
    }
    assert said(await quote(people, wanted, "zh"))["书7折"] == "购物车中没有适用的商品。"
    back = [await refund(people, sold["order"]["id"], f"r{each}", (each, 1)) for each in (2, 0, 1)]
    assert back == [950, 9_004, 4_000]


async def test_a_member_price_of_a_tier_is_the_price_of_its_articles(people: Settled) -> None:
    await give(
        people,
        {"kind": "MEMBER_PRICE", "title": "会员价", "price": cny(4_200), "skus": ["cup"]},
        {"kind": "PERCENT_OFF", "title": "9折", "percentOffBps": 1_000},
    )
    wanted = cart(people, line(5_000, sku="cup", quantity=2), line(4_500, sku="cup"), line(1_000))

    quoted = await quote(people, wanted)

    assert [each["payable"]["amountMinor"] for each in quoted["lines"]] == [8_400, 4_050, 900]
    assert told(quoted) == {
        "会员价": ("APPLIED", None, 1_600),
        "9折": ("APPLIED", None, 550),
    }
    kinds = {each["title"]: each["kind"] for each in quoted["decisions"]}
    assert kinds == {"会员价": "MEMBER_PRICE", "9折": "TIER_BENEFIT"}
    assert said(await quote(people, wanted, "zh"))["会员价"] == "会员价优惠 16.00。"


async def test_points_are_multiplied_by_the_best_multiplier_alone(people: Settled) -> None:
    await give(
        people,
        {"kind": "POINTS_MULTIPLIER", "title": "双倍", "pointsMultiplierBps": 20_000},
        {"kind": "POINTS_MULTIPLIER", "title": "三倍", "pointsMultiplierBps": 30_000},
    )

    quoted = await quote(people, cart(people, line(10_050)))

    assert quoted["pointsToEarn"] == 301
    assert told(quoted) == {
        "三倍": ("APPLIED", None, 0),
        "双倍": ("REFUSED", "BETTER_BENEFIT", 0),
    }


async def test_free_shipping_pays_the_shipping_or_says_that_there_is_none(people: Settled) -> None:
    await give(people, {"kind": "FREE_SHIPPING", "title": "包邮"})
    wanted = cart(people, line(2_000), shipping=cny(800))

    quoted = await quote(people, wanted)
    without = await quote(people, cart(people, line(2_000)))
    sold = await people.town.done(
        "Checkout", people.town.merchant(people.tea), orderNo="ship-1", cart=wanted
    )

    assert quoted["payable"]["amountMinor"] == 2_000
    assert told(quoted) == {"包邮": ("APPLIED", None, 800)}
    assert told(without) == {"包邮": ("REFUSED", "NO_EFFECT", 0)}
    assert said(without) == {"包邮": "There is no shipping to pay."}
    assert await refund(people, sold["order"]["id"], "all", (0, 1)) == 2_000


async def test_early_access_opens_a_flash_sale_to_its_tier_before_all_others(
    people: Settled,
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    now = town.gateway.clock.now()
    await town.done(
        "SetPromotion",
        till,
        merchantId=people.tea,
        title="秒杀",
        kind="FLASH_SALE",
        price=cny(100),
        skus=["kettle"],
        stock=1,
        startsAt=format_datetime(now + timedelta(minutes=30)),
        endsAt=format_datetime(now + timedelta(minutes=90)),
    )
    early = {"kind": "EARLY_ACCESS", "title": "抢先购", "earlyMinutes": 30}
    wanted = cart(people, line(9_000, sku="kettle"))
    ask = {"token": town.member(people.ann), "id": people.tea}

    await give(people, {**early, "earlyMinutes": 29})
    too_early = await quote(people, wanted)
    unseen = (await town.gateway.data(MINE, **ask))["merchant"]["promotions"]["nodes"]
    await give(people, early)
    quoted = await quote(people, wanted)
    seen = (await town.gateway.data(MINE, **ask))["merchant"]["promotions"]["nodes"]
    stranger = await quote(people, {**wanted, "cardId": None})
    await town.done("Checkout", till, orderNo="flash-1", cart=wanted)
    after = await quote(people, wanted)

    assert told(too_early) == {"抢先购": ("REFUSED", "NO_EFFECT", 0)}
    assert (unseen, seen) == ([], [{"title": "秒杀"}])
    assert quoted["payable"]["amountMinor"] == 100
    assert told(quoted) == {"秒杀": ("APPLIED", None, 8_900), "抢先购": ("APPLIED", None, 0)}
    assert said(quoted)["抢先购"] == "Your tier lets you buy at “秒杀” before others."
    assert (stranger["payable"]["amountMinor"], stranger["decisions"]) == (9_000, [])
    assert told(after)["秒杀"] == ("REFUSED", "SOLD_OUT", 0)


async def test_a_flag_is_told_beside_the_price_and_changes_nothing(people: Settled) -> None:
    await give(
        people,
        {"kind": "OWN_AGENT", "title": "专属客服", "entitlement": "own-agent"},
        {"kind": "PRIORITY_DISPATCH", "title": "优先发货"},
        {"kind": "EARLY_ACCESS", "title": "新品先看"},
        {"kind": "GIFT", "title": "生日礼"},
    )

    quoted = await quote(people, cart(people, line(2_000)), "zh")

    assert quoted["payable"] == quoted["anonymousPayable"] == {"amountMinor": 2_000}
    assert told(quoted) == dict.fromkeys(
        ("专属客服", "优先发货", "新品先看", "生日礼"), ("NOT_EVALUATED", "ENTITLEMENT", 0)
    )
    assert set(said(quoted).values()) == {"您的会员等级随时享有此权益，不影响价格。"}


async def test_the_members_app_shows_every_benefit_with_its_terms(people: Settled) -> None:
    await give(
        people,
        {"kind": "MEMBER_PRICE", "title": "会员价", "price": cny(4_200), "skus": ["cup"]},
        {"kind": "PERCENT_OFF", "title": "茶9折", "percentOffBps": 1_000, "categoryIds": ["tea"]},
        {"kind": "GIFT", "title": "赠杯", "giftSku": "cup", "minSpend": cny(10_000)},
    )

    data = await people.town.gateway.data(MINE, token=people.town.member(people.ann), id=people.tea)

    [membership] = data["me"]["card"]["memberships"]["nodes"]
    shown = [
        {name: value for name, value in each.items() if value is not None}
        for each in membership["wallet"]["benefits"]
    ]
    assert shown == [
        {
            "kind": "MEMBER_PRICE",
            "title": "会员价",
            "price": {"amountMinor": 4_200},
            "skus": ["cup"],
        },
        {
            "kind": "PERCENT_OFF",
            "title": "茶9折",
            "percentOffBps": 1_000,
            "categoryIds": ["tea"],
        },
        {"kind": "GIFT", "title": "赠杯", "giftSku": "cup", "minSpend": {"amountMinor": 10_000}},
    ]


@pytest.mark.parametrize(
    ("benefit", "field"),
    [
        ({"kind": "MEMBER_PRICE", "skus": ["a"]}, "price"),
        ({"kind": "MEMBER_PRICE", "price": cny(1)}, "skus"),
        ({"kind": "MEMBER_PRICE", "price": cny(-1), "skus": ["a"]}, "price"),
        ({"kind": "MEMBER_PRICE", "price": cny(1), "skus": ["a"] * 201}, "skus"),
        (
            {"kind": "MEMBER_PRICE", "price": {"amountMinor": 1, "currency": "GBP"}, "skus": ["a"]},
            "price.currency",
        ),
        ({"kind": "PERCENT_OFF", "percentOffBps": 1, "skus": []}, "skus"),
        ({"kind": "PERCENT_OFF", "percentOffBps": 1, "categoryIds": [""]}, "categoryIds"),
        ({"kind": "FREE_SHIPPING", "skus": ["a"]}, "skus"),
        ({"kind": "FREE_SHIPPING", "percentOffBps": 1}, "percentOffBps"),
        ({"kind": "GIFT", "minSpend": cny(1)}, "minSpend"),
        ({"kind": "GIFT", "giftSku": "a", "minSpend": cny(0)}, "minSpend"),
        ({"kind": "PERCENT_OFF", "percentOffBps": 1, "giftSku": "a"}, "giftSku"),
        ({"kind": "EARLY_ACCESS", "earlyMinutes": 43_201}, "earlyMinutes"),
    ],
)
async def test_a_benefit_that_its_kind_does_not_know_is_refused(
    people: Settled, benefit: JSON, field: str
) -> None:
    steps = [
        {"name": "t", "rank": 1, "threshold": 0, "benefits": [{"title": "t", **benefit}]},
    ]
    refused = await people.town.change(
        "SetTierLadder",
        people.town.merchant(people.tea),
        merchantId=people.tea,
        name="bad",
        metric="PURCHASE_COUNT",
        steps=steps,
    )

    assert refused["code"] == "INVALID_INPUT", refused
    assert [each["field"] for each in refused["problems"]] == [f"steps.0.benefits.0.{field}"]
