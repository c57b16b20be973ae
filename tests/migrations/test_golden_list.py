"""The ledger's triggers and CHECKs, as a list that is read before it is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.database import open_database
from ledger.migrations import HISTORY
from tests.migrations.old_ledgers import make_old
from tests.places import Places
from tests.structure import structure_of

LIST = Path(__file__).parent / "ledger_guards.txt"


@pytest.mark.sqlite
async def test_an_upgraded_ledger_has_the_triggers_and_checks_on_the_list(places: Places) -> None:
    await make_old(places.address("old"), places.address("source"))
    database = await open_database(places.address("old"), HISTORY)
    structure = await database.snapshot(structure_of)
    await database.close()

    guards = [
        f"{table}: {said}"
        for table, parts in structure.items()
        for said in parts
        if said.startswith("trigger ") or "CHECK (" in said
    ]

    assert guards == LIST.read_text().splitlines()
