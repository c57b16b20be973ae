"""What becomes of a connection to PostgreSQL that is silent, stale or left in the middle."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, make_url

from kernel.database import Database, InDoubt, Isolation, open_database, postgresql_engine
from kernel.database.postgresql_seats import Seat
from kernel.statements import Prepared
from tests.places import Places

pytestmark = pytest.mark.postgresql

METADATA = MetaData()
NOTE = Table("note", METADATA, Column("id", Integer, primary_key=True))
ADD = Prepared("INSERT INTO note (id) VALUES (:id)")
COUNT = Prepared("SELECT COUNT(*) FROM note")
ALL = Prepared("SELECT * FROM note")
FAREWELL = b"X\0\0\0\4"
"""A client's last message, which waits for no answer."""


def count(connection: Connection) -> int:
    found: int = connection.execute(COUNT).scalar_one()
    return found


async def add(database: Database, key: int, *, is_alone: bool = False) -> None:
    await database.transaction(
        lambda connection: connection.execute(ADD, {"id": key}).rowcount,
        isolation=Isolation.READ_COMMITTED,
        is_one_statement=is_alone,
    )


class Way:
    """The way to a server; once it falls silent, a connection's answers are lost.

    Attributes:
        silent_at: what is asked when the next connection falls silent; None for never.
        asked_in_vain: what was asked of a silent connection afterwards.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self.silent_at: bytes | None = None
        self.asked_in_vain: list[bytes] = []
        self._met: set[asyncio.Task[None]] = set()

    async def meet(self, asking: asyncio.StreamReader, hearing: asyncio.StreamWriter) -> None:
        self._met.add(asyncio.current_task())
        told, asked = await asyncio.open_unix_connection(self._server)
        answers = asyncio.create_task(self._pass_on(told, hearing))
        is_silent = False
        with suppress(ConnectionError):
            while data := await asking.read(65_536):
                if is_silent:
                    self.asked_in_vain += [data] if data != FAREWELL else []
                elif self.silent_at is not None and self.silent_at in data:
                    is_silent, self.silent_at = True, None
                    answers.cancel()
                asked.write(data)
        answers.cancel()
        for writer in (asked, hearing):
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def ended(self) -> None:
        """Returns when every connection is closed."""
        await asyncio.wait(self._met, timeout=10)

    async def _pass_on(self, told: asyncio.StreamReader, hearing: asyncio.StreamWriter) -> None:
        while data := await told.read(65_536):
            hearing.write(data)
        hearing.close()


@pytest.fixture
async def way(places: Places, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Way, str]]:
    """A way that is given up on after a second, and the address at its end."""
    monkeypatch.setattr(postgresql_engine, "CONNECT_TIMEOUT_SECONDS", 0.5)
    address = make_url(str(places.address("notes")))
    directory = Path(tempfile.mkdtemp(prefix="way-"))
    way = Way(f"{address.query['host']}/.s.PGSQL.5432")
    server = await asyncio.start_unix_server(way.meet, directory / ".s.PGSQL.5432")
    at_its_end = address.update_query_dict(
        {"host": str(directory), "statement_timeout_ms": "500"}
    ).render_as_string(hide_password=False)
    yield way, at_its_end
    server.close()
    await way.ended()
    shutil.rmtree(directory)


@pytest.mark.parametrize("is_alone", [False, True])
async def test_a_connection_that_falls_silent_while_it_commits_is_asked_nothing_more(
    way: tuple[Way, str], is_alone: bool
) -> None:
    database = await open_database(way[1], METADATA)
    await add(database, 1, is_alone=is_alone)
    way[0].silent_at = b"" if is_alone else b"COMMIT\0"

    with pytest.raises(InDoubt):
        await add(database, 2, is_alone=is_alone)

    await add(database, 3, is_alone=is_alone)
    assert await database.snapshot(count) == 3
    await database.close()
    assert way[0].asked_in_vain == []


async def test_work_whose_connection_falls_silent_runs_again_on_another(
    way: tuple[Way, str],
) -> None:
    database = await open_database(way[1], METADATA)
    await add(database, 1)
    way[0].silent_at = b"BEGIN"

    await add(database, 2)

    assert await database.snapshot(count) == 2
    await database.close()
    assert way[0].asked_in_vain == []


async def test_a_connection_that_is_left_in_the_middle_gives_its_place_to_another(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await open_database(f"{places.address('notes')}&connections=1", METADATA)
    settle = Seat.settle

    async def cancelled(_: Seat) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(Seat, "settle", cancelled)
    with pytest.raises(asyncio.CancelledError):
        await database.snapshot(count)
    monkeypatch.setattr(Seat, "settle", settle)

    assert await asyncio.wait_for(database.snapshot(count), timeout=10) == 0
    await database.close()


async def test_statements_that_tables_outgrew_are_found_stale_once(places: Places) -> None:
    runs: list[int] = []

    def read(connection: Connection) -> list[Any]:
        runs.append(1)
        return connection.execute(ALL).all()

    database = await open_database(places.address("notes"), METADATA)
    await asyncio.gather(*(database.snapshot(read) for _ in range(5)))
    await database.transaction(
        lambda c: c.exec_driver_sql("ALTER TABLE note ADD COLUMN kind TEXT").close()
    )
    runs.clear()

    await database.snapshot(read)

    assert len(runs) == 2
    await database.close()


async def test_reads_that_are_none_are_not_sent(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await open_database(places.address("notes"), METADATA)

    def work(connection: Connection) -> int:
        connection.get_execution_options()["seat"].foresee([])
        return count(connection)

    runs: list[str] = []
    command = Seat._command

    async def noted(seat: Seat, statement: str) -> str:
        runs.append(statement)
        return await command(seat, statement)

    monkeypatch.setattr(Seat, "_command", noted)

    assert await database.snapshot(work, is_one_statement=True) == 0
    assert runs == []
    await database.close()
