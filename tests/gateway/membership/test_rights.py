from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest
from sqlalchemy import Connection

from kernel.callers import Caller
from kernel.database import READERS
from kernel.ids import derived_id_within
from kernel.statements import driver_connection
from kernel.units import Ratio
from merchants.offers import CartLine
from merchants.port import PlaceOrder, PriceCart
from tests.gateway.alliances import (
    ADMIN,
    Counter,
    House,
    member_caller,
    merchant_caller,
    open_alliance,
)

PHONE = {"phone": "+8613800001234"}
ENTITIES = """query($of: [_Any!]!) { _entities(representations: $of) {
    ... on Member { status displayName identities { masked } joinedVia { channel }
        card { number } }
    ... on Card { number cardStatus: status }
    ... on Membership { joinedAt merchant { id } card { number } }
} }"""
NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
MY_CARD = """query($first: Int!, $after: String) { me { card {
    memberships(first: $first, after: $after) {
    nodes { id joinedAt merchant { id name } card { number } } pageInfo { hasNextPage endCursor }
} } } }"""


@dataclass
class Scene:
    """A member of one merchant, and a merchant that never met the member."""

    house: House
    here: Counter
    there: Counter
    member_id: str
    card: dict[str, Any]
    membership: dict[str, Any]

    @property
    def member(self) -> Caller:
        return member_caller(self.member_id)

    async def entity(
        self, caller: Caller, typename: str, **key: str
    ) -> tuple[dict[str, Any], set[str]]:
        data, codes = await self.house.ask_with_errors(
            ENTITIES, {"of": [{"__typename": typename, **key}]}, caller=caller
        )
        return data["_entities"][0], set(codes)


async def _scene(house: House) -> Scene:
    here, there = await house.counter("A"), await house.counter("B")
    joined = await here.join(PHONE, profile={"displayName": "Ada"})
    member = joined["member"]
    return Scene(house, here, there, member["id"], member["card"], joined["membership"])


