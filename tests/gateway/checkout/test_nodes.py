"""A checkout found by its id."""

from typing import Any

from graphql import graphql

from kernel.callers import Caller, CallerKind
from tests.gateway.checkout.tills import Till
from tests.gateway.checkout.town import ADMIN, Town

NODE = """query($id: ID!) { node(id: $id) {
  __typename id ... on Checkout { state payable { amountMinor currency } order { id } } } }"""


async def node(town: Town, checkout_id: str, caller: Caller) -> Any:
    result = await graphql(
        town.alliance.schema.executable,
        NODE,
        context_value=town.alliance.context_for(caller),
        variable_values={"id": checkout_id},
    )
    assert result.errors is None
    assert result.data is not None
    return result.data["node"]


async def test_a_checkout_is_found_by_its_merchant_and_admins_alone(town: Town, till: Till) -> None:
    held = await till.hold(till.cart(5_000))
    checkout_id = held["checkout"]["id"]
    strangers = [
        town.till(town.names.books),
        town.till(store_id=town.names.tea_web),
        Caller(CallerKind.MEMBER, "mem_someone"),
    ]

    for caller in (town.till(), town.till(store_id=town.names.tea_shop), ADMIN):
        found = await node(town, checkout_id, caller)
        assert found == {
            "__typename": "Checkout",
            "id": checkout_id,
            "state": "HELD",
            "payable": {"amountMinor": 5_000, "currency": "CNY"},
            "order": None,
        }
    for caller in strangers:
        assert await node(town, checkout_id, caller) is None


async def test_a_checkout_in_one_call_became_an_order(town: Town, till: Till) -> None:
    sold = await till.sell(5_000, order_no="no-1")
    [(checkout_id,)] = await town.rows(town.alliance.database, "SELECT id FROM checkout")
    found = await node(town, checkout_id, town.till())

    assert (found["state"], found["order"]) == ("CAPTURED", {"id": sold["order"]["id"]})
