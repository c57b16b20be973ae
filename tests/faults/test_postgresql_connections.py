"""PostgreSQL ends connections while gateways write: each request has its effect once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, func, insert, select

from kernel.database import Database, DatabaseUnavailable, open_database
from kernel.requests import RequestKey, RequestLog, hash_of, request_table
from tests.places import Places, PostgresPlaces

pytestmark = pytest.mark.postgresql

METADATA = MetaData()
LOG = RequestLog(request_table(METADATA))
EFFECT = Table(
    "effect",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("request_id", Text, nullable=False),
)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
REQUESTS = 60
ROUNDS = 8
PAUSE_SECONDS = 0.1
END_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'alliance-gateway'"
)


async def carry_out(database: Database, request_id: str) -> dict[str, Any]:
    """The answer, asked for until there is one; as a client repeats a request."""
    key = RequestKey("merchant:m", "doIt", request_id, hash_of({"a": 1}))

    def work(connection: Connection) -> dict[str, Any]:
        def effect() -> dict[str, Any]:
            made = connection.execute(
                insert(EFFECT).values(request_id=request_id).returning(EFFECT.c.id)
            )
            return {"id": made.scalar_one()}

        return LOG.answer_once(connection, key, now=NOW, work=effect).outcome

    while True:
        try:
            return await database.transaction(work)
        except DatabaseUnavailable:
            continue


async def end_connections(url: str) -> int:
    """How many connections were ended, in a few rounds while there was work."""
    connection = await asyncpg.connect(url)
    ended = 0
    for _ in range(ROUNDS):
        ended += len(await connection.fetch(END_CONNECTIONS))
        await asyncio.sleep(PAUSE_SECONDS)
    await connection.close()
    return ended


async def test_requests_sent_to_two_gateways_have_one_effect_each_though_connections_end(
    places: Places,
) -> None:
    assert isinstance(places, PostgresPlaces)
    address = places.address("requests")
    gateways = [await open_database(address, METADATA) for _ in range(2)]
    ending = asyncio.create_task(end_connections(places.server.url))
    ids = [f"r{number}" for number in range(REQUESTS)]

    answers = await asyncio.gather(
        *(carry_out(gateway, request_id) for request_id in ids for gateway in gateways)
    )

    assert await ending > 0
    by_request = await gateways[0].snapshot(
        lambda c: c.execute(
            select(EFFECT.c.request_id, func.count()).group_by(EFFECT.c.request_id)
        ).all()
    )
    assert sorted(map(tuple, by_request)) == sorted((request_id, 1) for request_id in ids)
    assert answers[0::2] == answers[1::2]
    for gateway in gateways:
        await gateway.close()
