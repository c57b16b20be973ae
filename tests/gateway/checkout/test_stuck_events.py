"""A sale that can not be booked is parked, and stops nobody else's."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from graphql import graphql

from gateway.checkout.stuck_sql import TRIES_MAX
from gateway.checkout.sweepers import sweep_events
from kernel.callers import Caller, CallerKind
from kernel.database import DatabaseUnavailable
from tests.gateway.checkout.tills import Till
from tests.gateway.checkout.town import Town

ADMIN = Caller(CallerKind.ADMIN, "ada")
PARKED = """{ parkedEvents { nodes {
    id kind orderNo stream tries error merchant { id } } } }"""
RESUME = """mutation($id: ID!, $request: ID!) {
  resumeEvent(input: {requestId: $request, eventId: $id}) {
    __typename ... on EventResumed { replayed eventId } ... on Refusal { code } } }"""


class Poisoned:
    """A ledger that chokes on some cards."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger
        self.cards: set[str] = set()
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def capture_order(self, request: Any) -> Any:
        if self.is_away:
            raise DatabaseUnavailable("out of order")
        if request.card_id in self.cards:
            raise ZeroDivisionError("poison")
        return await self._ledger.capture_order(request)


@pytest.fixture
def ledger(town: Town) -> Poisoned:
    poisoned = Poisoned(town.desk.ledger)
    desk = dataclasses.replace(town.desk, ledger=poisoned)
    town.desk = town.alliance.desk = town.alliance.sweepers._desk = desk
    return poisoned


async def ask(town: Town, document: str, **variables: Any) -> Any:
    result = await graphql(
        town.alliance.schema.executable,
        document,
        context_value=town.alliance.context_for(ADMIN),
        variable_values=variables,
    )
    assert result.errors is None, result.errors
    assert result.data is not None
    [answer] = result.data.values()
    return answer


async def parked(town: Town) -> list[Any]:
    nodes: list[Any] = (await ask(town, PARKED))["nodes"]
    return nodes


async def sell_unheard(town: Town, ledger: Poisoned, order_no: str, card: str | None) -> str:
    """Id of the order of a sale that its backend committed, and that nobody booked yet."""
    till = Till(town)
    ledger.is_away = True
    answer = await till.change("checkout", cart=till.cart(10_000, card=card), orderNo=order_no)
    ledger.is_away = False
    assert card is None or answer["code"] == "REQUEST_IN_PROGRESS"
    sql = f"SELECT order_id FROM sale WHERE order_no = '{order_no}'"
    [(order_id,)] = await town.rows(town.databases[1], sql)
    return str(order_id)


async def sweep(town: Town, times: int) -> None:
    for _ in range(times):
        await sweep_events(town.desk)


async def points_of(town: Town, card: str) -> int:
    return (await town.standing(card)).available


async def test_a_poisoned_sale_is_parked_and_all_others_go_on(town: Town, ledger: Poisoned) -> None:
    await town.join("bob", town.names.tea)
    ledger.cards = {town.names.cards["ann"]}
    await sell_unheard(town, ledger, "no-1", "ann")
    await sell_unheard(town, ledger, "no-2", "bob")
    await sell_unheard(town, ledger, "no-3", "ann")

    await sweep(town, TRIES_MAX - 1)
    before = (await points_of(town, "bob"), await parked(town))
    await sweep(town, 2)
    [first, second] = await parked(town)

    assert before == (0, [])
    assert (await points_of(town, "bob"), await points_of(town, "ann")) == (100, 0)
    assert (first["orderNo"], first["kind"], first["tries"]) == ("no-1", "ORDER_PLACED", TRIES_MAX)
    assert (first["stream"], first["merchant"]["id"]) == (
        town.names.cards["ann"],
        town.names.tea,
    )
    assert "ZeroDivisionError: poison" in first["error"]
    assert (second["orderNo"], second["tries"]) == ("no-3", 0)
    await town.sweepers.run_once()
    assert town.sweepers.parked_events == 2


async def test_a_resumed_event_is_booked_in_the_order_of_its_card(
    town: Town, ledger: Poisoned
) -> None:
    ledger.cards = {town.names.cards["ann"]}
    for number in (1, 2):
        await sell_unheard(town, ledger, f"no-{number}", "ann")
    await sweep(town, TRIES_MAX + 1)
    [first, second] = await parked(town)

    # Asked for what waits behind, the whole card goes on; still poisoned, it is parked again.
    resumed = await ask(town, RESUME, id=second["id"], request="again")
    await sweep(town, TRIES_MAX)
    still = await parked(town)
    ledger.cards = set()
    await ask(town, RESUME, id=first["id"], request="mended")
    await sell_unheard(town, ledger, "no-3", "ann")
    await sweep(town, 2)

    assert (resumed["replayed"], resumed["eventId"]) == (False, second["id"])
    assert [each["orderNo"] for each in still] == ["no-1", "no-2"]
    assert await parked(town) == []
    assert await town.rows(town.alliance.database, "SELECT * FROM stuck_event") == []
    booked = await town.rows(
        town.databases[0], "SELECT order_no FROM ledger_tx WHERE order_no IS NOT NULL ORDER BY seq"
    )
    assert [row[0] for row in booked] == ["no-1", "no-2", "no-3"]
    assert await points_of(town, "ann") == 300
    again = await ask(town, RESUME, id=first["id"], request="mended")
    assert again["replayed"] is True
    assert (await ask(town, RESUME, id=first["id"], request="new"))["code"] == "NOT_FOUND"


async def test_an_event_that_is_booked_after_some_tries_leaves_nothing_behind(
    town: Town, ledger: Poisoned
) -> None:
    ledger.cards = {town.names.cards["ann"]}
    await sell_unheard(town, ledger, "no-1", "ann")
    await sweep(town, 3)
    ledger.cards = set()
    await sweep(town, 1)

    assert await points_of(town, "ann") == 100
    assert await town.rows(town.alliance.database, "SELECT * FROM stuck_event") == []


async def test_a_ledger_that_does_not_answer_parks_nothing(town: Town, ledger: Poisoned) -> None:
    await sell_unheard(town, ledger, "no-1", "ann")
    ledger.is_away = True
    await sweep(town, TRIES_MAX + 1)
    ledger.is_away = False

    assert await town.rows(town.alliance.database, "SELECT * FROM stuck_event") == []
    await sweep(town, 1)
    assert await points_of(town, "ann") == 100
