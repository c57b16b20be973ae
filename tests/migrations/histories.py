"""The three databases' histories, and databases that stand where a test wants them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, MetaData

from gateway.alliance.migrations import HISTORY as ALLIANCE
from kernel.database import Database, History, open_database
from kernel.database.migrating.upgrading import upgrade
from ledger.migrations import HISTORY as LEDGER
from merchants.migrations import HISTORY as MERCHANTS

HISTORIES = {history.name: history for history in (ALLIANCE, LEDGER, MERCHANTS)}


async def open_as_it_is(address: str | Path) -> Database:
    """The database as it stands: nothing is made, upgraded or refused."""
    return await open_database(address, MetaData())


async def make_at(address: str | Path, history: History, revision: str) -> Database:
    """An empty database that the revisions made, up to `revision`."""
    database = await open_as_it_is(address)
    await database.transaction(lambda connection: upgrade(connection, history, revision))
    return database


def revision_of(connection: Connection) -> str:
    """What the database says it is."""
    revision: str = connection.exec_driver_sql(
        "SELECT version_num FROM alembic_version"
    ).scalar_one()
    return revision
