"""Opens the ledger's database; a new one gets its name and its first settlement rule."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, insert, select

from kernel.clock import Clock, to_micros
from kernel.database import Database
from kernel.ids import IdSource
from ledger.state import RuleTerms
from ledger.tables import ledger_info, metadata, settlement_rule


async def open_ledger_database(
    path: Path, *, clock: Clock, ids: IdSource, initial_rule: RuleTerms
) -> Database:
    """The ledger's database at `path`.

    Args:
        initial_rule: version 1 of a new ledger, in force from the beginning of time.

    Raises:
        DatabaseUnavailable: the file can not be opened or written.
    """
    database = await Database.open(path, metadata)
    now = to_micros(clock.now())

    def begin(connection: Connection) -> None:
        if connection.execute(select(ledger_info.c.ledger_id)).first() is not None:
            return
        connection.execute(
            insert(ledger_info).values(lane=0, ledger_id=ids.new("led"), created_at=now)
        )
        connection.execute(
            insert(settlement_rule).values(
                lane=0,
                version=1,
                rule_id=ids.new("rule"),
                state="ACTIVE",
                effective_from=0,
                issue_price=str(initial_rule.issue_price),
                redeem_price=str(initial_rule.redeem_price),
                issue_fee_bps=initial_rule.issue_fee_bps,
                redeem_fee_bps=initial_rule.redeem_fee_bps,
                breakage_issuer_bps=initial_rule.breakage_issuer_bps,
            )
        )

    await database.transaction(begin)
    return database
