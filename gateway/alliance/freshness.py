"""Keeps what this process has in memory as new as the database that it shares with others.

Settings and the directory are read by every rule and change seldom, so they are at hand in
memory; before a request is worked on, two version numbers tell whether another process changed
them. Where one process has the database to itself nothing is asked.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from gateway.alliance.settings_book import SettingsBook, read_latest
from gateway.directory import directory_sql
from gateway.directory.directory import Directory
from kernel.database import Database
from kernel.statements import Prepared

_VERSIONS = Prepared(
    "SELECT (SELECT MAX(version) FROM alliance_settings) AS settings,"
    " (SELECT version FROM directory_version WHERE id = 1) AS directory"
)


class Freshness:
    """The settings and the directory of one process."""

    def __init__(self, database: Database, *, settings: SettingsBook, directory: Directory) -> None:
        self._database = database
        self._settings = settings
        self._directory = directory

    async def catch_up(self) -> None:
        """Takes in what other processes committed before this was called.

        Raises:
            DatabaseUnavailable, Overloaded: nobody knows; what is at hand may be old.
        """
        if not self._database.is_shared:
            return
        versions = await self._database.snapshot(_read_versions, is_one_statement=True)
        is_old = (
            versions.settings > self._settings.current.version
            or (versions.directory or 0) != self._directory.version
        )
        if is_old:
            await self._database.snapshot(self._take_what_is_new)

    def _take_what_is_new(self, connection: Connection) -> None:
        # It changes memory, and may run again: what it read is committed, whatever follows.
        versions = _read_versions(connection)
        if versions.settings > self._settings.current.version:
            latest = read_latest(connection)
            assert latest is not None
            self._settings.take(latest)
        if (versions.directory or 0) != self._directory.version:
            merchants = directory_sql.read_merchants(connection)
            stores = directory_sql.read_stores(connection)
            # Another request may have taken a later state while this one read.
            if versions.directory > self._directory.version:
                self._directory.take(merchants, stores, version=versions.directory)


def _read_versions(connection: Connection) -> Any:
    """The newest version of the settings and of the directory."""
    return connection.execute(_VERSIONS).one()
