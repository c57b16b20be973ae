"""What merchants can not learn: who is a member elsewhere, and what members did elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest
import pytest_asyncio

from gateway.membership.cards import check_digit
from gateway.membership.lookup_budget import LookupLimits
from tests.journeys.town import OPERATIONS, Settled, settle, town_at

WALLET = "wallet { tiers { name } coupons { nodes { id } } orders { nodes { orderNo } } }"


@pytest_asyncio.fixture
async def people(tmp_path: Path) -> AsyncIterator[Settled]:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await town.join(people.tea, people.tea_shop, cardNumber=await town.card_number(people.bob))
        await town.sell(people.tea, people.tea_shop, "t-1", 1_000, cardId=people.bob_card)
        await town.sell(people.books, people.books_shop, "b-1", 1_000, cardId=people.bob_card)
        yield people


async def membership_of_bob(people: Settled, merchant_id: str) -> str:
    me = await people.town.query("MyCard", people.town.member(people.bob))
    [found] = [
        each["id"]
        for each in me["card"]["memberships"]["nodes"]
        if each["merchant"]["id"] == merchant_id
    ]
    return str(found)


async def test_a_shared_member_shows_each_merchant_its_own_orders_alone(people: Settled) -> None:
    town = people.town
    merchants = {people.tea: "t-1", people.books: "b-1"}
    document = f"query($id: ID!) {{ node(id: $id) {{ ... on Membership {{ {WALLET} }} }} }}"
    for at, order_no in merchants.items():
        membership_id = await membership_of_bob(people, at)
        for looking in merchants:
            token = town.merchant(looking)
            seen = (await town.gateway.data(document, token=token, id=membership_id))["node"]
            if looking == at:
                orders = seen["wallet"]["orders"]["nodes"]
                assert [order["orderNo"] for order in orders] == [order_no]
            else:
                assert seen is None
        listed = await town.query("Orders", town.merchant(at), merchantId=at)
        assert [edge["node"]["orderNo"] for edge in listed["orders"]["edges"]] == [order_no]


async def test_identifying_tells_nothing_of_other_merchants(people: Settled) -> None:
    town = people.town
    number = await town.card_number(people.bob)
    seen = await town.query(
        "Identify",
        town.merchant(people.tea),
        credential={"cardNumber": number},
        storeId=people.tea_shop,
    )

    told = str(seen)
    assert people.books not in told
    assert seen["membership"]["merchant"]["id"] == people.tea
    document = (
        "query($credential: CredentialInput!, $storeId: ID!) { identify(credential: $credential, "
        "storeId: $storeId) { member { joinedVia { channel } identities { masked } } } }"
    )
    more = await town.gateway.data(
        document,
        token=town.merchant(people.tea),
        credential={"cardNumber": number},
        storeId=people.tea_shop,
    )
    assert more["identify"]["member"] == {"joinedVia": None, "identities": []}


@pytest.mark.parametrize("root", ["Identify", "Join"])
async def test_nobody_enumerates_members(people: Settled, root: str) -> None:
    """Whoever tries numbers that nobody has is stopped after sixty, whichever way they try."""
    town = people.town
    limits = LookupLimits()
    tries = 0
    codes: list[str] = []
    while "RATE_LIMITED" not in codes and tries <= 2 * limits.burst // limits.miss:
        tries += 1
        credential = {"cardNumber": _card_number(tries)}
        given: dict[str, Any] = {"credential": credential, "storeId": people.tea_shop}
        if root == "Join":
            given = {"input": {**given, "consents": [], "requestId": f"guess-{tries}"}}
        answer = await town.gateway.ask(OPERATIONS[root], token=town.merchant(people.tea), **given)
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]

    assert "RATE_LIMITED" in codes
    # A unit comes back every hundredth of a second, so slow machines get a few more.
    assert tries <= 2 * limits.burst // limits.miss
    other = await town.query(
        "Identify",
        town.merchant(people.books),
        credential={"phone": "+8613800000002"},
        storeId=people.books_shop,
    )
    assert other["member"]["id"] == people.bob


async def test_whoever_enters_is_known_at_once(people: Settled) -> None:
    """The whole operation that staff send, tiers and coupons included, in under 200 ms."""
    town = people.town
    token = town.merchant(people.tea)
    number = await town.card_number(people.bob)
    took = []
    for _ in range(11):
        began = perf_counter()
        seen = await town.query(
            "Identify", token, credential={"cardNumber": number}, storeId=people.tea_shop
        )
        took.append(perf_counter() - began)

    assert seen["membership"]["wallet"]["coupons"] is not None
    assert median(took) < 0.2


def _card_number(number: int) -> str:
    """A number that passes its check and that nobody has."""
    body = f"8{number:014}"
    return body + check_digit(body)
