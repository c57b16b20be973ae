"""Opens the ledger's database; a new one gets its name and its first settlement rule."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, insert, select

from kernel.clock import Clock, to_micros
from kernel.database import Database, DatabaseUnavailable, open_database
from kernel.ids import IdSource
from ledger.migrations import HISTORY
from ledger.rules.state import RuleTerms
from ledger.settlement_rules.rules_sql import insert_rule
from ledger.stores.lanes import LANES_MAX, lanes_of, lanes_unless_told
from ledger.tables import lane_head, ledger_info


async def open_ledger_database(
    address: str | Path,
    *,
    clock: Clock,
    ids: IdSource,
    initial_rule: RuleTerms,
    lanes: int | None = None,
) -> Database:
    """The ledger's database at `address`.

    Args:
        initial_rule: version 1 of a new ledger, in force from the beginning of time.
        lanes: of a new ledger, for ever; None leaves it to the kind of database, and takes a
            ledger that is there as it is.

    Raises:
        DatabaseUnavailable: the database can not be opened or written, or holds a ledger with
            another number of lanes.
    """
    begun_with = lanes_unless_told(address) if lanes is None else lanes
    assert 1 <= begun_with <= LANES_MAX
    database = await open_database(address, HISTORY)
    now = to_micros(clock.now())

    def begin(connection: Connection) -> None:
        if connection.execute(select(ledger_info.c.ledger_id)).first() is not None:
            return
        connection.execute(
            insert(ledger_info).values(
                lane=0, ledger_id=ids.new("led"), created_at=now, lanes=begun_with
            )
        )
        heads = {
            "lanes": begun_with,
            "next_seq": 1,
            "next_lot_id": 1,
            "next_debt_id": 1,
            "last_created_at": 0,
        }
        rows = [{"lane": lane, **heads} for lane in range(begun_with)]
        connection.execute(insert(lane_head), rows)
        insert_rule(
            connection,
            ids.new("rule"),
            initial_rule,
            effective_from=0,
            proposed_by="",
            accepts_top_up=False,
            is_approved=True,
        )

    try:
        await database.transaction(begin, is_idempotent=True)
        if lanes is not None and (kept := await database.snapshot(lanes_of)) != lanes:
            raise DatabaseUnavailable(
                f"the ledger was made with lanes: {kept}, which is for ever; not {lanes}"
            )
    except BaseException:
        await database.close()
        raise
    return database
