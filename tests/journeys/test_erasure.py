"""A member is forgotten: nothing names them, the books stay, and they may come back as another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.journeys.town import Settled, cny, settle, town_at

ME = "{ me { id status displayName identities { masked } card { id } } }"
NODE = """query($id: ID!) { node(id: $id) { ... on Member {
    status displayName identities { masked } card { id } joinedVia { channel } } } }"""


async def erase(people: Settled, *, forfeit: bool = True, token: str | None = None) -> Any:
    return await people.town.change(
        "EraseMember",
        token or people.town.member(people.ann),
        memberId=people.ann,
        forfeit=forfeit,
    )


async def test_nothing_leads_to_an_erased_member(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        till = town.merchant(people.tea)
        number = await town.card_number(people.ann)

        erased = await erase(people)

        assert erased["memberId"] == people.ann
        for credential in ({"phone": "+8613800000001"}, {"cardNumber": number}):
            found = await town.query(
                "Identify", till, credential=credential, storeId=people.tea_shop
            )
            assert found is None
        told = (await town.gateway.data(NODE, token=town.admin, id=people.ann))["node"]
        assert told == {
            "status": "ERASED",
            "displayName": None,
            "identities": [],
            "card": None,
            "joinedVia": {"channel": "STORE_POS"},
        }
        card = await town.gateway.data(NODE, token=town.admin, id=people.ann_card)
        assert card == {"node": None}
        assert "138****0001" not in str(town.dump())


async def test_points_are_forfeited_only_with_consent_and_settle_as_expired(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await town.sell(people.tea, people.tea_shop, "o-1", 50_000, cardId=people.ann_card)
        await town.done("GrantCoins", town.admin, cardId=people.ann_card, amount=cny(9), reason="x")

        blocked = await erase(people, forfeit=False)
        erased = await erase(people)

        assert (blocked["code"], blocked["conflicts"]) == ("ERASURE_BLOCKED", ["BALANCE_LEFT"])
        assert "memberId" in erased
        [standing] = await town.opened.ledger.ledger.balances(
            [people.ann_card], now=town.gateway.clock.now()
        )
        assert (standing.available, standing.coins_available, standing.debt) == (0, 0, 0)
        assert (await town.opened.ledger.verify()).findings == ()


async def test_orders_of_an_erased_member_stay_and_can_be_refunded(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        sold = await town.sell(people.tea, people.tea_shop, "o-1", 50_000, cardId=people.ann_card)
        await erase(people)

        refunded = await town.done(
            "RefundOrder",
            town.merchant(people.tea),
            orderId=sold["order"]["id"],
            refundNo="r-1",
            amount=cny(50_000),
        )

        assert refunded["refund"]["cash"]["amountMinor"] == 50_000
        orders = await town.query("Orders", town.merchant(people.tea), merchantId=people.tea)
        assert [edge["node"]["orderNo"] for edge in orders["orders"]["edges"]] == ["o-1"]
        assert (await town.opened.ledger.verify()).findings == ()


async def test_an_open_checkout_comes_first(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        till = town.merchant(people.tea)
        await town.sell(people.tea, people.tea_shop, "o-1", 50_000, cardId=people.ann_card)
        cart = {
            "storeId": people.tea_shop,
            "cardId": people.ann_card,
            "lines": [{"sku": "tea", "quantity": 1, "unitPrice": cny(5_000)}],
            "points": 10,
        }
        quote = await town.query("Quote", till, cart=cart)
        await town.done("HoldCheckout", till, cart=cart, quoteVersion=quote["version"])

        assert (await erase(people))["conflicts"] == ["CHECKOUT_OPEN"]


async def test_whoever_was_erased_may_join_anew_as_another(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await erase(people)

        member_id, card_id = await town.join(people.tea, people.tea_shop, phone="+8613800000001")

        assert member_id != people.ann
        assert card_id != people.ann_card


@pytest.mark.parametrize("who", ["member", "admin"])
async def test_erasing_twice_finds_nobody(tmp_path: Path, who: str) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        token = town.member(people.ann) if who == "member" else town.admin
        await erase(people, token=token)

        assert (await erase(people, token=token))["code"] == "NOT_FOUND"
        frozen = await town.change(
            "FreezeMember", town.admin, memberId=people.ann, frozen=True, reason="again"
        )
        merged = await town.change(
            "MergeMembers", town.admin, survivorId=people.bob, mergedId=people.ann, dryRun=False
        )
        assert frozen["code"] == merged["code"] == "NOT_FOUND"


async def test_a_merged_members_traces_go_with_the_survivor(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await town.done(
            "MergeMembers", town.admin, survivorId=people.ann, mergedId=people.bob, dryRun=False
        )

        await erase(people)

        assert "138****0002" not in str(town.dump())
        told = (await town.gateway.data(NODE, token=town.admin, id=people.bob))["node"]
        assert told["status"] == "ERASED"
        found = await town.query(
            "Identify",
            town.merchant(people.books),
            credential={"phone": "+8613800000002"},
            storeId=people.books_shop,
        )
        assert found is None
