"""The tables that revisions make are those of the code; a new database is made from the code.

When this fails, the code's tables changed: docs/decisions/migrations.md says how to add a revision.
"""

from __future__ import annotations

import pytest

from kernel.database import History, open_database
from kernel.database.migrating.drafting import difference
from kernel.database.migrating.upgrading import scripts_in
from tests.migrations.histories import HISTORIES, make_at, revision_of
from tests.places import Places
from tests.structure import structure_of

of_each_database = pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)


@of_each_database
@pytest.mark.both_databases
async def test_a_migrated_database_is_a_new_one(places: Places, history: History) -> None:
    migrated = await make_at(places.address("migrated"), history, history.head)
    new = await open_database(places.address("new"), history)

    was_made, was_migrated = await new.snapshot(structure_of), await migrated.snapshot(structure_of)

    assert set(was_made) >= set(history.metadata.tables)
    assert was_migrated == was_made
    assert await new.snapshot(revision_of) == await migrated.snapshot(revision_of) == history.head
    await new.close()
    await migrated.close()


@of_each_database
def test_there_is_nothing_to_draft(history: History) -> None:
    assert difference(history) is None


@of_each_database
def test_revisions_follow_each_other_as_their_files_do(history: History) -> None:
    scripts = list(scripts_in(history.versions).walk_revisions())[::-1]

    assert tuple(script.revision for script in scripts) == history.revisions
    assert tuple(script.down_revision for script in scripts) == (None, *history.revisions[:-1])


@of_each_database
@pytest.mark.both_databases
async def test_the_comparison_sees_what_went_missing(places: Places, history: History) -> None:
    whole = await open_database(places.address("whole"), history)
    index = next(index.name for table in history.metadata.sorted_tables for index in table.indexes)
    before = await whole.snapshot(structure_of)
    await whole.transaction(
        lambda connection: connection.exec_driver_sql(f"DROP INDEX {index}").close()
    )

    assert await whole.snapshot(structure_of) != before
    await whole.close()
