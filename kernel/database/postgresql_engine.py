"""Engines and schemas of PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kernel.database.addresses import TIMEOUT_MAX_MS, PostgresAddress
from kernel.database.interface import DatabaseUnavailable
from kernel.database.migrating import Schema, bring_up_to_date, is_up_to_date

CONNECT_TIMEOUT_SECONDS = 10
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
PREPARED_STATEMENTS = 500
VERSION_MIN = 140_000
UPGRADE_TIMEOUT_MS = TIMEOUT_MAX_MS
_OPENING = 0x616C6C69
"""Names the advisory lock of those that make tables: one process at a time."""


def open_engine(address: PostgresAddress) -> AsyncEngine:
    """An engine whose connections see the address's schema alone."""
    engine = create_async_engine(
        address.url,
        pool_size=address.connections,
        max_overflow=0,
        pool_recycle=3_600,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            # The server gives up first; this is for a server that does not answer at all.
            "command_timeout": address.statement_timeout_ms / 1_000 + CONNECT_TIMEOUT_SECONDS,
            "prepared_statement_cache_size": PREPARED_STATEMENTS,
            "server_settings": {
                "search_path": address.schema,
                "statement_timeout": str(address.statement_timeout_ms),
                "lock_timeout": str(address.lock_timeout_ms),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                "timezone": "UTC",
                "jit": "off",
                # What reads a whole table conflicts with every write to it under SERIALIZABLE, and
                # the planner prefers that while a table is small. SQLite, for which every
                # statement is fit, knows loops over indexes only.
                "enable_seqscan": "off",
                "enable_hashjoin": "off",
                "enable_mergejoin": "off",
                "application_name": "alliance-gateway",
            },
        },
    )
    event.listen(engine.sync_engine, "connect", _read_sums_as_integers)
    return engine


async def prepare_schema(engine: AsyncEngine, address: PostgresAddress, schema: Schema) -> None:
    """Makes or upgrades the schema and its tables; several processes may do so at once.

    Raises:
        DatabaseRefused: it is newer than this code, or has no revision.
        DatabaseUnavailable: the server is too old, or the database is not in UTF-8.
    """

    def is_ready(connection: Connection) -> bool:
        _check_server(connection)
        return _exists(connection, address.schema) and is_up_to_date(connection, schema)

    def prepare(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_OPENING})")
        # Tables are not waited for that long: requests would queue up behind.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {address.lock_timeout_ms}")
        if not _exists(connection, address.schema):
            connection.exec_driver_sql(f'CREATE SCHEMA "{address.schema}"')
        bring_up_to_date(connection, schema)

    async with engine.connect() as connection:
        if await connection.run_sync(is_ready):
            return
    # An upgrade takes as long as its tables are large, and the other gateways wait for it.
    patient = open_engine(
        replace(
            address,
            connections=1,
            statement_timeout_ms=UPGRADE_TIMEOUT_MS,
            lock_timeout_ms=UPGRADE_TIMEOUT_MS,
        )
    )
    try:
        async with patient.begin() as connection:
            await connection.run_sync(prepare)
    finally:
        await patient.dispose()


def _check_server(connection: Connection) -> None:
    run = connection.exec_driver_sql
    version = int(run("SELECT current_setting('server_version_num')").scalar_one())
    if version < VERSION_MIN or run("SHOW server_encoding").scalar_one() != "UTF8":
        raise DatabaseUnavailable("PostgreSQL 14 or later is needed, and a database in UTF-8")


def _exists(connection: Connection, schema: str) -> bool:
    found = connection.exec_driver_sql(f"SELECT to_regnamespace('{schema}')")
    return found.scalar_one() is not None


def _read_sums_as_integers(adapted: Any, _record: object) -> None:
    """A sum of BIGINTs is a NUMERIC; a whole one is read as the integer it is."""
    adapted.run_async(
        lambda driver: driver.set_type_codec(
            "numeric", schema="pg_catalog", encoder=str, decoder=_whole_or_exact, format="text"
        )
    )


def _whole_or_exact(text: str) -> int | Decimal:
    return Decimal(text) if "." in text or text == "NaN" else int(text)
