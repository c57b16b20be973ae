"""What refunds do to the coupons of a sale, and to those who paid for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from tests.journeys.coupons_at_tea import cart_of, coupon_of, refund, sell, state_of
from tests.journeys.town import Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("edges")) as town:
        yield await settle(town)


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
