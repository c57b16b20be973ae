"""How PostgreSQL runs what a batch reads and writes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from ledger.booking import writes
from ledger.stores import loading
from ledger.stores.port import Query
from ledger.stores.postgresql import _by_array, _statements
from ledger.stores.side_by_side import _for_each_lane
from tests.ledger.book import Books
from tests.places import Places

pytestmark = pytest.mark.postgresql
UPDATES = (writes.ACCOUNT_UPDATE, writes.LOT_UPDATE, writes.ORDER_UPDATE, writes.BURN_UPDATE)


READS = {
    "idem_key": loading.ANSWERED["order"],
    "account": loading.ACCOUNTS,
    "card_id": loading.KIN,
    "attempt_id": loading.HOLDS,
    "order_id": loading.ORDERS,
    "merge_id": loading.PARTS,
}


def plan_of(connection: Connection, statement: str, parameters: int) -> str:
    run = connection.exec_driver_sql
    run(f"PREPARE asked AS {statement}")
    rows = run(f"EXPLAIN EXECUTE asked ({', '.join(['NULL'] * parameters)})").all()
    run("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)


async def test_rows_of_a_table_without_statistics_are_changed_each_by_its_key(
    places: Places,
) -> None:
    """A plan that scans the lane for each row costs the square of its rows."""
    books = await Books.open(places.address("ledger"))

    plan = await books.subgraph.database.snapshot(
        lambda connection: plan_of(
            connection, _statements(UPDATES), sum(1 + len(write.columns) for write in UPDATES)
        )
    )

    for key in ("account = ", "id = ", "order_id = "):
        assert re.search(rf"Index Cond: \(\(lane = v\w*\.lane\) AND \({key}", plan)
    assert "Materialize" not in plan
    await books.close()


@pytest.mark.parametrize("spelled", [_for_each_lane, _by_array], ids=["of lanes", "of a lane"])
async def test_lots_that_are_held_are_looked_up_each_by_its_key(
    places: Places, spelled: Callable[[Query, str], str]
) -> None:
    """A plan that reads the lane's lots costs as much for one hold as the lane has lots."""
    books = await Books.open(places.address("ledger"))
    statement = spelled(loading.HELD, "text")

    plan = await books.subgraph.database.snapshot(
        lambda connection: plan_of(connection, statement, 3 if "$3" in statement else 2)
    )

    assert re.search(r"Index Cond: \(\(lane = .*\(attempt_id = ANY", plan), plan
    assert re.search(r"Index Cond: \(\(lane = .*\(id = h.lot_id\)", plan), plan
    await books.close()


async def test_keys_of_several_lanes_are_looked_up_in_a_table_without_statistics(
    places: Places,
) -> None:
    """A plan that compares each row of the table with them costs the square of its rows."""
    books = await Books.open(places.address("ledger"))

    plans = {
        key: await books.subgraph.database.snapshot(
            lambda connection, read=read: plan_of(connection, _for_each_lane(read, "text"), 3)
        )
        for key, read in READS.items()
    }

    for key, plan in plans.items():
        assert re.search(rf"Index Cond: .*\({key} = ANY", plan), plan
        assert "Materialize" not in plan
    await books.close()