async def test_a_member_sees_all_of_itself(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        for caller in (scene.member, ADMIN):
            found, codes = await scene.entity(caller, "Member", id=scene.member_id)

            assert codes == set()
            assert found == {
                "status": "ACTIVE",
                "displayName": "Ada",
                "identities": [{"masked": "138****1234"}],
                "joinedVia": {"channel": "STORE_POS"},
                "card": {"number": scene.card["number"]},
            }


async def test_a_merchant_sees_the_standing_of_its_members_and_no_profile(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        number = scene.card["number"]
        await scene.there.join({"cardNumber": number})
        found, codes = await scene.entity(scene.there.till, "Member", id=scene.member_id)

        assert codes == {"CONSENT_REQUIRED"}
        assert found == {
            "status": "ACTIVE",
            "displayName": None,
            "identities": [],
            "joinedVia": None,
            "card": {"number": number},
        }


async def test_a_merchant_sees_the_name_with_the_members_consent(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        without, _ = await scene.entity(scene.here.till, "Member", id=scene.member_id)
        await scene.here.join(PHONE, consents=["profile"])
        with_consent, _ = await scene.entity(scene.here.till, "Member", id=scene.member_id)

        assert without["displayName"] is None
        assert with_consent["displayName"] == "Ada"


async def test_a_stranger_sees_nothing_of_a_member_card_or_membership(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        other = (await scene.there.join({"phone": "+8613900001234"}))["member"]["id"]
        keys: list[dict[str, str]] = [
            {"typename": "Member", "id": scene.member_id},
            {"typename": "Card", "id": scene.card["id"]},
            {"typename": "Membership", **scene.membership},
        ]
        for caller in (scene.there.till, member_caller(other)):
            for key in keys:
                found, codes = await scene.entity(caller, **key)
                assert codes == {"FORBIDDEN"}
                assert set(found.values()) == {None}


async def test_a_membership_under_another_merchants_key_is_not_told(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        found, codes = await scene.entity(
            ADMIN, "Membership", id=scene.membership["id"], merchantId=scene.there.merchant_id
        )

        assert codes == {"FORBIDDEN"}
        assert found["joinedAt"] is None


async def test_the_display_token_is_the_members_alone(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        document = (
            "query($of: [_Any!]!) { _entities(representations: $of) "
            "{ ... on Card { displayToken { token } } } }"
        )
        variables = {"of": [{"__typename": "Card", "id": scene.card["id"]}]}
        _, codes = await house.ask_with_errors(document, variables, caller=scene.here.till)
        assert codes == ["FORBIDDEN"]
        shown = await house.ask(document, variables, caller=ADMIN)
        assert shown["_entities"] == [{"displayToken": None}]


async def test_consents_and_memberships_are_for_the_member_and_admins(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        document = (
            "query($id: ID!) { node(id: $id) { ... on Member "
            "{ consents { purpose } card { memberships { nodes { id } } } } } }"
        )
        variables = {"id": scene.member_id}
        data, codes = await house.ask_with_errors(document, variables, caller=scene.here.till)
        assert data["node"] == {"consents": None, "card": {"memberships": None}}
        assert codes == ["FORBIDDEN", "FORBIDDEN"]

        for caller in (scene.member, ADMIN):
            data = await house.ask(document, variables, caller=caller)
            assert len(data["node"]["card"]["memberships"]["nodes"]) == 1


async def test_node_finds_every_kind_of_thing_for_those_who_may_see_it(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        for typename, id_ in {
            "Member": scene.member_id,
            "Card": scene.card["id"],
            "Membership": scene.membership["id"],
            "Merchant": scene.here.merchant_id,
            "Store": scene.here.store_id,
        }.items():
            for caller in (scene.member, scene.here.till, ADMIN):
                data = await house.ask(NODE, {"id": id_}, caller=caller)
                assert data["node"] == {"__typename": typename, "id": id_}


async def test_node_is_null_for_those_who_may_not_see_it_and_for_nonsense(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        hidden = [scene.member_id, scene.card["id"], scene.membership["id"]]
        nonsense = ["", "x", "mem_x", scene.member_id.upper(), "mem_" + "0" * 26, "ord_" + "0" * 26]
        for id_ in [*hidden, *nonsense]:
            data = await house.ask(NODE, {"id": id_}, caller=scene.there.till)
            assert data["node"] is None


async def test_an_order_is_found_by_its_merchant_its_buyer_and_admins(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        scene = await _scene(house)
        order_id = await _place_order(scene)
        for caller, is_found in {
            scene.member: True,
            scene.here.till: True,
            ADMIN: True,
            scene.there.till: False,
            member_caller("mem_other"): False,
        }.items():
            data = await house.ask(NODE, {"id": order_id}, caller=caller)
            assert (data["node"] is not None) is is_found


async def test_a_coupon_is_found_by_its_merchant_its_holder_and_admins(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        await house.offer_to_newcomers(here.merchant_id)
        joined = await here.join(PHONE)
        other = await there.join({"phone": "+8613900001234"})
        coupon_id = joined["firstOrderCoupon"]["id"]
        unknown = derived_id_within("cpn", here.merchant_id, "unknown")
        for caller, is_found in {
            member_caller(joined["member"]["id"]): True,
            here.till: True,
            ADMIN: True,
            there.till: False,
            member_caller(other["member"]["id"]): False,
        }.items():
            data = await house.ask(NODE, {"id": coupon_id}, caller=caller)
            assert (data["node"] is not None) is is_found
            assert (await house.ask(NODE, {"id": unknown}, caller=caller))["node"] is None


async def test_what_a_silent_backend_holds_is_an_error_with_its_merchant(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        house.door.is_shut = True
        for prefix in ("ord", "cpn"):
            id_ = derived_id_within(prefix, here.merchant_id, "1")
            _, codes = await house.ask_with_errors(NODE, {"id": id_}, caller=ADMIN)
            assert codes == ["SUBGRAPH_UNAVAILABLE"]


async def test_a_member_token_of_nobody_is_refused(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        _, codes = await house.ask_with_errors(
            "{ me { status } }", caller=member_caller("mem_nobody")
        )
        assert codes == ["FORBIDDEN"]

        for caller in (ADMIN, merchant_caller("mer_x")):
            _, codes = await house.ask_with_errors("{ me { id } }", caller=caller)
            assert codes == ["FORBIDDEN"]


@pytest.mark.parametrize("first", [2, 5])
async def test_memberships_are_paged_by_merchant_name(tmp_path: Path, first: int) -> None:
    async with open_alliance(tmp_path) as house:
        member, _ = await _joined_everywhere(house, ["Coop", "Aldi", "Lidl", "Boots", "Aldi"])
        names: list[str] = []
        after = None
        while True:
            data = await house.ask(MY_CARD, {"first": first, "after": after}, caller=member)
            page = data["me"]["card"]["memberships"]
            names += [node["merchant"]["name"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break

        assert names == ["Aldi", "Aldi", "Boots", "Coop", "Lidl"]


@pytest.mark.sqlite
async def test_a_page_of_thirty_memberships_costs_as_many_statements_as_one_of_two(
    tmp_path: Path,
) -> None:
    async with open_alliance(tmp_path) as house:
        member, _ = await _joined_everywhere(house, [f"Merchant {n:02}" for n in range(30)])
        counts = []
        for first in (2, 30):
            statements = await _counted(house)
            data = await house.ask(MY_CARD, {"first": first}, caller=member)
            assert len(data["me"]["card"]["memberships"]["nodes"]) == first
            counts.append(len(statements))

        assert counts[0] == counts[1]
        assert counts[1] == 3


@pytest.mark.sqlite
async def test_thirty_membership_entities_are_read_in_one_statement(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        member, memberships = await _joined_everywhere(house, [f"M{n:02}" for n in range(30)])
        statements = await _counted(house)
        data = await house.ask(
            "query($of: [_Any!]!) { _entities(representations: $of) "
            "{ ... on Membership { joinedAt merchant { name } } } }",
            {"of": [{"__typename": "Membership", **each} for each in memberships]},
            caller=member,
        )

        assert [found["merchant"]["name"] for found in data["_entities"]] == [
            f"M{n:02}" for n in range(30)
        ]
        assert len(statements) == 1


async def _place_order(scene: Scene) -> str:
    """Id of an order that the member placed at the first merchant."""
    now = scene.house.clock.now()
    cart = PriceCart(
        merchant_id=scene.here.merchant_id,
        store_id=scene.here.store_id,
        channel="STORE_POS",
        at=now,
        lines=(CartLine("tea", 1, 1_000),),
        member_point_value=Ratio(1, 1),
        points_cap_bps=5_000,
        earn_points_per_major_unit=1,
        membership_id=scene.membership["id"],
        card_id=scene.card["id"],
    )
    backend = scene.house.door.hosted
    placed = await backend.place(
        PlaceOrder(
            merchant_id=cart.merchant_id,
            attempt_id="att_1",
            order_id=derived_id_within("ord", cart.merchant_id, "1"),
            order_no="1",
            cart=cart,
            version=(await backend.price(cart)).version,
            paid_at=now,
        )
    )
    return placed.order.id


async def _joined_everywhere(house: House, names: list[str]) -> tuple[Caller, list[dict[str, Any]]]:
    merchants = await asyncio.gather(
        *(house.admit(str(index), name) for index, name in enumerate(names))
    )
    counters = [
        Counter(house, merchant_id, store_id)
        for merchant_id, store_id in zip(
            merchants, await asyncio.gather(*map(house.open_store, merchants)), strict=True
        )
    ]
    first = await counters[0].join(PHONE)
    number = {"cardNumber": first["member"]["card"]["number"]}
    others = await asyncio.gather(*(counter.join(number) for counter in counters[1:]))
    memberships = [joined["membership"] for joined in (first, *others)]
    return member_caller(first["member"]["id"]), memberships


async def _counted(house: House) -> list[str]:
    """Every statement read from now on."""
    statements: list[str] = []
    each_reader_once = threading.Barrier(READERS)

    def note(event: dict[str, Any]) -> None:
        if event["sql"].startswith("SELECT"):
            statements.append(event["sql"])

    def trace(connection: Connection) -> None:
        driver_connection(connection).trace_v2(apsw.SQLITE_TRACE_STMT, note)
        each_reader_once.wait()

    database = house.alliance.database
    await asyncio.gather(*(database.snapshot(trace) for _ in range(READERS)))
    return statements
