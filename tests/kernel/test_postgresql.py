"""What only a PostgreSQL between several processes can do to a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from kernel.database import (
    Database,
    DatabaseUnavailable,
    InDoubt,
    Isolation,
    Overloaded,
    open_database,
)
from kernel.database import postgresql as rooms
from kernel.database.postgresql_seats import Seat
from kernel.graphql import BadUserInput
from kernel.statements import Prepared
from tests.places import Places

pytestmark = pytest.mark.postgresql

METADATA = MetaData()
NOTE = Table("note", METADATA, Column("id", Integer, primary_key=True), Column("kind", Text))
STONE = Table("stone", METADATA, Column("id", Integer, primary_key=True), Column("weight", Integer))
COUNT = Prepared("SELECT COUNT(*) FROM note")


@pytest.fixture
async def two(places: Places) -> AsyncIterator[tuple[Database, Database]]:
    """One schema as two processes see it, opened by both at once."""
    address = places.address("notes")
    opened = await asyncio.gather(
        open_database(address, METADATA), open_database(address, METADATA)
    )
    yield opened[0], opened[1]
    for database in opened:
        await database.close()


def count(connection: Connection) -> int:
    found: int = connection.execute(COUNT).scalar_one()
    return found


def add(key: int) -> Callable[[Connection], Any]:
    return lambda connection: connection.execute(insert(NOTE).values(id=key)).rowcount


def take_next(connection: Connection) -> int:
    """Adds the number after the greatest there is: right only as if alone."""
    following = (connection.execute(select(func.max(NOTE.c.id))).scalar() or 0) + 1
    connection.execute(insert(NOTE).values(id=following))
    return following


def end_own_connection(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")


async def test_work_that_reads_and_decides_runs_as_if_alone(
    two: tuple[Database, Database],
) -> None:
    taken = await asyncio.gather(*(two[n % 2].transaction(take_next) for n in range(24)))

    assert sorted(taken) == list(range(1, 25))


async def test_two_that_each_leave_one_standing_leave_one_standing(
    two: tuple[Database, Database],
) -> None:
    """Write skew: each reads two rows and removes another one of them."""
    for key in (1, 2):
        await two[0].transaction(add(key))

    def remove(key: int) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            if count(connection) == 2:
                connection.execute(NOTE.delete().where(NOTE.c.id == key))

        return work

    await asyncio.gather(two[0].transaction(remove(1)), two[1].transaction(remove(2)))

    assert await two[0].snapshot(count) == 1


async def test_read_committed_work_that_locks_its_row_waits_and_sees_what_came_before(
    two: tuple[Database, Database],
) -> None:
    await two[0].transaction(
        lambda connection: connection.execute(insert(STONE).values(id=1, weight=100)).rowcount
    )
    runs = []

    def lighten(connection: Connection) -> None:
        runs.append(1)
        weight = connection.execute(
            select(STONE.c.weight).where(STONE.c.id == 1).with_for_update()
        ).scalar_one()
        connection.execute(update(STONE).values(weight=weight - 1))

    await asyncio.gather(
        *(two[n % 2].transaction(lighten, isolation=Isolation.READ_COMMITTED) for n in range(20))
    )

    weight = await two[0].snapshot(lambda c: c.execute(select(STONE.c.weight)).scalar_one())
    assert (weight, len(runs)) == (80, 20)


async def test_a_snapshot_does_not_change_while_it_is_read(
    two: tuple[Database, Database],
) -> None:
    loop = asyncio.get_running_loop()
    added: list[asyncio.Task[Any]] = []

    def work(connection: Connection) -> tuple[int, int]:
        before = count(connection)
        added.append(loop.create_task(two[1].transaction(add(1))))
        while not added[0].done():
            connection.exec_driver_sql("SELECT 1")
        return before, count(connection)

    assert await two[0].snapshot(work) == (0, 0)
    assert await two[0].snapshot(count) == 1


async def test_work_whose_connection_is_lost_runs_again(two: tuple[Database, Database]) -> None:
    runs = []

    def work(connection: Connection) -> int:
        runs.append(1)
        connection.execute(insert(NOTE).values(id=1))
        if len(runs) < 3:
            end_own_connection(connection)
        return len(runs)

    assert await two[0].transaction(work) == 3
    assert await two[1].snapshot(count) == 1


async def test_reads_go_on_after_every_connection_was_ended(
    two: tuple[Database, Database],
) -> None:
    await asyncio.gather(*(two[0].snapshot(count) for _ in range(20)))
    await two[1].snapshot(
        lambda connection: connection.exec_driver_sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND application_name = 'alliance-gateway'"
        ).scalar_one()
    )

    counted = await asyncio.gather(*(two[0].snapshot(count) for _ in range(20)))

    assert counted == [0] * 20


class _LosesTheAnswer:
    """Commits, and loses the connection before the first answer arrives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        commit = Seat.commit
        self.lost = 0

        async def commit_and_lose(seat: Seat) -> None:
            await commit(seat)
            if not self.lost:
                self.lost += 1
                raise ConnectionResetError("the answer to COMMIT was lost")

        monkeypatch.setattr(Seat, "commit", commit_and_lose)


