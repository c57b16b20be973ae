"""Coupons where carts, clocks, refunds and rules get in each other's way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from tests.journeys.answers import word_of
from tests.journeys.coupons_at_tea import (
    cart_of,
    coupon_of,
    hold,
    issue,
    quote,
    reason_in,
    refund,
    sell,
    state_of,
    template_of,
)
from tests.journeys.town import Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("edges")) as town:
        yield await settle(town)


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


async def test_a_paid_sale_stands_though_its_coupon_has_ended_and_nobody_pays_for_it(
    people: Settled,
) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    made = await town.done(
        "CreateCouponTemplate",
        town.admin,
        merchantId=people.tea,
        title="减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
        validDays=1,
        funder="ALLIANCE",
    )
    coupon_id = await issue(people, made["template"]["id"])
    held = await hold(people, cart_of(people, coupon_id))
    await town.done("ReleaseCheckout", till, checkoutId=held["checkout"]["id"])
    town.gateway.clock.set(town.gateway.clock.now() + timedelta(days=1))

    captured = await town.done(
        "CaptureCheckout", till, checkoutId=held["checkout"]["id"], orderNo="after-its-end"
    )

    assert captured["order"]["payable"]["amountMinor"] == 500
    assert await state_of(people, coupon_id) == "EXPIRED"
    _, back = await refund(people, captured["order"]["id"], (0, 1))
    assert back["couponOutcome"] == "NONE"


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
