"""Coupons where carts, clocks, refunds and rules get in each other's way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.answers import word_of
from tests.journeys.town import Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("edges")) as town:
        yield await settle(town)


async def template_of(people: Settled, **more: Any) -> str:
    """Id of a new template of tea's: 5.00 off 10.00."""
    made = await people.town.done(
        "CreateCouponTemplate",
        people.town.merchant(people.tea),
        **{
            "merchantId": people.tea,
            "title": "减5",
            "kind": "AMOUNT_OFF",
            "amount": cny(500),
            "minSpend": cny(1_000),
            **more,
        },
    )
    return str(made["template"]["id"])


async def issue(people: Settled, template_id: str) -> str:
    issued = await people.town.done(
        "IssueCoupons",
        people.town.merchant(people.tea),
        templateId=template_id,
        cardIds=[people.ann_card],
    )
    return str(issued["coupons"][0]["id"])


async def coupon_of(people: Settled, **template: Any) -> str:
    return await issue(people, await template_of(people, **template))


def cart_of(people: Settled, coupon_id: str, *lines: Any, store: str | None = None) -> Any:
    return {
        "storeId": store or people.tea_shop,
        "cardId": people.ann_card,
        "lines": list(lines) or [line(1_000)],
        "couponIds": [coupon_id],
        "chooseBest": False,
    }


async def quote(people: Settled, cart: Any) -> Any:
    return await people.town.query("Quote", people.town.merchant(people.tea), cart=cart)


async def hold(people: Settled, cart: Any) -> Any:
    quoted = await quote(people, cart)
    return await people.town.done(
        "HoldCheckout", people.town.merchant(people.tea), cart=cart, quoteVersion=quoted["version"]
    )


async def sell(people: Settled, cart: Any) -> Any:
    sold = await people.town.done(
        "Checkout",
        people.town.merchant(people.tea),
        orderNo=people.town.request_id(),
        cart=cart,
    )
    return sold["order"]


async def refund(people: Settled, order_id: str, *lines: tuple[int, int]) -> tuple[Any, Any]:
    """The preview, and the refund; both are the same."""
    till = people.town.merchant(people.tea)
    wanted = [{"lineIndex": index, "quantity": quantity} for index, quantity in lines]
    preview = await people.town.query("RefundPreview", till, orderId=order_id, lines=wanted)
    done = await people.town.done(
        "RefundOrder",
        till,
        orderId=order_id,
        refundNo=people.town.request_id(),
        lines=wanted,
    )
    return preview, done["refund"]


async def state_of(people: Settled, coupon_id: str) -> str:
    document = "query($id: ID!) { node(id: $id) { ... on Coupon { state } } }"
    data = await people.town.gateway.data(document, token=people.town.admin, id=coupon_id)
    return str(data["node"]["state"])


async def reason_in(people: Settled, cart: Any) -> str | None:
    decisions = (await quote(people, cart))["decisions"]
    [reason] = [each["reason"] for each in decisions if each["id"] == cart["couponIds"][0]]
    return None if reason is None else str(reason)


async def test_a_released_checkout_gives_its_coupon_back(people: Settled) -> None:
    coupon_id = await coupon_of(people)
    held = await hold(people, cart_of(people, coupon_id))
    assert await state_of(people, coupon_id) == "LOCKED"

    await people.town.done(
        "ReleaseCheckout", people.town.merchant(people.tea), checkoutId=held["checkout"]["id"]
    )

    assert await state_of(people, coupon_id) == "ISSUED"
    assert (await sell(people, cart_of(people, coupon_id)))["payable"]["amountMinor"] == 500


