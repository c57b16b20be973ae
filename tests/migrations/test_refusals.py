"""Databases that this version may not open are refused in one sentence, and left as they were."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway import cli
from kernel.database import DatabaseRefused, DatabaseUnavailable, History, open_database
from kernel.database.migrating import NewerDatabase, UnversionedDatabase
from ledger.migrations import HISTORY
from merchants.migrations import HISTORY as MERCHANTS
from tests.migrations.histories import open_as_it_is
from tests.places import Places
from tests.structure import structure_of


async def run(address: str | Path, *statements: str) -> None:
    database = await open_as_it_is(address)
    for statement in statements:
        await database.transaction(
            lambda connection, told=statement: connection.exec_driver_sql(told).close()
        )
    await database.close()


async def made(address: str | Path, *statements: str, history: History = HISTORY) -> None:
    """A new database, changed by the statements."""
    await (await open_database(address, history)).close()
    await run(address, *statements)


LATER = "UPDATE alembic_version SET version_num = 'ledger_9999'"


@pytest.mark.both_databases
async def test_a_newer_database_is_refused_and_not_touched(places: Places) -> None:
    address = places.address("newer")
    await made(address, LATER, "CREATE TABLE of_later (id INTEGER PRIMARY KEY)")

    with pytest.raises(NewerDatabase, match=r"revision ledger_9999, .* none after ledger_0005"):
        await open_database(address, HISTORY)

    database = await open_as_it_is(address)
    assert "of_later" in await database.snapshot(structure_of)
    await database.close()


@pytest.mark.both_databases
@pytest.mark.parametrize("forgotten", ["DROP TABLE alembic_version", "DELETE FROM alembic_version"])
async def test_tables_without_a_revision_are_refused(places: Places, forgotten: str) -> None:
    address = places.address("early")
    await made(address, forgotten)

    with pytest.raises(UnversionedDatabase, match="before databases had revisions"):
        await open_database(address, HISTORY)


@pytest.mark.both_databases
async def test_a_database_of_another_kind_is_refused(places: Places) -> None:
    await made(places.address("shops"), history=MERCHANTS)

    with pytest.raises(NewerDatabase, match="no ledger database: it is at revision merchants_"):
        await open_database(places.address("shops"), HISTORY)


@pytest.mark.sqlite
def test_the_command_says_so_with_an_exit_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(made(tmp_path / "ledger.db", LATER))
    arguments: Sequence[str] = ["alliance", "verify", "--data", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", list(arguments))

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == cli.DATABASE_REFUSED == 4
    assert "alliance: this ledger database is at revision ledger_9999" in capsys.readouterr().err


def test_a_refusal_is_told_apart_from_a_failure() -> None:
    assert issubclass(DatabaseRefused, DatabaseUnavailable)
    assert not issubclass(DatabaseUnavailable, DatabaseRefused)
