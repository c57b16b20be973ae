"""Points at the edges, through the API: owed, earned on nothing, held while they expire, announced.

Members are each test's own; the clock only goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from tests.journeys.march import SETTINGS
from tests.journeys.test_edge_cases import ALL_OF_LINE_0, card_of, cart_of, hold, newcomer, wait
from tests.journeys.town import Settled, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("points")) as town:
        yield await settle(town)


async def test_a_refund_after_the_points_were_spent_elsewhere_is_owed_and_repaid(
    people: Settled,
) -> None:
    town = people.town
    member_id, card_id = await newcomer(people)
    at_books = {"cardId": card_id, "chooseBest": False}
    sold = await town.sell(people.tea, people.tea_shop, "E-1", 10_000, **at_books)
    await town.sell(people.books, people.books_shop, "E-2", 300, **at_books, points=100)

    refunded = await town.done(
        "RefundOrder",
        town.merchant(people.tea),
        orderId=sold["order"]["id"],
        refundNo="r-1",
        lines=ALL_OF_LINE_0,
    )
    owing = (await card_of(people, member_id))["points"]
    blocked = await town.change(
        "Checkout",
        town.merchant(people.books),
        orderNo="E-3",
        cart={"storeId": people.books_shop, "lines": [line(300)], **at_books, "points": 1},
    )
    await town.sell(people.books, people.books_shop, "E-4", 15_000, **at_books)
    repaid = (await card_of(people, member_id))["points"]
    entries = (await town.query("MyHistory", town.member(member_id)))["card"]["entries"]["edges"]

    assert refunded["refund"]["pointsClawedBack"] == 100
    assert refunded["refund"]["debtCreated"] == 98  # 2 were earned with the 2.00 paid at books.
    assert (owing["available"], owing["debt"]) == (0, 98)
    assert blocked["code"] == "DEBT_OPEN"
    assert (repaid["available"], repaid["debt"]) == (150 - 98, 0)
    assert [edge["node"]["balanceAfter"]["points"] for edge in entries[:3]] == [52, 52, -98]


async def test_what_points_pay_earns_nothing(people: Settled) -> None:
    _, card_id = await newcomer(people)
    town = people.town
    paid = {"cardId": card_id, "chooseBest": False}
    await town.sell(people.tea, people.tea_shop, "L-1", 50_000, **paid)

    sold = await town.sell(people.tea, people.tea_shop, "L-2", 80_000, **paid, points=500)

    assert sold["order"]["payable"]["amountMinor"] == 79_500
    assert sold["order"]["pointsEarned"] == 795


async def _points_that_expire_in_a_hold(people: Settled, order_no: str) -> tuple[str, str, str]:
    """Ids of a member, the card, and a checkout that holds 100 points, which expired meanwhile."""
    member_id, card_id = await newcomer(people)
    await people.town.sell(
        people.tea, people.tea_shop, order_no, 10_000, cardId=card_id, chooseBest=False
    )
    held = await hold(people, cart_of(people, card_id, 10_000, points=100))
    wait(people, days=400)
    card = await card_of(people, member_id)
    assert (card["points"]["available"], card["points"]["held"]) == (0, 100)
    return member_id, card_id, held["checkout"]["id"]


async def test_points_that_expire_during_a_hold_are_still_captured(people: Settled) -> None:
    member_id, _, checkout_id = await _points_that_expire_in_a_hold(people, "X-1")
    town = people.town
    await town.opened.ledger.expiry.run_once()

    captured = await town.done(
        "CaptureCheckout", town.merchant(people.tea), checkoutId=checkout_id, orderNo="X-2"
    )

    assert captured["order"]["payable"]["amountMinor"] == 9_900
    points = (await card_of(people, member_id))["points"]
    assert (points["available"], points["held"]) == (99, 0)


async def test_points_that_a_release_frees_after_their_expiry_are_gone_at_once(
    people: Settled,
) -> None:
    member_id, _, checkout_id = await _points_that_expire_in_a_hold(people, "X-3")
    town = people.town

    await town.done("ReleaseCheckout", town.merchant(people.tea), checkoutId=checkout_id)

    points = (await card_of(people, member_id))["points"]
    assert (points["available"], points["held"]) == (0, 0)
    entries = (await town.query("MyHistory", town.member(member_id)))["card"]["entries"]["edges"]
    assert (entries[0]["node"]["kind"], entries[0]["node"]["points"]) == ("EXPIRY", -100)


async def test_a_member_reads_what_they_were_told_of_points_that_expire(people: Settled) -> None:
    town = people.town
    member_id, card_id = await newcomer(people)
    await town.sell(people.tea, people.tea_shop, "N-1", 7_700, cardId=card_id, chooseBest=False)
    [expiry] = (await card_of(people, member_id, within_days=400))["points"]["expiring"]
    last_day = datetime.fromisoformat(f"{expiry['on']}T12:00:00+00:00")
    document = (
        "query($first: Int! = 20, $after: String) { me { card { expiryNotices(first: $first, "
        "after: $after) { nodes { lastDay daysAhead points } pageInfo { endCursor } } } } }"
    )

    for days in (45, 20, 3):
        town.gateway.clock.set(last_day - timedelta(days=days))
        await town.opened.ledger.announce()
    token = town.member(member_id)
    told = (await town.gateway.data(document, token=token))["me"]["card"]["expiryNotices"]
    first = (await town.gateway.data(document, token=token, first=1))["me"]["card"]
    after = first["expiryNotices"]["pageInfo"]["endCursor"]
    rest = (await town.gateway.data(document, token=token, after=after))["me"]["card"]

    assert told["nodes"] == [
        {"lastDay": expiry["on"], "daysAhead": days, "points": 77} for days in (7, 30, 60)
    ]
    assert first["expiryNotices"]["nodes"] + rest["expiryNotices"]["nodes"] == told["nodes"]


@pytest.mark.parametrize("slices", [[100], [1] * 100, [33, 1, 66]], ids=["one", "each", "some"])
async def test_a_refund_in_slices_deducts_what_one_refund_deducts(
    tmp_path: Path, slices: list[int]
) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        worth_half = {"memberPointValue": "1/2", "debtPolicy": "DEDUCT_FROM_REFUND_CASH"}
        await town.done(
            "ConfigureAlliance", town.admin, **SETTINGS | worth_half | {"pointsCapBps": 10_000}
        )
        ann = {"cardId": people.ann_card}
        lines = [line(100, quantity=100)]
        sold = await town.sell(people.tea, people.tea_shop, "earns", 0, **ann, lines=lines)
        await town.sell(people.tea, people.tea_shop, "spends", 50, **ann, points=100)

        cash = 0
        for number, units in enumerate(slices):
            refunded = await town.done(
                "RefundOrder",
                town.merchant(people.tea),
                orderId=sold["order"]["id"],
                refundNo=f"r-{number}",
                lines=[{"lineIndex": 0, "quantity": units}],
            )
            cash += refunded["refund"]["cash"]["amountMinor"]

    assert cash == 10_000 - 50