async def test_a_capture_after_the_release_has_its_coupon_again(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    coupon_id = await coupon_of(people)
    held = await hold(people, cart_of(people, coupon_id))
    await town.done("ReleaseCheckout", till, checkoutId=held["checkout"]["id"])

    captured = await town.done(
        "CaptureCheckout", till, checkoutId=held["checkout"]["id"], orderNo="late-free"
    )

    assert captured["order"]["payable"]["amountMinor"] == 500
    assert await state_of(people, coupon_id) == "REDEEMED"


async def test_a_paid_sale_stands_though_its_coupon_went_to_another(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    coupon_id = await coupon_of(people)
    held = await hold(people, cart_of(people, coupon_id))
    await town.done("ReleaseCheckout", till, checkoutId=held["checkout"]["id"])
    winner = await sell(people, cart_of(people, coupon_id))

    captured = await town.done(
        "CaptureCheckout", till, checkoutId=held["checkout"]["id"], orderNo="late-lost"
    )

    assert winner["payable"]["amountMinor"] == 500
    assert captured["order"]["payable"]["amountMinor"] == 500
    # The winner's refund gives the coupon back; the loser's has none to give.
    _, lost = await refund(people, captured["order"]["id"], (0, 1))
    assert lost["couponOutcome"] == "NONE"
    _, won = await refund(people, winner["id"], (0, 1))
    assert won["couponOutcome"] == "RETURNED"


async def test_a_coupon_that_takes_nothing_off_is_not_used_up(people: Settled) -> None:
    coupon_id = await coupon_of(people, minSpend=cny(1), skus=["free"])
    cart = cart_of(people, coupon_id, line(1_000), line(0, sku="free"))
    reason = await reason_in(people, cart)

    sold = await sell(people, cart)

    assert reason in ("NO_EFFECT", "BELOW_MIN_SPEND")
    assert sold["payable"]["amountMinor"] == 1_000
    assert await state_of(people, coupon_id) == "ISSUED"


async def test_a_coupon_of_another_merchant_is_told_apart(people: Settled) -> None:
    coupon_id = await coupon_of(people)
    await people.town.join(
        people.books,
        people.books_shop,
        cardNumber=await people.town.card_number(people.ann),
    )
    cart = cart_of(people, coupon_id, store=people.books_shop)

    quoted = await people.town.query("Quote", people.town.merchant(people.books), cart=cart)

    assert [each["reason"] for each in quoted["decisions"]] == ["COUPON_WRONG_MERCHANT"]
    assert quoted["payable"]["amountMinor"] == 1_000


async def test_a_partial_refund_keeps_the_coupon_spent(people: Settled) -> None:
    coupon_id = await coupon_of(people)
    sold = await sell(people, cart_of(people, coupon_id, line(600), line(400)))

    preview, done = await refund(people, sold["id"], (0, 1))

    assert preview["couponOutcome"] == done["couponOutcome"] == "KEPT"
    assert preview["cash"] == done["cash"] == {"amountMinor": 300}
    assert await state_of(people, coupon_id) == "REDEEMED"


async def test_a_refund_below_the_minimum_deducts_a_rechecked_coupon(people: Settled) -> None:
    coupon_id = await coupon_of(people, onPartialRefund="RECHECK_MIN_SPEND")
    sold = await sell(people, cart_of(people, coupon_id, line(600), line(400)))

    preview, part = await refund(people, sold["id"], (0, 1))
    is_back = await state_of(people, coupon_id)
    _, rest = await refund(people, sold["id"], (1, 1))

    # The first line paid 3.00; of the other line's price the coupon took 2.00, kept back.
    assert preview["couponOutcome"] == part["couponOutcome"] == "RECHECKED"
    assert preview["cash"] == part["cash"] == {"amountMinor": 100}
    assert is_back == "ISSUED"
    assert rest["cash"] == {"amountMinor": 400}
    assert part["cash"]["amountMinor"] + rest["cash"]["amountMinor"] == 500


async def test_a_refund_above_the_minimum_leaves_a_rechecked_coupon(people: Settled) -> None:
    coupon_id = await coupon_of(people, onPartialRefund="RECHECK_MIN_SPEND")
    sold = await sell(people, cart_of(people, coupon_id, line(1_000), line(1_000)))

    _, done = await refund(people, sold["id"], (0, 1))

    assert (done["couponOutcome"], done["cash"]) == ("KEPT", {"amountMinor": 750})


async def test_a_full_refund_after_its_time_gives_no_coupon_back(people: Settled) -> None:
    coupon_id = await coupon_of(people, validDays=1)
    sold = await sell(people, cart_of(people, coupon_id))
    people.town.gateway.clock.set(people.town.gateway.clock.now() + timedelta(days=1))

    _, done = await refund(people, sold["id"], (0, 1))

    assert done["couponOutcome"] == "EXPIRED"
    assert await state_of(people, coupon_id) == "REDEEMED"


async def test_a_coupon_ends_at_its_very_instant(people: Settled) -> None:
    clock = people.town.gateway.clock
    coupon_id = await coupon_of(people, validDays=1)
    end = clock.now() + timedelta(days=1)

    clock.set(end - timedelta(microseconds=1))
    before = await state_of(people, coupon_id)
    clock.set(end)

    assert (before, await state_of(people, coupon_id)) == ("ISSUED", "EXPIRED")
    assert await reason_in(people, cart_of(people, coupon_id)) == "COUPON_EXPIRED"


async def test_an_ended_template_issues_nothing_and_its_coupons_stay(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    template_id = await template_of(people, asDraft=True, quotaPerMember=9)
    given = {"templateId": template_id, "cardIds": [people.ann_card]}
    as_draft = await town.change("IssueCoupons", till, **given)
    await town.done("SetCouponTemplateState", till, templateId=template_id, state="ACTIVE")
    coupon_id = await issue(people, template_id)
    quoted = await quote(people, cart_of(people, coupon_id))

    for state in ("PAUSED", "ENDED"):
        await town.done("SetCouponTemplateState", till, templateId=template_id, state=state)
        refused = await town.change("IssueCoupons", till, **given)
        assert refused["code"] == "INVALID_INPUT"
    again = await town.change(
        "SetCouponTemplateState", till, templateId=template_id, state="ACTIVE"
    )

    assert as_draft["code"] == "INVALID_INPUT"
    assert (again["code"], again["state"]) == ("TEMPLATE_STATE_UNREACHABLE", "ENDED")
    assert (await quote(people, cart_of(people, coupon_id)))["version"] == quoted["version"]


async def test_a_coupon_withdrawn_while_a_cart_is_open_makes_its_quote_stale(
    people: Settled,
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    coupon_id = await coupon_of(people)
    cart = cart_of(people, coupon_id)
    quoted = await quote(people, cart)
    voided = await town.done(
        "VoidCoupons", till, merchantId=people.tea, couponIds=[coupon_id], reason="印错了"
    )

    answer = await town.change("HoldCheckout", till, cart=cart, quoteVersion=quoted["version"])

    assert voided["coupons"] == [{"id": coupon_id, "state": "VOID", "voidReason": "印错了"}]
    assert answer["code"] == "QUOTE_STALE"
    assert answer["quote"]["payable"]["amountMinor"] == 1_000
    assert await reason_in(people, cart) == "COUPON_VOID"


async def test_a_coupon_in_use_is_not_withdrawn(people: Settled) -> None:
    coupon_id = await coupon_of(people)
    await hold(people, cart_of(people, coupon_id))

    answer = await people.town.change(
        "VoidCoupons",
        people.town.merchant(people.tea),
        merchantId=people.tea,
        couponIds=[coupon_id],
        reason="印错了",
    )

    assert answer["code"] == "COUPON_NOT_FREE"
    assert answer["coupon"] == {"id": coupon_id, "state": "LOCKED"}


async def test_fifty_issues_at_once_stay_within_both_quotas(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    per_member = await template_of(people, quotaPerMember=3)
    in_all = await template_of(people, quotaTotal=7, quotaPerMember=100)

    for template_id, quota in ((per_member, 3), (in_all, 7)):
        answers = await asyncio.gather(
            *(
                town.change("IssueCoupons", till, templateId=template_id, cardIds=[people.ann_card])
                for _ in range(50)
            )
        )
        words = Counter(word_of({"data": {"answer": answer}}) for answer in answers)
        assert words == {"ok": quota, "QUOTA_EXHAUSTED": 50 - quota}


async def test_a_budget_is_never_overdrawn_and_comes_back(people: Settled) -> None:
    """Ten coupons of 5.00 and a budget of 15.00: three sales, and one more after a refund."""
    town, till = people.town, people.town.merchant(people.tea)
    template_id = await template_of(people, budget=cny(1_500), quotaPerMember=10)
    coupons = [await issue(people, template_id) for _ in range(10)]
    quoted = await quote(people, cart_of(people, coupons[0]))
    versions = [
        (await quote(people, cart_of(people, coupon_id)))["version"] for coupon_id in coupons
    ]

    answers = await asyncio.gather(
        *(
            town.change(
                "Checkout",
                till,
                cart=cart_of(people, coupon_id),
                quoteVersion=version,
                orderNo=town.request_id(),
            )
            for coupon_id, version in zip(coupons, versions, strict=True)
        )
    )

    words = Counter(word_of({"data": {"answer": answer}}) for answer in answers)
    assert quoted["payable"]["amountMinor"] == 500
    assert words == {"ok": 3, "QUOTE_STALE": 7}
    [spare, *_] = [
        coupon_id
        for coupon_id, answer in zip(coupons, answers, strict=True)
        if "replayed" not in answer
    ]
    assert await reason_in(people, cart_of(people, spare)) == "COUPON_BUDGET_SPENT"
    sold = next(answer["order"]["id"] for answer in answers if "replayed" in answer)
    await refund(people, sold, (0, 1))
    assert await reason_in(people, cart_of(people, spare)) is None
    paused = await town.done("SetCouponTemplateState", till, templateId=template_id, state="PAUSED")
    assert paused["template"]["budgetSpent"] == {"amountMinor": 1_000}


async def test_an_alliance_funded_coupon_is_settled_and_given_back(people: Settled) -> None:
    town = people.town
    settings = await town.query("AllianceSettings", town.admin)
    made = await town.done(
        "CreateCouponTemplate",
        town.admin,
        merchantId=settings["merchant"]["id"],
        title="联盟减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
        funder="ALLIANCE",
    )
    issued = await town.done(
        "IssueCoupons", town.admin, templateId=made["template"]["id"], cardIds=[people.ann_card]
    )
    coupon_id = str(issued["coupons"][0]["id"])
    before = await coupon_legs(people)

    sold = await sell(people, cart_of(people, coupon_id))
    after_sale = await coupon_legs(people)
    _, done = await refund(people, sold["id"], (0, 1))

    assert after_sale - before == 500
    assert await coupon_legs(people) == before
    assert done["couponOutcome"] == "RETURNED"
    assert await state_of(people, coupon_id) == "ISSUED"


async def coupon_legs(people: Settled) -> int:
    """What coupons brought tea in this period, minor units."""
    till = people.town.merchant(people.tea)
    listed = await people.town.query("MyStatements", till, merchantId=people.tea)
    nodes = listed["statements"]["nodes"]
    if not nodes:
        return 0
    period = max(nodes, key=lambda each: each["period"]["from"])["period"]["id"]
    found = await people.town.query("MyStatement", till, merchantId=people.tea, periodId=period)
    return sum(
        each["amount"]["amountMinor"]
        for each in found["statement"]["lines"]
        if each["kind"] == "COUPON"
    )
