"""One sale, from an empty data directory to the member's card, through HTTP alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from graphql import build_client_schema, get_introspection_query, print_schema

from gateway.assembly.data_directory import open_alliance
from kernel.callers import CallerKind
from kernel.clock import SystemClock
from kernel.ids import RandomIds
from tests.builders import GatewayUnderTest, running_gateway

ADMIT = """mutation ($input: AdmitMerchantInput!) {
  admitMerchant(input: $input) {
    __typename
    ... on MerchantAdmitted { merchant { id } }
    ... on Refusal { code message }
  }
}"""
OPEN_STORE = """mutation ($input: OpenStoreInput!) {
  openStore(input: $input) {
    __typename
    ... on StoreOpened { store { id } }
    ... on Refusal { code message }
  }
}"""
JOIN = """mutation ($input: JoinInput!) {
  join(input: $input) {
    __typename
    ... on Joined { replayed member { id card { id } } }
    ... on Refusal { code message }
  }
}"""
CHECKOUT = """mutation ($input: CheckoutInput!) {
  checkout(input: $input) {
    __typename
    ... on CheckoutCaptured { replayed order { id orderNo } }
    ... on Refusal { code message }
  }
}"""

EXAMPLES = json.loads(Path("gateway/explorer/operations.json").read_text(encoding="utf-8"))
MY_CARD = EXAMPLES[0]["operations"][0]["query"]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[GatewayUnderTest]:
    async with running_gateway(tmp_path) as running:
        yield running


async def open_shop(gateway: GatewayUnderTest) -> tuple[str, str]:
    """A merchant's token for its one store, and the store's id."""
    admin = gateway.token(CallerKind.ADMIN, "ada")
    admitted = await gateway.data(
        ADMIT,
        token=admin,
        input={
            "requestId": "admit-1",
            "reference": "tea",
            "name": "茶",
            "backend": {"kind": "HOSTED"},
        },
    )
    merchant_id = admitted["admitMerchant"]["merchant"]["id"]
    opened = await gateway.data(
        OPEN_STORE,
        token=admin,
        input={
            "requestId": "open-1",
            "merchantId": merchant_id,
            "reference": "s1",
            "name": "东门",
            "channel": "STORE_POS",
        },
    )
    store_id = opened["openStore"]["store"]["id"]
    return gateway.token(CallerKind.MERCHANT, merchant_id, store_id=store_id), store_id


async def join(gateway: GatewayUnderTest, till: str, store_id: str) -> dict[str, Any]:
    answer = await gateway.data(
        JOIN,
        token=till,
        input={
            "requestId": "join-1",
            "storeId": store_id,
            "credential": {"phone": "+8613800000001"},
            "consents": [],
        },
    )
    assert answer["join"]["__typename"] == "Joined", answer
    member: dict[str, Any] = answer["join"]["member"]
    return member


def sale(store_id: str, card_id: str) -> dict[str, Any]:
    line = {"sku": "tea", "quantity": 2, "unitPrice": {"amountMinor": 1_800, "currency": "CNY"}}
    cart = {"storeId": store_id, "cardId": card_id, "lines": [line]}
    return {"requestId": "sale-1", "orderNo": "A-1", "cart": cart}


async def test_a_sale_shows_on_the_members_card(gateway: GatewayUnderTest) -> None:
    till, store_id = await open_shop(gateway)
    member = await join(gateway, till, store_id)
    wanted = sale(store_id, member["card"]["id"])

    sold = await gateway.data(CHECKOUT, token=till, input=wanted)
    again = await gateway.data(CHECKOUT, token=till, input=wanted)
    seen = await gateway.data(MY_CARD, token=gateway.token(CallerKind.MEMBER, member["id"]))

    assert sold["checkout"]["__typename"] == "CheckoutCaptured", sold
    assert again["checkout"] == {**sold["checkout"], "replayed": True}
    card = seen["me"]["card"]
    assert card["points"]["available"] == 36
    [membership] = card["memberships"]["nodes"]
    assert membership["merchant"]["name"] == "茶"


async def test_the_ledger_of_a_served_alliance_balances(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        till, store_id = await open_shop(gateway)
        await join(gateway, till, store_id)

    async with open_alliance(tmp_path, clock=SystemClock(), ids=RandomIds()) as opened:
        report = await opened.ledger.verify()
    assert report.is_sound


async def test_the_metrics_tell_that_the_books_objected(gateway: GatewayUnderTest) -> None:
    async def told() -> list[str]:
        text = (await gateway.client.get("/metrics")).text
        return [each for each in text.splitlines() if each.startswith("alliance_ledger_")]

    till, store_id = await open_shop(gateway)
    member = await join(gateway, till, store_id)
    assert await told() == [
        "alliance_ledger_waiting 0.0",
        "alliance_ledger_isolated_batches_total 0.0",
        "alliance_ledger_commits_in_doubt_total 0.0",
    ]

    with closing(sqlite3.connect(gateway.directory / "ledger.db")) as somebody:
        somebody.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON ledger_tx BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    answer = await gateway.ask(CHECKOUT, token=till, input=sale(store_id, member["card"]["id"]))

    assert [each["extensions"]["code"] for each in answer["errors"]] == ["INTERNAL"]
    assert (await told())[1] == "alliance_ledger_isolated_batches_total 1.0"


async def test_introspection_tells_the_whole_public_schema(gateway: GatewayUnderTest) -> None:

    data = await gateway.data(get_introspection_query())

    told = print_schema(build_client_schema(data))  # type: ignore[arg-type]
    assert "type Card implements Node" in told
    assert "Backend contract" not in told
