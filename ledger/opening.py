"""Opens the ledger's database; a new one gets its name and its first settlement rule."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, insert, select

from kernel.clock import Clock, to_micros
from kernel.database import Database
from kernel.ids import IdSource
from ledger.deposits.tables import deposit_entry
from ledger.outbox.tables import outbox
from ledger.rules_sql import insert_rule
from ledger.state import RuleTerms
from ledger.tables import ledger_info, metadata


async def open_ledger_database(
    path: Path, *, clock: Clock, ids: IdSource, initial_rule: RuleTerms
) -> Database:
    """The ledger's database at `path`.

    Args:
        initial_rule: version 1 of a new ledger, in force from the beginning of time.

    Raises:
        DatabaseUnavailable: the file can not be opened or written.
    """
    for table in (outbox, deposit_entry):
        assert table.metadata is metadata  # The tables of these rooms are opened with the others.
    database = await Database.open(path, metadata)
    now = to_micros(clock.now())

    def begin(connection: Connection) -> None:
        if connection.execute(select(ledger_info.c.ledger_id)).first() is not None:
            return
        connection.execute(
            insert(ledger_info).values(lane=0, ledger_id=ids.new("led"), created_at=now)
        )
        insert_rule(
            connection,
            ids.new("rule"),
            initial_rule,
            effective_from=0,
            proposed_by="",
            accepts_top_up=False,
            is_approved=True,
        )

    await database.transaction(begin)
    return database
