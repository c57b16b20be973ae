"""How PostgreSQL runs the statement that writes a batch."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection

from ledger import writes
from ledger.postgresql import _statements
from tests.ledger.book import Books
from tests.places import Places

pytestmark = pytest.mark.postgresql
UPDATES = (writes.ACCOUNT_UPDATE, writes.LOT_UPDATE, writes.ORDER_UPDATE, writes.BURN_UPDATE)


def plan_of(connection: Connection) -> str:
    statement = _statements(UPDATES)
    run = connection.exec_driver_sql
    run(f"PREPARE all_updates AS {statement}")
    values = ["NULL" for write in UPDATES for _ in ("lane", *write.columns)]
    rows = run(f"EXPLAIN EXECUTE all_updates ({', '.join(values)})").all()
    run("DEALLOCATE all_updates")
    return "\n".join(row[0] for row in rows)


async def test_rows_of_a_table_without_statistics_are_changed_each_by_its_key(
    places: Places,
) -> None:
    """A plan that scans the lane for each row costs the square of its rows."""
    books = await Books.open(places.address("ledger"))

    plan = await books.subgraph._database.snapshot(plan_of)

    for key in ("account = ", "id = ", "order_id = "):
        assert re.search(rf"Index Cond: \(\(lane = v\w*\.lane\) AND \({key}", plan)
    assert "Materialize" not in plan
    await books.close()
