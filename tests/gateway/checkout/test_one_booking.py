"""An event is booked once, in whichever lane of the ledger its card lies by then."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from gateway.checkout.events import apply_event
from gateway.checkout.sale import Checkout, checkout
from gateway.merging.merges import MergeMembers
from gateway.merging.partings import UnmergeMembers
from ledger.stores.lanes import lane_of
from merchants.port import Event
from tests.gateway.checkout.town import ADMIN, Town, found_town

LANES = 5
STEPS = [
    *("merge.begun", "merge.ledger", "merge.wallet", "merge.done"),
    *("unmerge.begun", "unmerge.ledger", "unmerge.wallet", "unmerge.done"),
]


class Killed(Exception):
    pass


class Death:
    """Strikes once, at a step."""

    step = ""

    def __call__(self, step: str) -> None:
        if step == self.step:
            self.step = ""
            raise Killed


async def sold_to_bob(town: Town) -> str:
    """Sells tea to Bob, whose card lies in another lane than Ann's; his member id."""
    cards = town.names.cards
    for number in count():
        await town.join(f"bob {number}", town.names.tea)
        cards["bob"] = cards[f"bob {number}"]
        if lane_of(cards["bob"], LANES) != lane_of(cards["ann"], LANES):
            break
    sale = Checkout("sale", town.cart(9_000, card="bob"), "no-1")
    await checkout(town.desk, town.till(), sale)
    return await member_of(town, "bob")


async def member_of(town: Town, name: str) -> str:
    rows = await town.rows(town.alliance.database, "SELECT id, member_id FROM card")
    member_id: str = dict(rows)[town.names.cards[name]]
    return member_id


async def told_again(town: Town) -> Event:
    """The sale as the backend tells it by now, applied once more."""
    [event] = await town.backend.events_of_all()
    await apply_event(town.desk, event, None)
    return event


async def points(town: Town) -> int:
    """What the alliance's members have; the merged are their survivors."""
    rows = await town.rows(town.databases[0], "SELECT sum(remaining) FROM lot")
    units: int = rows[0][0]
    return units


@pytest.mark.sqlite
async def test_an_order_whose_card_changes_its_name_and_lane_is_booked_once(
    tmp_path: Path,
) -> None:
    """The ledger hears of a merge before any backend, so it knows whose order comes back."""
    death = Death()
    town = await found_town(tmp_path, reach=death, lanes=LANES)
    try:
        bob = await sold_to_bob(town)
        merging, parting = town.alliance.merges, town.alliance.merges.partings
        merge = MergeMembers("merge", await member_of(town, "ann"), bob)
        unmerge = UnmergeMembers("unmerge", bob)
        earned = await points(town)
        assert earned > 0
        told = []
        for step in STEPS:
            death.step = step
            with pytest.raises(Killed):
                await (
                    parting.unmerge(ADMIN, unmerge)
                    if step.startswith("un")
                    else merging.merge(ADMIN, merge)
                )

            told.append((await told_again(town)).card_id)

            orders = "SELECT card_id FROM order_state"
            assert await town.rows(town.databases[0], orders) == [(town.names.cards["bob"],)]
            assert await points(town) == earned
        assert set(told) == {town.names.cards["ann"], town.names.cards["bob"]}
    finally:
        await town.close()
