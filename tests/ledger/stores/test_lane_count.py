from datetime import UTC, datetime
from pathlib import Path

import pytest

from kernel.clock import SetClock
from kernel.database import DatabaseUnavailable
from kernel.ids import SeededIds
from ledger.opening import open_ledger_database
from ledger.rules.state import RuleTerms
from ledger.stores.lanes import read_lanes
from tests.places import Places, PostgresPlaces

NOW = datetime(2026, 3, 10, tzinfo=UTC)


async def lanes_at(address: str | Path, lanes: int | None = None) -> int:
    database = await open_ledger_database(
        address,
        clock=SetClock(NOW),
        ids=SeededIds("lanes"),
        initial_rule=RuleTerms(),
        lanes=lanes,
    )
    try:
        return await read_lanes(database)
    finally:
        await database.close()


@pytest.mark.both_databases
async def test_a_new_ledger_has_the_lanes_that_suit_its_database(places: Places) -> None:
    suited = 16 if isinstance(places, PostgresPlaces) else 1

    assert await lanes_at(places.address("ledger")) == suited


@pytest.mark.both_databases
async def test_the_number_of_lanes_is_for_ever(places: Places) -> None:
    address = places.address("ledger")
    assert await lanes_at(address, 3) == 3

    with pytest.raises(DatabaseUnavailable, match="made with lanes: 3, which is for ever; not 4"):
        await lanes_at(address, 4)

    assert await lanes_at(address) == 3