async def test_a_commit_whose_answer_is_lost_is_in_doubt(
    two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    _LosesTheAnswer(monkeypatch)

    with pytest.raises(InDoubt):
        await two[0].transaction(add(1))

    assert await two[1].snapshot(count) == 1


async def test_work_that_finds_what_it_did_runs_again_when_in_doubt(
    two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    loses = _LosesTheAnswer(monkeypatch)

    def work(connection: Connection) -> str:
        if connection.execute(select(NOTE.c.id).where(NOTE.c.id == 1)).first():
            return "was done"
        connection.execute(insert(NOTE).values(id=1))
        return "done"

    assert await two[0].transaction(work, is_idempotent=True) == "was done"
    assert (loses.lost, await two[1].snapshot(count)) == (1, 1)


async def test_a_commit_stays_in_doubt_when_no_later_try_can_find_out(
    two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    _LosesTheAnswer(monkeypatch)
    runs = []

    def work(connection: Connection) -> None:
        runs.append(1)
        if len(runs) > 1:
            connection.exec_driver_sql("DO $$ BEGIN RAISE 'full' USING ERRCODE = '53100'; END $$")
        connection.execute(insert(NOTE).values(id=1))

    with pytest.raises(InDoubt):
        await two[0].transaction(work, is_idempotent=True)

    assert (len(runs), await two[1].snapshot(count)) == (2, 1)


async def test_a_commit_that_the_server_refuses_is_not_in_doubt(
    two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    await two[0].transaction(
        lambda c: c.exec_driver_sql(
            "ALTER TABLE note ADD CONSTRAINT late UNIQUE (kind) DEFERRABLE INITIALLY DEFERRED"
        )
    )

    def work(connection: Connection) -> None:
        connection.execute(insert(NOTE), [{"id": 1, "kind": "a"}, {"id": 2, "kind": "a"}])

    with pytest.raises(IntegrityError):
        await two[0].transaction(work)

    assert await two[1].snapshot(count) == 0


async def test_conflicts_that_never_end_are_given_up(
    two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "BACK_OFF_MAX_SECONDS", 0.001)
    runs = []

    def work(connection: Connection) -> None:
        runs.append(1)
        connection.exec_driver_sql("DO $$ BEGIN RAISE 'again' USING ERRCODE = '40001'; END $$")

    with pytest.raises(DatabaseUnavailable, match="nothing was kept"):
        await two[0].transaction(work)

    assert len(runs) == rooms.ATTEMPTS_MAX


async def test_a_lock_that_is_held_too_long_is_not_waited_for(places: Places) -> None:
    address = places.address("notes")
    holds = await open_database(address, METADATA)
    waits = await open_database(f"{address}&lock_timeout_ms=20", METADATA)
    await holds.transaction(add(1))

    def hold(connection: Connection) -> None:
        connection.execute(update(NOTE).values(kind="held"))
        task = loop.create_task(
            waits.transaction(lambda c: c.execute(update(NOTE).values(kind="")))
        )
        while not task.done():
            connection.exec_driver_sql("SELECT 1")
        assert isinstance(task.exception(), DatabaseUnavailable)

    loop = asyncio.get_running_loop()
    await holds.transaction(hold)
    await holds.close()
    await waits.close()


async def test_more_work_than_may_wait_is_refused_and_what_began_ends(
    two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "WAITING_MAX", 5)

    results = await asyncio.gather(
        *(two[0].transaction(add(key)) for key in range(8)), return_exceptions=True
    )

    assert [type(result) for result in results] == [int] * 5 + [Overloaded] * 3
    assert await two[0].snapshot(count) == 5


async def test_closing_waits_for_what_was_begun(places: Places) -> None:
    address = places.address("notes")
    database = await open_database(address, METADATA)
    begun = [asyncio.create_task(database.transaction(add(key))) for key in range(30)]
    await asyncio.sleep(0)

    await database.close()

    assert all(task.done() and task.exception() is None for task in begun)


async def test_a_text_that_can_not_be_held_is_the_clients_fault(
    two: tuple[Database, Database],
) -> None:
    with pytest.raises(BadUserInput, match=r"U\+0000"):
        await two[0].transaction(
            lambda c: c.execute(insert(NOTE).values(id=1, kind="a\x00b")).rowcount
        )
    with pytest.raises(BadUserInput):
        await two[0].snapshot(lambda c: c.execute(select(NOTE).where(NOTE.c.kind == "\x00")).all())


async def test_schemas_of_one_database_do_not_see_each_other(places: Places) -> None:
    mine = await open_database(places.address("mine"), METADATA)
    theirs = await open_database(places.address("theirs"), METADATA)
    await mine.transaction(add(1))

    assert (await mine.snapshot(count), await theirs.snapshot(count)) == (1, 0)
    await mine.close()
    await theirs.close()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(DatabaseUnavailable, match="can not open"):
        await open_database("postgresql://nobody@127.0.0.1:1/none", METADATA)
