"""How the ledger's tables came to be what they are."""

from __future__ import annotations

from pathlib import Path

from kernel.database import History
from ledger.deposits.tables import deposit_entry
from ledger.outbox.tables import outbox
from ledger.statements.tables import statement_step
from ledger.tables import metadata

for _table in (deposit_entry, outbox, statement_step):
    assert _table.metadata is metadata  # The tables of these rooms are opened with the others.

HISTORY = History("ledger", metadata, Path(__file__).parent / "versions")
