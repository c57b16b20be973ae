"""Reads that are told beforehand, on both kinds of database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.exc import IntegrityError

from kernel.database import Database, Isolation, open_database
from kernel.database.postgresql_seats import Seat, SeatRows
from kernel.foresight import foresee
from kernel.statements import Prepared
from tests.places import Places

METADATA = MetaData()
NOTE = Table(
    "note",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text),
    Column("seal", LargeBinary),
)
ADD = Prepared("INSERT INTO note (id, kind, seal) VALUES (:id, :kind, :seal)")
OF_KIND = Prepared("SELECT id, kind FROM note WHERE kind = :kind ORDER BY id DESC")
AMONG = Prepared("SELECT id AS x, id AS x, kind FROM note WHERE id IN :ids", lists=("ids",))
SEAL = Prepared("SELECT seal FROM note WHERE id = :id")
ODD = 'quo"te\\ \n 点'


def of_kind(connection: Connection, kind: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(OF_KIND, {"kind": kind})]


def among(connection: Connection, *ids: int) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(AMONG, {"ids": list(ids)})]


def seal(connection: Connection, key: int) -> bytes | None:
    found = connection.execute(SEAL, {"id": key}).one_or_none()
    return None if found is None else bytes(found.seal)


@pytest.fixture
async def database(places: Places) -> AsyncIterator[Database]:
    opened = await open_database(places.address("notes"), METADATA)

    def fill(connection: Connection) -> None:
        for key, kind in ((1, "red"), (2, ODD), (3, "red"), (2**62, None)):
            connection.execute(ADD, {"id": key, "kind": kind, "seal": bytes([key % 256, 0])})

    await opened.transaction(fill)
    yield opened
    await opened.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What PostgreSQL is sent."""
    sent: list[str] = []
    fetch, command = Seat._fetch, Seat._command

    async def noted_fetch(seat: Seat, statement: str, values: Sequence[Any]) -> SeatRows:
        sent.append(statement)
        return await fetch(seat, statement, values)

    async def noted_command(seat: Seat, statement: str) -> str:
        sent.append(statement)
        return await command(seat, statement)

    monkeypatch.setattr(Seat, "_fetch", noted_fetch)
    monkeypatch.setattr(Seat, "_command", noted_command)
    return sent


def told(connection: Connection) -> None:
    foresee(
        connection,
        lambda asked: of_kind(asked, "red"),
        lambda asked: of_kind(asked, ODD),
        lambda asked: among(asked, 1, 2**62),
        lambda asked: seal(asked, 2),
        lambda asked: of_kind(asked, "none"),
    )


def read(connection: Connection) -> list[Any]:
    return [
        of_kind(connection, "red"),
        of_kind(connection, ODD),
        sorted(among(connection, 1, 2**62)),
        seal(connection, 2),
        of_kind(connection, "none"),
    ]


@pytest.mark.both_databases
async def test_what_was_foreseen_is_what_is_read(database: Database) -> None:
    def foreseen(connection: Connection) -> list[Any]:
        told(connection)
        return read(connection)

    assert await database.snapshot(foreseen) == await database.snapshot(read)
    assert await database.transaction(foreseen) == [
        [(3, "red"), (1, "red")],
        [(2, ODD)],
        [(1, 1, "red"), (2**62, 2**62, None)],
        b"\x02\x00",
        [],
    ]


@pytest.mark.both_databases
async def test_what_was_foreseen_is_given_once_and_then_read_anew(database: Database) -> None:
    def work(connection: Connection) -> list[list[tuple[Any, ...]]]:
        foresee(connection, lambda asked: of_kind(asked, "red"))
        before = of_kind(connection, "red")
        connection.execute(ADD, {"id": 4, "kind": "red", "seal": b""})
        return [before, of_kind(connection, "red")]

    before, after = await database.transaction(work)

    assert (len(before), len(after)) == (2, 3)


@pytest.mark.both_databases
async def test_nothing_foreseen_outlives_its_transaction(database: Database) -> None:
    await database.snapshot(
        lambda connection: foresee(connection, lambda asked: of_kind(asked, "red"))
    )
    await database.transaction(
        lambda connection: connection.execute(ADD, {"id": 4, "kind": "red", "seal": b""}).rowcount
    )

    assert len(await database.snapshot(lambda connection: of_kind(connection, "red"))) == 3


@pytest.mark.postgresql
async def test_foreseen_reads_are_sent_together(database: Database, sent: list[str]) -> None:
    def work(connection: Connection) -> None:
        foresee(
            connection,
            lambda asked: of_kind(asked, "red"),
            lambda asked: among(asked, 1),
        )
        of_kind(connection, "red")
        among(connection, 1)

    await database.snapshot(work)
    begin, _, end = sent
    assert begin.startswith("BEGIN")
    assert end == "ROLLBACK"

    sent.clear()
    await database.snapshot(work, is_one_statement=True)
    assert len(sent) == 1


@pytest.mark.postgresql
async def test_a_read_that_needs_more_than_one_statement_reads_one_state(
    database: Database, sent: list[str]
) -> None:
    runs = []

    def work(connection: Connection) -> list[list[tuple[Any, ...]]]:
        runs.append(1)
        return [of_kind(connection, "red"), of_kind(connection, ODD)]

    found = await database.snapshot(work, is_one_statement=True)

    assert found == [[(3, "red"), (1, "red")], [(2, ODD)]]
    assert len(runs) == 2
    assert sent[1].startswith("BEGIN ISOLATION LEVEL REPEATABLE READ")


@pytest.mark.postgresql
async def test_a_read_of_one_statement_writes_nothing(database: Database) -> None:
    row = {"id": 5, "kind": "blue", "seal": b""}

    with pytest.raises(Exception, match="failed, nothing was read"):
        await database.snapshot(
            lambda connection: connection.execute(ADD, row).rowcount, is_one_statement=True
        )

    assert await database.snapshot(lambda connection: among(connection, 5)) == []


@pytest.mark.postgresql
async def test_a_write_of_one_statement_is_sent_alone_and_is_kept(
    database: Database, sent: list[str]
) -> None:
    row = {"id": 5, "kind": "blue", "seal": b""}

    await database.transaction(
        lambda connection: connection.execute(ADD, row).rowcount,
        isolation=Isolation.READ_COMMITTED,
        is_one_statement=True,
    )

    assert len(sent) == 1
    assert await database.snapshot(lambda connection: among(connection, 5)) == [(5, 5, "blue")]


@pytest.mark.postgresql
async def test_work_that_goes_on_after_a_failed_statement_is_not_taken_for_kept(
    database: Database,
) -> None:
    def work(connection: Connection) -> None:
        with suppress(IntegrityError):
            connection.execute(ADD, {"id": 1, "kind": "twice", "seal": b""})

    with pytest.raises(AssertionError, match="savepoint"):
        await database.transaction(work)

    assert await database.snapshot(lambda connection: of_kind(connection, "twice")) == []
