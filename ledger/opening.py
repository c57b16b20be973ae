"""Opens the ledger's database; a new one gets its name and its first settlement rule."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, insert, select

from kernel.clock import Clock, to_micros
from kernel.database import Database, open_database
from kernel.ids import IdSource
from ledger.lanes import LANES_MAX
from ledger.migrations import HISTORY
from ledger.rules_sql import insert_rule
from ledger.state import RuleTerms
from ledger.tables import lane_head, ledger_info


async def open_ledger_database(
    address: str | Path, *, clock: Clock, ids: IdSource, initial_rule: RuleTerms, lanes: int = 1
) -> Database:
    """The ledger's database at `address`.

    Args:
        initial_rule: version 1 of a new ledger, in force from the beginning of time.
        lanes: of a new ledger, for ever.

    Raises:
        DatabaseUnavailable: the database can not be opened or written.
    """
    assert 1 <= lanes <= LANES_MAX
    database = await open_database(address, HISTORY)
    now = to_micros(clock.now())

    def begin(connection: Connection) -> None:
        if connection.execute(select(ledger_info.c.ledger_id)).first() is not None:
            return
        connection.execute(
            insert(ledger_info).values(
                lane=0, ledger_id=ids.new("led"), created_at=now, lanes=lanes
            )
        )
        heads = {
            "lanes": lanes,
            "next_seq": 1,
            "next_lot_id": 1,
            "next_debt_id": 1,
            "last_created_at": 0,
        }
        connection.execute(insert(lane_head), [{"lane": lane, **heads} for lane in range(lanes)])
        insert_rule(
            connection,
            ids.new("rule"),
            initial_rule,
            effective_from=0,
            proposed_by="",
            accepts_top_up=False,
            is_approved=True,
        )

    await database.transaction(begin, is_idempotent=True)
    return database
